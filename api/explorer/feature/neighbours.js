/** What feeds a feature and what it feeds, over all circuits; and what stands in the same circuits. */

import { html } from "../html.js";
import { featurePlace, number, percent } from "../format.js";
import { Bars } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { href, useAnswer } from "../server.js";

const MOST = 10_000;
const BARS = 10;

/** @param {{uid: string}} props */
export function Neighbours({ uid }) {
  const path = href("/queries/recurring_edges", { aggregation: "all", min_circuits: 1, limit: MOST });
  const asked = useAnswer(path);
  return html`<${Section} title="What feeds it, and what it feeds" query=${path} lead="Weights of the edges between features, means over the circuits in which an edge occurs; the strongest first.">
    <${Shown} asked=${asked}>${(/** @type {any} */ { rows }) => {
      const into = rows.filter((/** @type {any} */ row) => row.target === uid);
      const out = rows.filter((/** @type {any} */ row) => row.source === uid);
      return html`<div class="halves">
        <${Side} title="Inputs" rows=${into} end="source" />
        <${Side} title="Outputs" rows=${out} end="target" />
      </div>
      ${rows.length === MOST && html`<p class="faint">Among the ${number(MOST)} edges that occur in the most circuits.</p>`}`;
    }}<//>
  <//>`;
}

/** @param {{title: string, rows: any[], end: "source" | "target"}} props */
const Side = ({ title, rows, end }) => html`<div>
  <h3>${title}</h3>
  ${rows.length ? html`<${Bars} items=${[...rows].sort((a, b) => b.mean_abs_weight - a.mean_abs_weight).slice(0, BARS).map((row) => itemOf(row, end))} />` : html`<p class="faint">None.</p>`}
  ${rows.length > BARS && html`<p class="faint">and ${rows.length - BARS} weaker ones</p>`}
</div>`;

/** @param {any} row @param {"source" | "target"} end */
function itemOf(row, end) {
  const label = row[`${end}_label`];
  return {
    name: html`<a href=${`/features/${row[end]}`}>${featurePlace(row[end])}</a> <span class="faint">${label?.replace(/^on (tokens such as )?/, "")}</span>`,
    value: row.mean_weight,
    title: `${label ? `${label}: ` : ""}in ${row.n_circuits} ${row.n_circuits === 1 ? "circuit" : "circuits"}, in ${percent(row.sign_agreement)} of them of the same sign`,
  };
}

/** @param {{uid: string}} props */
export function Together({ uid }) {
  const path = href("/queries/cooccurring_features", { feature: uid, limit: 8 });
  return html`<${Section} title="Stands together with" query=${path} lead="Features in the same circuits of single prompts.">
    <${Shown} asked=${useAnswer(path)}>${(/** @type {any} */ { rows }) => (rows.length
      ? html`<${Table} caption="Features that stand in the same circuits" rows=${rows} columns=${COLUMNS} keyOf=${(/** @type {any} */ row) => row.feature} />`
      : html`<${Empty} title="In no circuit of a prompt">Circuits of prompts are found by <code>circuitstore ingest RECIPE</code>.<//>`)}<//>
  <//>`;
}

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "feature", by: (row) => row.layer, show: (feature, row) => html`<a href=${`/features/${feature}`}>${featurePlace(feature)}</a> <span class="faint">${row.label}</span>` },
  { name: "n_together", title: "circuits", help: "Circuits that both stand in" },
  { name: "jaccard", title: "overlap", help: "Circuits of both over circuits of either: 1 is always together" },
];
