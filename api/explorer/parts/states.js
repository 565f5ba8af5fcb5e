/** What stands where something is to come, is not there, or could not be had. */

import { html, useEffect, useRef, useState } from "../html.js";
import { hasKey, isExported, renew, setKey, SLOW_MS, useAnswer } from "../server.js";

/** @typedef {import("../server.js").Asked} Asked @typedef {import("../server.js").Problem} Problem */

const LONG_S = 2;

/** Once a spinner is due; later, how long it has been and may still be. `stop`: give it up. @param {{stop?: () => void}} props */
export function Waiting({ stop }) {
  const [seconds, setSeconds] = useState(SLOW_MS / 1000);
  useEffect(() => {
    const clock = setInterval(() => setSeconds((before) => before + 1), 1000);
    return () => clearInterval(clock);
  }, []);
  const isLong = seconds > LONG_S && !isExported();
  /** @type {number | undefined} */
  const limit = useAnswer(isLong ? "/health" : null).answer?.time_limit;
  return html`<div class="state waiting">
    <p role="status"><span class="spinner" aria-hidden="true"></span>Loading…</p>
    ${isLong && html`
      ${limit && html`<progress max=${limit} value=${seconds} aria-label="of the time that one question may take"></progress>`}
      <p>${Math.floor(seconds)} s${limit && html` of at most ${limit} that one question may take`}</p>
      ${stop && html`<button onClick=${stop}>Stop</button>`}`}
  </div>`;
}

/** @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`<div class="state empty"><strong>${title}</strong><p>${children}</p></div>`;

/** @param {{error: Problem, again?: () => void}} props */
export function Failed({ error, again = renew }) {
  if (error.status === 401) return html`<${AskForKey} refused=${hasKey() ? error.message : ""} />`;
  const title = { 0: "No answer", 404: "Not found", 503: "The database is away, or too slow for this" }[error.status] ?? "This did not work";
  return html`<div class="state failed" role="alert">
    <strong>${title}</strong>
    <p>${error.message}</p>
    ${error.status === 404 && !isExported() && html`<p>It may have been deleted, or made anew under another uid, since this address was written.</p>`}
    ${error.status !== 404 && html`<button onClick=${again}>Try again</button>`} ${!isExported() && html`<a href="/">All circuits</a>`}
  </div>`;
}

/** What a reader gave up waiting for. @param {{again: () => void}} props */
export function Stopped({ again }) {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => button.current?.focus(), []); // where the one to stop was
  return html`<${Empty} title="Stopped before an answer came"><button ref=${button} onClick=${again}>Ask again</button><//>`;
}

/** What was asked for, once it is there: `children` makes it of the answer. @param {{asked: Asked, children: (answer: any) => any}} props */
export function Shown({ asked, children }) {
  if (asked.error) return html`<${Failed} error=${asked.error} />`;
  if (asked.answer) return children(asked.answer);
  return asked.isSlow ? html`<${Waiting} />` : null;
}

/** @param {{refused: string}} props what was said of the key before */
function AskForKey({ refused }) {
  const [key, setText] = useState("");
  /** @param {Event} event */
  const take = (event) => {
    event.preventDefault();
    setKey(key);
  };
  return html`<form class="state" onSubmit=${take}>
    <strong>This service needs an API key</strong>
    ${refused && html`<p class="problem" role="alert">${refused}</p>`}
    <p>Its operator makes one with <code>circuitstore keys add NAME</code>. It is kept until this tab is closed.</p>
    <label>Key <input type="password" autocomplete="off" value=${key} onInput=${(/** @type {any} */ e) => setText(e.target.value)} /></label>
    <button>Use it</button>
  </form>`;
}
