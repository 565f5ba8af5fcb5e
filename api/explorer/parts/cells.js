/** Cells of an answer's table, by what their values are: uids lead to what they are of, lists are tags, signs have colours. */

import { html } from "../html.js";
import { date, number } from "../format.js";
import { Context, Signed, Tokens } from "./bits.js";
import { addressOf, nameOf } from "./uids.js";

/** @typedef {import("./table.js").Column} Column */

const SIGNED = /(^|_)(effect|weight|weights|observed|direct|through|weakest)(_|$)/;
const SIZES = /abs|^n_|observed_pairs|^weight_(in|out)$/;
const NAMES = new Set(["index", "layer", "position", "seed", "source_layer", "target_layer"]);
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const [SHOWN, LONG] = [12, 44];

/** @param {string[]} names @param {Record<string, string>} [helps] what each is @returns {Column[]} */
export const columnsOf = (names, helps = {}) => names.map((name) => ({ name, help: helps[name], by: sortable(name), show: (value) => shown(name, value) }));

/** Signed values sort by size: the strongest matter, whichever way. @param {string} name @returns {(row: any) => any} */
const sortable = (name) => (row) => {
  const value = row[name];
  if (Array.isArray(value)) return value.length;
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" && isSigned(name) ? Math.abs(value) : value;
};

/** @param {string} name */
const isSigned = (name) => SIGNED.test(name) && !SIZES.test(name);

/** @param {string} name @param {any} value @returns {any} */
function shown(name, value) {
  if (value === null || value === undefined) return html`<span class="faint">–</span>`;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return isSigned(name) ? html`<${Signed} value=${value} />` : NAMES.has(name) ? String(value).replace("-", "−") : number(value);
  if (Array.isArray(value)) return html`<${List} name=${name} items=${value} />`;
  if (typeof value === "object") return html`<${Clipped} text=${JSON.stringify(value)} />`;
  return DATE.test(value) ? html`<span title=${value}>${date(value)}</span>` : html`<${Text} text=${value} />`;
}

/** @param {{text: string}} props */
function Text({ text }) {
  const address = addressOf(text);
  if (address) return html`<a href=${address} title=${text}>${nameOf(text)}</a>`;
  return /^[{[]/.test(text) || (text.length > LONG && !text.includes(" ")) ? html`<${Clipped} text=${text} />` : html`<span class=${text.length > 30 ? "words long" : "words"}>${text}</span>`;
}

/** What is for programs, on a line that a click opens. @param {{text: string}} props */
const Clipped = ({ text }) => (text.length < LONG ? html`<code>${text}</code>` : html`<details class="clipped"><summary><code>${text.slice(0, LONG)}…</code></summary><code>${text}</code></details>`);

/** @param {{name: string, items: any[]}} props */
function List({ name, items }) {
  const some = items.slice(0, SHOWN);
  const more = items.length > SHOWN && html` <span class="faint">and ${items.length - SHOWN} more</span>`;
  if (!items.length) return html`<span class="faint">none</span>`;
  if (name === "examples") return html`<div class="contexts">${items.map((item) => html`<${Context} text=${String(item)} />`)}</div>`;
  if (name.includes("token")) return html`<${Tokens} tokens=${some} />${more}`;
  return html`<span class="list">${some.map((item) => html`<span>${shown(name, item)}</span>`)}${more}</span>`;
}
