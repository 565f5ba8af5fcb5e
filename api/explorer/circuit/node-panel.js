/** A pinned node: what it is, what it does, what acts on it and what it acts on, and where else it is found. */

import { html } from "../html.js";
import { count, nodeName, number, plain, toldApart } from "../format.js";
import { Bars, Kind, Signed } from "../parts/bits.js";
import { FeatureCard } from "../parts/feature-card.js";
import { Shown } from "../parts/states.js";
import { change, queryHere } from "../routes.js";
import { at, href, isExported, useAnswer } from "../server.js";

/** @typedef {import("./scene.js").Node} Node @typedef {import("./scene.js").Edge} Edge */

const ENTRIES = 12;

/** @param {{circuit: string, node: Node, edges: Edge[], nameOf: (uid: string) => string | null}} props edges: those that are loaded; nameOf: null of what is not */
export function NodePanel({ circuit, node, edges, nameOf }) {
  if (node.kind === "cluster") return html`<${ClusterPanel} node=${node} />`;
  return html`<section aria-label="Pinned node">
    <header class="panel-head"><${Kind} kind=${node.kind} /> <button class="quiet" title="Unpin (Escape)" aria-label="Unpin" onClick=${() => change({ node: null })}>✕</button></header>
    <h2>${nodeName(node)}</h2>
    <dl class="figures small">
      ${node.effect !== null && html`<div><dt title="Change of the metric when this node alone is patched, as computed">Predicted effect</dt><dd><${Signed} value=${node.effect} /></dd></div>`}
      ${node.observed_effect !== null && html`<div><dt title="The same, measured by ablation">Observed effect</dt><dd><${Signed} value=${node.observed_effect} /></dd></div>`}
      ${node.activation !== null && html`<div><dt title="On the clean prompt; a feature that only the patch prompt activates has 0 here and an effect all the same">Activation</dt><dd>${number(node.activation)}</dd></div>`}
      ${node.probability !== null && node.probability !== undefined && html`<div><dt title="Of the token, on this prompt">Probability</dt><dd>${number(node.probability)}</dd></div>`}
      ${node.influence !== null && html`<div><dt title="Share of the output's total incoming weight that runs through this node, directly or over others">Influence</dt><dd>${number(node.influence)}</dd></div>`}
    </dl>
    ${!isExported() && html`<p class="buttons">
      ${node.kind !== "token" && html`<button onClick=${() => change({ panel: "paths", to: node.uid, from: null, path: null, node: null })}>Paths into it</button>`}
      ${!["logit", "metric"].includes(node.kind) && html`<button onClick=${() => change({ panel: "paths", from: node.uid, to: null, path: null, node: null })}>Paths out of it</button>`}
    </p>`}
    ${node.feature && !isExported() && html`<${FeatureCard} uid=${node.feature} />`}
    <${Neighbours} node=${node} loaded=${edges} nameOf=${nameOf} />
    ${node.feature && !isExported() && html`<${Elsewhere} feature=${node.feature} circuit=${circuit} />`}
  </section>`;
}

/** The strongest of all its edges; until they have come, of those that are loaded. @param {{node: Node, loaded: Edge[], nameOf: (uid: string) => string | null}} props */
function Neighbours({ node, loaded, nameOf }) {
  const path = href("/queries/node_edges", { node: node.uid, limit: ENTRIES });
  const { answer } = useAnswer(isExported() ? null : path);
  /** @type {{direction: string, node: string, weight: number, observed: number | null, input?: string | null, n_edges?: number}[]} */
  const edges = answer ? toldApart(/** @type {any[]} */ (answer.rows)) : loaded.flatMap(({ source, target, weight, observed }) => [
    ...(target === node.uid ? [{ direction: "input", node: source, weight, observed }] : []),
    ...(source === node.uid ? [{ direction: "output", node: target, weight, observed }] : []),
  ]);
  const list = (/** @type {string} */ direction, /** @type {string} */ title) => {
    const own = edges.filter((edge) => edge.direction === direction).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
    const all = own[0]?.n_edges ?? own.length;
    return own.length > 0 && html`<h3>${title} <span class="faint">${count(all)}</span></h3>
      <${Bars} items=${own.slice(0, ENTRIES).map((edge) => ({
        name: html`<button class="link" onClick=${() => change({ node: edge.node })}>${plain(nameOf(edge.node) ?? nodeName(/** @type {any} */ (edge)))}${edge.input && direction === "input" ? ` (into ${edge.input})` : ""}</button>`,
        value: edge.weight,
        observed: edge.observed,
        title: edge.observed === null ? "not measured" : `observed ${number(edge.observed)}`,
      }))} />
      ${all > ENTRIES && (isExported() ? html`<p class="faint small">and ${count(all - ENTRIES)} more</p>` : html`<p class="small"><a href=${href("/queries/node_edges", { node: node.uid, limit: 10_000 })}>and ${count(all - ENTRIES)} more</a></p>`)}`;
  };
  return html`${list("input", "Acted on by")}${list("output", "Acts on")}
    ${edges.some((edge) => edge.observed !== null) && html`<p class="faint small">Thick: predicted weight, with its number; thin: observed, where it was measured.</p>`}`;
}

