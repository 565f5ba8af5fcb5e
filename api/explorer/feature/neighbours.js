/** What feeds a feature and what it feeds, over all circuits; and what stands in the same circuits. */

import { html } from "../html.js";
import { featurePlace, percent } from "../format.js";
import { Bars } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { at, href, useAnswer } from "../server.js";

const MOST = 200;
const BARS = 10;

/** @param {{uid: string}} props */
export function Neighbours({ uid }) {
  const path = href("/queries/feature_edges", { feature: uid, limit: MOST });
  const asked = useAnswer(path);
  return html`<${Section} title="What feeds it, and what it feeds" query=${path} lead="Edges between features, those of tokens and error terms aside: weights summed over positions, means over the circuits in which an edge occurs; the strongest first.">
    <${Shown} asked=${asked}>${(/** @type {any} */ { rows }) => html`<div class="halves">
      <${Side} title="Inputs" rows=${rows.filter((/** @type {any} */ row) => row.direction === "input")} />
      <${Side} title="Outputs" rows=${rows.filter((/** @type {any} */ row) => row.direction === "output")} />
    </div>`}<//>
  <//>`;
}

/** @param {{title: string, rows: any[]}} props the strongest first */
const Side = ({ title, rows }) => html`<div>
  <h3>${title}</h3>
  ${rows.length ? html`<${Bars} items=${rows.slice(0, BARS).map(itemOf)} />` : html`<p class="faint">None.</p>`}
  ${rows.length > BARS && html`<p class="faint">and ${rows.length === MOST ? "many" : rows.length - BARS} weaker ones</p>`}
</div>`;

/** @param {any} row */
function itemOf({ feature, label, mean_weight: value, n_circuits: n, sign_agreement: agreement }) {
  return {
    name: html`<a href=${at("features", feature)}>${featurePlace(feature)}</a> <span class="faint">${label?.replace(/^on (tokens such as )?/, "")}</span>`,
    value,
    title: `${label ? `${label}: ` : ""}in ${n} ${n === 1 ? "circuit" : "circuits"}, in ${percent(agreement)} of them of the same sign`,
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
  { name: "feature", by: (row) => row.layer, show: (feature, row) => html`<a href=${at("features", feature)}>${featurePlace(feature)}</a> <span class="faint">${row.label}</span>` },
  { name: "n_together", title: "circuits", help: "Circuits that both stand in" },
  { name: "jaccard", title: "overlap", help: "Circuits of both over circuits of either: 1 is always together" },
];
