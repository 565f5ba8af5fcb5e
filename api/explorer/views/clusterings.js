/** All clusterings side by side, and what their scores mean. */

import { html } from "../html.js";
import { BASES, SCORES } from "../clusters/words.js";
import { Score } from "../clusters/score.js";
import { Sizes } from "../clusters/sizes.js";
import { Twin } from "../parts/bits.js";
import { Choice } from "../parts/choice.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { change } from "../routes.js";
import { at, useAnswer } from "../server.js";
import { style } from "../style.js";

style("clusters");

const ALL = "all";

/** @param {{route: import("../routes.js").Route}} props */
export default function Clusterings({ route: { query } }) {
  return html`<div class="page">
    <header>
      <h1>Clusterings</h1>
      <${Twin} path="/clusterings" />
      <p class="lead">Features that belong together, by several methods on several bases: none is the right one, so compare how good and how stable they are.</p>
    </header>
    <dl class="scores">${SCORES.map(({ title, range, means }) => html`<div><dt>${title} <span class="faint">${range}</span></dt><dd>${means}</dd></div>`)}</dl>
    <${Shown} asked=${useAnswer("/queries/clusterings?limit=10000")}>${(/** @type {any} */ { rows }) => (rows.length
      ? html`<${Listed} rows=${rows} query=${query} />`
      : html`<${Empty} title="No clustering is stored">Clusterings of a model's features are made by <code>circuitstore cluster RECIPE</code>.<//>`)}<//>
  </div>`;
}

/** @param {{rows: any[], query: URLSearchParams}} props */
function Listed({ rows, query }) {
  const filters = ["basis", "method", "model"].map((name) => ({ name, options: [ALL, ...new Set(rows.map((row) => row[name]).filter(Boolean))], value: query.get(name) ?? ALL }));
  const shown = rows.filter((row) => filters.every(({ name, value }) => value === ALL || row[name] === value));
  return html`
    <form class="fields" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${filters.filter(({ options }) => options.length > 2).map(({ name, options, value }) => html`<${Choice} label=${name} options=${options} value=${value}
        choose=${(/** @type {string} */ to) => change({ [name]: to === ALL ? null : to })} />`)}
      <span class="spacer"></span>
      <span class="faint" role="status">${shown.length} of ${rows.length} clusterings</span>
    </form>
    ${shown.length
      ? html`<${Table} caption="Clusterings" rows=${shown} columns=${COLUMNS} keyOf=${(/** @type {any} */ row) => row.uid} param="sort" sort="stability" />`
      : html`<${Empty} title="None is like that"><button onClick=${() => change({ basis: null, method: null, model: null })}>Show all</button><//>`}`;
}

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "method", show: (method, row) => html`<a class="cut" href=${at("clusterings", row.uid)}>${method}</a>`, by: (row) => `${row.method} ${row.basis}` },
  { name: "basis", title: "on", help: "What of the features was clustered", show: (basis) => html`<span class="cut" title=${BASES[basis] ?? basis}>${basis}</span>` },
  { name: "n_clusters", title: "clusters" },
  { name: "sizes", isSortable: false, show: (sizes, row) => html`<${Sizes} sizes=${sizes} left=${row.left_out} />` },
  { name: "n_features", title: "features", help: "Features in clusters", isExtra: true },
  { name: "left_out", title: "in none", help: "Features in no cluster", isExtra: true },
  ...SCORES.map(({ name, means }) => ({ name, help: means, isNumber: true, show: (/** @type {number | null} */ value) => html`<${Score} value=${value} />` })),
];
