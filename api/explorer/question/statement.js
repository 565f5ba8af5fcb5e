/** The text that the database is sent for a query, to read, to copy, and to go on with elsewhere. */

import { html, useState } from "../html.js";
import { useAnswer } from "../server.js";

/** @typedef {import("./form.js").Values} Values */

const PARAMETER = /\$\{?(\w+)\}?/g;

/** @param {{question: any, values: Values}} props */
export function Statement({ question, values }) {
  const store = useAnswer("/health").answer?.store;
  const filled = filledIn(question, values);
  const given = question.params.filter((/** @type {any} */ param) => values[param.name]).map((/** @type {any} */ param) => `${param.name}=${quoted(values[param.name] ?? "")}`);
  const command = ["circuitstore query", question.name, ...given].join(" ");
  return html`<details class="card statement">
    <summary>Cypher and command line</summary>
    <p class="faint">${question.runs === "python" ? "This is what the database is asked for; the service works the answer out of it in Python." : "This is what the database is asked, as it is sent to this one."} Names with a $ stand for the values above.</p>
    <div class="tools">
      <${Copy} text=${question.text} says="Copy" /><${Copy} text=${filled} says="Copy with the values" />
      ${store === "neo4j" && html`<a class="button" target="_blank" rel="noopener" href=${`http://${location.hostname}:7474/browser/?cmd=edit&arg=${encodeURIComponent(filled)}`} title="On the port that Neo4j has it on by default">Open in Neo4j Browser</a>`}
    </div>
    <${Code} text=${question.text} />
    <p class="faint">The same in a terminal:</p>
    <div class="tools"><${Copy} text=${command} says="Copy" /></div>
    <pre tabindex="0"><code>${command}</code></pre>
  </details>`;
}

/** With its parameters told apart. @param {{text: string}} props */
const Code = ({ text }) => html`<pre tabindex="0"><code>${text.split(/(\$\{?\w+\}?)/).map((part, i) => (i % 2 ? html`<b class="parameter">${part}</b>` : part))}</code></pre>`;

/** @param {{text: string, says: string}} props */
function Copy({ text, says }) {
  const [isDone, setDone] = useState(false);
  if (!navigator.clipboard) return null; // over plain HTTP browsers give none: the text is there to be selected
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button type="button" onClick=${copy}>${isDone ? "Copied" : says}<span class="hidden" role="status">${isDone && "Copied"}</span></button>`;
}

/** With values for the parameters, as literals: a JSON string is a Cypher string, too. @param {any} question @param {Values} values */
const filledIn = (question, values) =>
  question.text.replace(PARAMETER, (/** @type {string} */ whole, /** @type {string} */ name) => {
    const param = question.params.find((/** @type {any} */ one) => one.name === name);
    if (!param) return whole;
    const value = String(values[name] ?? param.default ?? `PUT-${name.toUpperCase()}-HERE`);
    const isInline = whole.startsWith("${");
    if (isPlain(param, value, isInline)) return value;
    return isInline ? JSON.stringify(value).replaceAll("'", "\\u0027") : JSON.stringify(value); // it may stand within '…'
  });

/** Whether a value may stand in the text as it is: the address may come from anyone. @param {import("./form.js").Param} param @param {string} value @param {boolean} isInline */
function isPlain({ type, choices }, value, isInline) {
  if (["int", "hops", "float"].includes(type)) return /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
  if (type === "bool") return /^(true|false)$/.test(value);
  return isInline && choices.map(String).includes(value);
}

/** For a shell. @param {string} text */
const quoted = (text) => (/^[\w.:,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
