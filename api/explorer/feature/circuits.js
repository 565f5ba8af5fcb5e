/** The circuits that a feature stands in, and what it does in each. */

import { html } from "../html.js";
import { count, token } from "../format.js";
import { signed } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { change } from "../routes.js";
import { at, href, useAnswer } from "../server.js";

const FIRST = 15;
const MOST = 1000;

/** @param {{uid: string, areAllShown: boolean}} props */
export function InCircuits({ uid, areAllShown }) {
  const path = href("/queries/feature_circuits", { feature: uid, limit: MOST });
  return html`<${Section} title="In circuits" query=${path} lead="What the feature does there. An effect is the change of the metric when it alone is patched, as predicted and as observed; activation is that on the clean prompt, 0 where only the patch prompt activates it.">
    <${Shown} asked=${useAnswer(path)}>${(/** @type {any} */ { rows }) => {
      if (!rows.length) return html`<${Empty} title="It stands in no circuit">Circuits are found by <code>circuitstore ingest RECIPE</code>.<//>`;
      const shown = areAllShown ? rows : rows.slice(0, FIRST);
      return html`
        <${Table} caption="Effects of the feature in circuits" rows=${shown} columns=${columnsFor(rows)} keyOf=${(/** @type {any} */ row) => row.node} />
        ${rows.length > FIRST && html`<p><button onClick=${() => change({ circuits: areAllShown ? null : "all" }, { replace: true })}>
          ${areAllShown ? `Only the first ${FIRST}` : `All ${rows.length === MOST ? `of the first ${count(MOST)}` : count(rows.length)}`}</button></p>`}`;
    }}<//>
  <//>`;
}

/** Imported circuits have an influence and no effects; columns without a value are left out. @param {any[]} rows @returns {import("../parts/table.js").Column[]} */
const columnsFor = (rows) => [
  { name: "name", title: "circuit", show: (name, row) => html`<a href=${href(at("circuits", row.circuit), { node: row.node })}>${name}</a>${row.aggregation === "task" && html` <span class="tag">task</span>`}` },
  { name: "token", title: "at", show: (text, row) => token(text) || `position ${row.position ?? "?"}` },
  ...[
    { name: "effect", title: "predicted", isNumber: true, show: signed },
    { name: "observed_effect", title: "observed", isNumber: true, show: signed },
    { name: "activation", isNumber: true, isExtra: true },
    { name: "influence", isNumber: true, help: "Share of the output's total incoming weight" },
  ].filter(({ name }) => rows.some((row) => row[name] !== null && row[name] !== undefined)),
];
