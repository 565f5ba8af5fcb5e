/** The clusters that a feature is in, one a clustering. */

import { html } from "../html.js";
import { clusteringName } from "../clusters/words.js";
import { hundredths } from "../format.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { at, href, useAnswer } from "../server.js";

const FIRST = 8;

/** @param {{uid: string}} props */
export function InClusters({ uid }) {
  const path = href("/queries/feature_clusters", { feature: uid });
  return html`<${Section} title="Clusters" query=${path} lead="The group that each clustering puts it in, the most stable clustering first.">
    <${Shown} asked=${useAnswer(path)}>${(/** @type {any} */ { rows }) => (rows.length
      ? html`<${Table} caption="Clusters that the feature is in" rows=${rows.slice(0, FIRST)} columns=${COLUMNS} keyOf=${(/** @type {any} */ row) => row.cluster} />
        ${rows.length > FIRST && html`<p><a href=${path}>All ${rows.length} clusterings</a></p>`}`
      : html`<${Empty} title="In no cluster">Clusterings are made by <code>circuitstore cluster RECIPE</code>.<//>`)}<//>
  <//>`;
}

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  { name: "name", title: "cluster", show: (name, row) => html`<a href=${at("clusters", row.cluster)}>${name}</a>` },
  { name: "basis", title: "clustering", show: (_, row) => html`<a href=${at("clusterings", row.clustering)}>${clusteringName(row)}</a>` },
  { name: "size", help: "Number of its features" },
  { name: "silhouette", title: "fit", isNumber: true, help: "Silhouette: how well it fits there and nowhere else, −1 to 1", show: hundredths },
  { name: "stability", isNumber: true, help: "Mean adjusted Rand index under resampling: 1 for the same clusters, 0 for chance", isExtra: true, show: hundredths },
];