/** @param {{feature: string, circuit: string}} props */
function Elsewhere({ feature, circuit }) {
  const circuits = useAnswer(href("/circuits", { feature, sort: "-n_edges", limit: 12 }));
  const lineage = useAnswer(href("/queries/feature_lineage", { feature }));
  const clusters = useAnswer(href("/queries/feature_clusters", { feature }));
  return html`
    <${Shown} asked=${lineage}>${(/** @type {any} */ answer) => answer.rows.length > 0 && html`
      <h3>Continues in other layers</h3><ul class="plain">${nearest(answer.rows).map((/** @type {any} */ row) => html`
        <li>${row.direction === "forwards" ? "↑" : "↓"} layer ${row.layer}: <a href=${at("features", row.feature)}>${row.label || row.feature.split(":").slice(1).join(":")}</a>
          <span class="faint"> ${number(row.score)}${row.confirmed === true ? ", confirmed" : ""}</span></li>`)}
        <li><a href=${at("features", feature)}>its lineage</a></li></ul>`}<//>
    <${Shown} asked=${clusters}>${(/** @type {any} */ answer) => answer.rows.length > 0 && html`
      <h3>In clusters</h3><ul class="plain">${answer.rows.slice(0, 6).map((/** @type {any} */ row) => html`
        <li><a href=${at("clusters", row.cluster)}>${row.name || row.cluster}</a> <span class="faint">${row.method}, ${row.basis}</span></li>`)}
        ${answer.rows.length > 6 && html`<li><a href=${at("features", feature)}>and ${answer.rows.length - 6} more</a></li>`}</ul>`}<//>
    <${Shown} asked=${circuits}>${(/** @type {any} */ answer) => {
      const others = answer.rows.filter((/** @type {any} */ row) => row.uid !== circuit);
      return others.length > 0 && html`<h3>In other circuits</h3><ul class="plain">${others.map((/** @type {any} */ row) => html`
        <li><a href=${at("circuits", row.uid)}>${row.name}</a></li>`)}${answer.next && html`<li><a href=${at("features", feature)}>and more</a></li>`}</ul>`;
    }}<//>`;
}

/** Upper layers first, as in the graph. @param {any[]} rows */
const nearest = (rows) => [...rows].sort((a, b) => b.layer - a.layer).slice(0, ENTRIES);

/** @param {{node: Node}} props */
function ClusterPanel({ node }) {
  const members = node.members ?? [];
  return html`<section aria-label="Pinned cluster">
    <header class="panel-head"><span class="tag">cluster</span> <button class="quiet" title="Unpin (Escape)" aria-label="Unpin" onClick=${() => change({ node: null })}>✕</button></header>
    <h2>${node.label}</h2>
    <p>${count(members.length)} nodes of this circuit, drawn as one. <a href=${at("clusters", node.uid)}>The cluster</a></p>
    <p class="buttons"><button onClick=${() => change({ opened: addTo("opened", node.uid), node: null })}>Draw its nodes</button></p>
    <${Bars} items=${members.filter((one) => one.effect !== null).map((one) => ({ name: nodeName(one), value: one.effect ?? 0 }))} />
  </section>`;
}

/** @param {string} name of a parameter that is a list @param {string} value */
const addTo = (name, value) => [...(queryHere().get(name) ?? "").split(",").filter(Boolean), value].join(",");
