/** The panel beside the graph while nothing is pinned: how to read it, what is strongest, what was measured, where to go on. */

import { html } from "../html.js";
import { nodeName } from "../format.js";
import { Bars } from "../parts/bits.js";
import { Stretches } from "../parts/stretches.js";
import { change } from "../routes.js";
import { href, isExported, useAnswer } from "../server.js";
import { strength } from "./scene.js";

/** @typedef {import("./scene.js").Node} Node */

/** @param {{circuit: any, nodes: Node[], wasObserved: boolean}} props nodes: the strongest first */
export function Overview({ circuit, nodes, wasObserved }) {
  const hasEffects = nodes.some((node) => node.effect !== null);
  const isRanked = (/** @type {Node} */ node) => strength(node) > 0 && node.kind !== "metric" && (hasEffects || node.kind !== "token");
  const ranked = nodes.filter(isRanked).slice(0, 10);
  return html`<section aria-label="Overview">
    <p class="buttons wrap">
      <button class="primary" onClick=${() => change({ panel: "paths" })}>Strongest paths</button>
      ${wasObserved && html`<button onClick=${() => change({ panel: "paths", confirmed: "only" })}>Confirmed paths</button>`}
      ${!isExported() && html`<a class="button" href=${href("/compare", { left: circuit.uid })}>Compare</a>
        <a class="button" href=${href("/ablations", { circuit: circuit.uid })}>Ablations</a>`}
    </p>
    ${ranked.length > 0 && html`<h3>${hasEffects ? "Largest effects on the metric" : "Most influence on the output, tokens aside"}</h3>
      <${Bars} items=${ranked.map((node) => ({
        name: html`<button class="link" title=${node.label ?? ""} onClick=${() => change({ node: node.uid })}>${nodeName(node)}</button>`,
        value: node.effect ?? node.influence ?? 0,
        observed: node.observed_effect,
        about: node.label,
      }))} />
      ${ranked.some((node) => node.observed_effect !== null) && html`<p class="faint small">Thick: predicted, with its number; thin: observed.</p>`}`}
    <h3>How to read it</h3>
    <ul class="legend">
      ${[...new Set(nodes.map((node) => node.kind))].map((kind) => html`<li><${Shape} kind=${kind} /> ${KINDS[kind] ?? kind}</li>`)}
      <li><span class="line positive"></span> positive <span class="line negative"></span> negative weight</li>
      ${wasObserved && html`<li><span class="line dashed"></span> not measured, or not as predicted</li>`}
    </ul>
    ${!isExported() && html`<${Evidence} circuit=${circuit.uid} />`}
  </section>`;
}

/** @type {Record<string, string>} */
const KINDS = { feature: "a feature of a dictionary", error: "what the dictionary leaves out", token: "a token", logit: "a possible next token", metric: "the metric", head: "an attention head", mlp: "an MLP", cluster: "a cluster of nodes" };

/** @param {{kind: string}} props */
const Shape = ({ kind }) => html`<span class=${`shape ${kind}`} aria-hidden="true"></span>`;

/** How well predictions held where they were measured. @param {{circuit: string}} props */
function Evidence({ circuit }) {
  const { answer } = useAnswer(href("/queries/evidence", { circuit }));
  /** @type {any[]} */
  const rows = answer?.rows ?? [];
  return rows.length > 0 && html`<h3>Predicted against observed edges</h3>
    <${Stretches} rows=${rows} />`;
}
