/** What tasks keep when something is ablated or steered, with intervals on one scale. */

import { html } from "../html.js";
import { number } from "../format.js";
import { Intervals } from "./intervals.js";
import { Section } from "./section.js";
import { Empty, Failed, Waiting } from "./states.js";
import { href } from "../server.js";

const COLUMNS = ["ablated", "name", "task", "factor", "done", "n_nodes", "metric", "faithfulness", "low", "high", "sign_agreement", "circuit"];

/**
 * @param {{about: {title: string, name: string, query: string, how: any}, rows: any[], asked: import("../server.js").Asked[], none: string, nameOf?: (row: any) => string, hrefOf?: (row: any) => string}} props
 * `rows` as of the query cluster_ablations, and `done` where something else was done; `none`: what would be ablated, where nothing was.
 */
export function Kept({ about, rows, asked, none, nameOf, hrefOf = (row) => href("/ablations", { circuit: row.circuit }) }) {
  const known = rows.filter((row) => row.faithfulness !== null);
  const error = asked.find((one) => one.error)?.error;
  if (error || !known.length) {
    return html`<${Section} title=${about.title} query=${about.query}>
      ${error ? html`<${Failed} error=${error} />` : asked.every((one) => one.answer)
        ? html`<${Empty} title="It was not ablated">${none}, by <code>circuitstore ablate RECIPE</code>.<//>`
        : asked.some((one) => one.isSlow) && html`<${Waiting} />`}
    <//>`;
  }
  const tasks = new Set(known.map((row) => row.task));
  /** @param {any} row */
  const name = (row) => [nameOf ? nameOf(row) : deed(row), tasks.size > 1 && row.task].filter(Boolean).join(", ");
  return html`<${Intervals} about=${{ ...about, csv: { columns: COLUMNS, rows } }}
    axis=${tasks.size > 1 ? "share of the metric's change that is left" : `share of the metric's change that is left, ${known[0].task}`}
    rows=${known.map((row) => ({ name: name(row), href: hrefOf(row), value: row.faithfulness, low: row.low ?? row.faithfulness, high: row.high ?? row.faithfulness }))}
    refs=${[{ at: 0, name: "nothing" }, { at: 1, name: "all" }]} />`;
}

/** @param {any} row */
const deed = (row) => row.done ?? (row.factor === null ? "ablated: set to its mean" : row.factor === 0 ? "switched off: set to 0" : `steered: × ${number(row.factor)}`);
