/** Questions of your own, in the database's own Cypher, where the service allows it. */

import { Results } from "../question/results.js";
import { Empty, Shown, Waiting } from "../parts/states.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { change } from "../routes.js";
import { asProblem, send, SLOW_MS, useAnswer } from "../server.js";
import { style } from "../style.js";

style("question");

const EXAMPLE = "MATCH (n:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit)\nWHERE n.kind = 'feature'\nRETURN c.uid AS circuit, count(n) AS features, avg(abs(n.effect)) AS mean_effect\nORDER BY features DESC\nLIMIT 20";

const KEPT = 20;

/** @typedef {{answer: Promise<any>, stop: () => void}} Sent */

/** What was asked since the page was opened: an address alone asks nothing, as it may come from anyone. @type {Map<string, Sent>} */
const asked = new Map();

/** @param {string} text @returns {Sent} */
function sent(text) {
  const stopping = new AbortController();
  return { answer: send("/cypher", { text }, stopping.signal), stop: () => stopping.abort() };
}

/** @param {{route: import("../routes.js").Route}} props */
export default function Cypher({ route }) {
  const described = useAnswer("/openapi.json");
  return html`<div class="page question">
    <header>
      <h1>Cypher</h1><span class="spacer"></span><a href="/queries">All queries</a>
      <p class="lead">Ask what no query of the catalogue asks. Statements only read: what would change the store is refused. <a href="/docs">The API</a> and the catalogue's own texts show the labels and properties that there are.</p>
    </header>
    <${Shown} asked=${described}>${(/** @type {any} */ api) => (api.paths["/cypher"] ? html`<${Desk} query=${route.query} />` : html`<${Off} />`)}<//>
  </div>`;
}

const Off = () => html`<${Empty} title="Free Cypher is off">The service was started without it. Start it with <code>CIRCUITSTORE_CYPHER=true circuitstore serve</code> to turn it on; with keys, whoever asks needs one with the scope <code>cypher</code>.<//>`;

/** @param {{query: URLSearchParams}} props */
function Desk({ query }) {
  const text = query.get("text") ?? "";
  const [draft, setDraft] = useState(text || EXAMPLE);
  const [times, setTimes] = useState(0);
  useEffect(() => setDraft(text || EXAMPLE), [text]);
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!draft.trim()) return;
    asked.delete(draft); // and put last: the first is the one to go
    if (asked.size >= KEPT) asked.delete(asked.keys().next().value ?? "");
    asked.set(draft, sent(draft));
    setTimes(times + 1);
    change({ text: draft, by: null });
  };
  /** @param {any} event */
  const press = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form.requestSubmit();
  };
  return html`
    <form class="card cypher" onSubmit=${submit}>
      <label for="statement">Statement</label>
      <textarea id="statement" rows=${Math.min(18, Math.max(6, draft.split("\n").length + 1))} spellcheck=${false} value=${draft} maxlength="20000" onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} onKeyDown=${press}></textarea>
      <p class="ask"><button class="primary" title="Ctrl-Enter">Run</button> <span class="faint"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span></p>
    </form>
    ${asked.has(text) ? html`<${Outcome} key=${`${times} ${text}`} sent=${asked.get(text)} forget=${() => asked.delete(text)} isTable=${query.get("view") === "table"} />` : text && html`<p class="faint">This statement came with the address: run it to see its answer.</p>`}`;
}

/** @param {{sent: Sent, forget: () => void, isTable: boolean}} props */
function Outcome({ sent, forget, isTable }) {
  const [{ answer, error, isSlow, isStopped }, set] = useState(/** @type {{answer?: any, error?: any, isSlow?: boolean, isStopped?: boolean}} */ ({}));
  const isWanted = useRef(true);
  useEffect(() => {
    const slow = setTimeout(() => set({ isSlow: true }), SLOW_MS);
    sent.answer.then((found) => isWanted.current && set({ answer: found }), (problem) => isWanted.current && set((before) => ({ ...before, error: asProblem(problem) }))).finally(() => clearTimeout(slow));
    return () => {
      isWanted.current = false;
      clearTimeout(slow);
    };
  }, []);
  const stop = () => {
    set({ isStopped: true });
    forget();
    sent.stop();
  };
  if (isStopped) return html`<${Empty} title="Stopped before an answer came">Run asks again.<//>`;
  if (error) return html`<p class="problem card" role="alert">${error.message}</p>`;
  if (answer) return html`<div class="answer"><${Results} name="cypher" answer=${answer} isTable=${isTable} /></div>`;
  return isSlow ? html`<${Waiting} stop=${stop} />` : null;
}
