/** What a cluster does to the others of its clustering, and they to it. */

import { html } from "../html.js";
import { number } from "../format.js";
import { Bars, Signed } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Shown } from "../parts/states.js";
import { at } from "../server.js";

/** @param {{cluster: string, asked: import("../server.js").Asked, query: string}} props `asked`: the query cluster_graph */
export const Acts = ({ cluster, asked, query }) => html`<${Section} title="What acts on it, and what it acts on" query=${query}
  lead="Weights of all edges between its features and another cluster's, summed up; mean over all circuits.">
  <${Shown} asked=${asked}>${(/** @type {any} */ { rows }) => {
    const within = rows.find((/** @type {any} */ row) => row.source === cluster && row.target === cluster);
    return html`<div class="halves">
      <${Side} title="Inputs" end="source" rows=${rows.filter((/** @type {any} */ row) => row.target === cluster && row.source !== cluster)} />
      <${Side} title="Outputs" end="target" rows=${rows.filter((/** @type {any} */ row) => row.source === cluster && row.target !== cluster)} />
    </div>
    ${within && html`<p class="faint">Inside it, ${within.n_edges} edges weigh <${Signed} value=${within.weight} /> in all.</p>`}`;
  }}<//>
<//>`;

/** @param {{title: string, end: "source" | "target", rows: any[]}} props */
const Side = ({ title, end, rows }) => html`<div>
  <h3>${title}</h3>
  ${rows.length ? html`<${Bars} items=${rows.slice(0, 12).map((row) => ({
    name: html`<a href=${at("clusters", row[end])}>${row[`${end}_name`]}</a>`,
    value: row.weight,
    title: `${row.n_edges} edges; ${number(row.abs_weight)} whatever the sign`,
  }))} />` : html`<p class="faint">None.</p>`}
</div>`;
