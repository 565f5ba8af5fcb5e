/** A clustering: its clusters, how good they are, what they do to each other, and what tasks do without them. */

import { html } from "../html.js";
import { ClusterGraph } from "../clusters/graph.js";
import { isOfNodes, membersPath, promotedBy, useClusters } from "../clusters/members.js";
import { Score } from "../clusters/score.js";
import { clusteringName, grounds, PARAMS, SCORES } from "../clusters/words.js";
import { count, hundredths, number } from "../format.js";
import { Tokens, Twin } from "../parts/bits.js";
import { Kept } from "../parts/kept.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { at, href, useAnswer } from "../server.js";
import { style } from "../style.js";

style("clusters");

/** @param {{route: import("../routes.js").Route}} props */
export default function Clustering({ route: { uid } }) {
  return html`<${Shown} asked=${useAnswer(at("clusterings", uid))}>${(/** @type {any} */ answer) => html`<${Parts} clustering=${answer.rows[0]} />`}<//>`;
}

/** @param {{clustering: any}} props */
function Parts({ clustering }) {
  const { uid, n_clusters, n_features, left_out } = clustering;
  const { asked, clusters } = useClusters(clustering);
  const query = href("/queries/cluster_ablations", { kind: "cluster", limit: 10000 });
  const ablations = useAnswer(query);
  const ablated = (ablations.answer?.rows ?? []).filter((/** @type {any} */ row) => row.ablated.startsWith(`${uid}:`));
  return html`<div class="page">
    <header>
      <h1>${clusteringName(clustering)}</h1>
      <${Twin} path=${at("clusterings", uid)} />
      <span class="spacer"></span><a href="/clusterings">All clusterings</a>
      <p class="lead">${isOfNodes(clustering) ? "Nodes of a circuit" : "Features"}, put together ${grounds(clustering)}.</p>
    </header>
    <dl class="figures">
      <div><dt>Clusters</dt><dd>${count(n_clusters ?? (clusters.length || null))}</dd></div>
      ${n_features !== null && html`<div><dt>Features in them</dt><dd>${count(n_features)}</dd></div>`}
      ${left_out !== null && html`<div><dt>In none</dt><dd>${count(left_out)}</dd></div>`}
      ${SCORES.filter(({ name }) => clustering[name] !== null).map(({ name, title, range, means }) => html`<div title=${`${range}. ${means}`}><dt>${title}</dt><dd><${Score} value=${clustering[name]} /></dd></div>`)}
    </dl>
    ${clustering.params && html`<p class="faint">${parameters(clustering).map(([name, value], i) => html`${i > 0 && " · "}<span title=${PARAMS[name]}>${name.replaceAll("_", " ")} ${value}</span>`)}</p>`}
    <div class="sections">
      <${Shown} asked=${asked}>${() => (clusters.length ? html`<${Listed} clustering=${clustering} clusters=${clusters} ablated=${ablated} />` : html`<${Empty} title="No members are stored">It was stored without its features.<//>`)}<//>
      ${!isOfNodes(clustering) && html`<div class="two">
        ${clusters.length > 0 && html`<${Acting} clustering=${clustering} clusters=${clusters} />`}
        <${Kept} about=${{ title: "What tasks keep without a cluster", name: "clusters-ablated", query,
          how: "What is left of a task's metric, on pairs that attribution never saw, when all features of a cluster are set to their mean: at 1 the task does without the cluster." }}
          rows=${ablated} asked=${[ablations]} nameOf=${(/** @type {any} */ row) => row.name} hrefOf=${(/** @type {any} */ row) => at("clusters", row.ablated)} none="The clusters that matter most to a task are ablated" />
      </div>`}
    </div>
  </div>`;
}

/** @param {{clustering: any, clusters: import("../clusters/members.js").Cluster[]}} props */
function Acting({ clustering: { uid }, clusters }) {
  const query = href("/queries/cluster_graph", { clustering: uid, limit: 10000 });
  return html`<${Shown} asked=${useAnswer(query)}>${(/** @type {any} */ { rows }) => (rows.length
    ? html`<${ClusterGraph} clusters=${clusters} rows=${rows} query=${query} name=${`clusters-${uid.split(":").slice(2).join("-")}`} />`
    : html`<${Section} title="What the clusters do to each other" query=${query}><${Empty} title="No edge joins their features">Edges come with circuits: <code>circuitstore ingest RECIPE</code> finds them.<//><//>`)}<//>`;
}

/** Those that say how it was made. @param {any} clustering @returns {[string, string][]} */
function parameters({ params, n_clusters: made }) {
  const said = Object.entries(JSON.parse(params ?? "{}")).filter(([name, value]) => value !== null && !(name === "clusters" && value === made));
  return said.map(([name, value]) => [name, typeof value === "number" ? number(value) : String(value)]);
}

/** @param {{clustering: any, clusters: import("../clusters/members.js").Cluster[], ablated: any[]}} props */
const Listed = ({ clustering, clusters, ablated }) => html`<${Section} title="Clusters" query=${membersPath(clustering)} lead=${isOfNodes(clustering) ? "As they were imported with their circuit." : "The largest first, with the members that fit best and the tokens that members promote."}>
  <${Table} caption="Clusters" rows=${clusters} keyOf=${(/** @type {any} */ row) => row.uid} columns=${[
    { name: "name", title: "cluster", show: (/** @type {string} */ name, /** @type {any} */ row) => html`<a href=${at("clusters", row.uid)}>${name}</a>` },
    { name: "size", title: "members", isNumber: true },
    { name: "layer", title: "layer", help: "Mean of its members' layers", isNumber: true },
    { name: "silhouette", title: "fit", help: "Mean silhouette of its members, −1 to 1", isNumber: true, show: hundredths },
    { name: "members", title: isOfNodes(clustering) ? "first members" : "best members", isSortable: false, show: (/** @type {any[]} */ members) => members.slice(0, 3).map((one, i) => html`${i > 0 && ", "}<a href=${one.address} title=${one.label}>${one.name}</a>`) },
    { name: "promotes", isSortable: false, isExtra: true, show: (/** @type {any} */ _, /** @type {any} */ row) => html`<${Tokens} tokens=${promotedBy(row.members).slice(0, 6)} />` },
    ...(ablated.length ? [{ name: "kept", title: "kept without it", help: "Share of the metric's change that is left when it is ablated; the least, where there are several tasks", isNumber: true,
      by: (/** @type {any} */ row) => keptOf(row, ablated), show: (/** @type {any} */ _, /** @type {any} */ row) => number(keptOf(row, ablated)) }] : []),
  ].filter(({ name }) => clusters.some((one) => (name === "silhouette" ? one.silhouette !== null : name === "promotes" ? !isOfNodes(clustering) : true)))} />
<//>`;

/** @param {any} cluster @param {any[]} ablated */
function keptOf(cluster, ablated) {
  const found = ablated.filter((row) => row.ablated === cluster.uid && row.faithfulness !== null).map((row) => row.faithfulness);
  return found.length ? Math.min(...found) : null;
}
