/** A cluster: its members and what they do, what it does to other clusters, and what tasks do without it. */

import { html } from "../html.js";
import { Acts } from "../clusters/acts.js";
import { Members } from "../clusters/members-table.js";
import { isOfNodes, membersPath, parentOf, promotedBy, useClusters } from "../clusters/members.js";
import { clusteringName, grounds } from "../clusters/words.js";
import { count, number } from "../format.js";
import { Tokens, Twin } from "../parts/bits.js";
import { Kept } from "../parts/kept.js";
import { Empty, Shown } from "../parts/states.js";
import { at, href, useAnswer } from "../server.js";
import { style } from "../style.js";

style("clusters");

/** @param {{route: import("../routes.js").Route}} props */
export default function Cluster({ route: { uid } }) {
  const asked = useAnswer(at("clusterings", parentOf(uid)));
  return html`<${Shown} asked=${asked}>${(/** @type {any} */ answer) => html`<${Page} uid=${uid} clustering=${answer.rows[0]} />`}<//>`;
}

/** @param {{uid: string, clustering: any}} props */
function Page({ uid, clustering }) {
  const { asked, clusters: [cluster] } = useClusters(clustering, uid);
  return html`<${Shown} asked=${asked}>${() => (cluster
    ? html`<${Parts} cluster=${cluster} clustering=${clustering} />`
    : html`<div class="page"><${Empty} title="No such cluster">No Cluster '${uid}' is stored. <a href=${at("clusterings", clustering.uid)}>Its clustering</a> has ${count(clustering.n_clusters)}.<//></div>`)}<//>`;
}

/** @param {{cluster: import("../clusters/members.js").Cluster, clustering: any}} props */
function Parts({ cluster, clustering }) {
  const { uid, name, size, members } = cluster;
  const query = href("/queries/cluster_ablations", { kind: "cluster", ablated: uid });
  const [ablated, steered] = [useAnswer(query), useAnswer(href("/queries/cluster_ablations", { kind: "steering", ablated: uid }))];
  const graph = useAnswer(isOfNodes(clustering) ? null : href("/queries/cluster_graph", { clustering: clustering.uid, limit: 10000 }));
  const promoted = promotedBy(members);
  return html`<div class="page">
    <header>
      <h1>${name}</h1>
      <${Twin} path=${membersPath(clustering, uid)} />
      <span class="spacer"></span><${Siblings} uid=${uid} n=${clustering.n_clusters} />
      <p class="lead">A cluster of <a href=${at("clusterings", clustering.uid)}>${clusteringName(clustering)}</a>: ${isOfNodes(clustering) ? "nodes of a circuit" : "features"} put together ${grounds(clustering)}.</p>
    </header>
    <div class="beside">
      <aside class="card about">
        <h2 class="hidden">All of it</h2>
        <dl class="figures">
          <div><dt>Members</dt><dd>${count(size)}</dd></div>
          ${cluster.silhouette !== null && html`<div title="Mean silhouette: how well members fit here and nowhere else, −1 to 1"><dt>Fit</dt><dd>${number(cluster.silhouette)}</dd></div>`}
          ${clustering.stability !== null && html`<div title="Of the whole clustering: mean adjusted Rand index under resampling"><dt>Stability</dt><dd>${number(clustering.stability)}</dd></div>`}
        </dl>
        ${promoted.length > 0 && html`<h3>Its members promote</h3><${Tokens} tokens=${promoted.slice(0, 24)} />`}
        <h3>Where they are</h3>
        <${Layers} members=${members} />
      </aside>
      <div class="sections">
        <${Members} cluster=${uid} members=${members} query=${membersPath(clustering, uid)} />
        ${!isOfNodes(clustering) && html`<${Acts} cluster=${uid} asked=${graph} query=${href("/queries/cluster_graph", { clustering: clustering.uid })} />`}
        ${!isOfNodes(clustering) && html`<${Kept} about=${{ title: "When it is changed", name: `ablations-${uid.split(":").slice(2).join("-")}`, query,
          how: "What is left of a task's metric, on pairs that attribution never saw, when all its features are ablated or steered together: at 1 the task does without them." }}
          rows=${[...(ablated.answer?.rows ?? []), ...(steered.answer?.rows ?? [])]} asked=${[ablated, steered]} none="The clusters that matter most to a task are ablated" />`}
      </div>
    </div>
  </div>`;
}

/** The one before and the one after: their numbers stand at the end of their uids. @param {{uid: string, n: number}} props */
function Siblings({ uid, n }) {
  const number = Number(uid.split(":").pop());
  const to = (/** @type {number} */ other) => `${parentOf(uid)}:${other}`;
  return html`<nav class="siblings" aria-label="Clusters of this clustering">
    ${number > 0 && html`<a href=${at("clusters", to(number - 1))}>← larger</a>`}
    <span class="faint">${number + 1} of ${n}</span>
    ${number + 1 < n && html`<a href=${at("clusters", to(number + 1))}>smaller →</a>`}
  </nav>`;
}

/** How many stand in each layer. @param {{members: import("../clusters/members.js").Member[]}} props */
function Layers({ members }) {
  const layers = [...new Set(members.map((one) => one.layer))].sort((a, b) => b - a);
  const counts = layers.map((layer) => members.filter((one) => one.layer === layer).length);
  return html`<ol class="layers">${layers.map((layer, i) => html`<li>
    <span class="faint">${layer < 0 ? "tokens" : `layer ${layer}`}</span><span class="row" aria-hidden="true"><span style=${{ width: `${(100 * (counts[i] ?? 0)) / Math.max(...counts)}%` }}></span></span><span class="number">${counts[i]}</span>
  </li>`)}</ol>`;
}
