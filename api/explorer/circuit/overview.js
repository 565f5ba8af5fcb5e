/** The panel beside the graph while nothing is pinned: how to read it, what is strongest, what was measured, where to go on. */

import { html } from "../html.js";
import { count, hundredths, nodeName, plain, token } from "../format.js";
import { Bars } from "../parts/bits.js";
import { enoughOf } from "../parts/enough.js";
import { Stretches } from "../parts/stretches.js";
import { change } from "../routes.js";
import { href, isExported, useAnswer } from "../server.js";
import { strength } from "./scene.js";

/** @typedef {import("./scene.js").Node} Node */

/** @param {{circuit: any, nodes: Node[], kinds: string[], wasObserved: boolean}} props nodes: the strongest first; kinds: of what is drawn */
export function Overview({ circuit, nodes, kinds, wasObserved }) {
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
    ${circuit.faithfulness !== null && circuit.faithfulness !== undefined && !isExported() && html`<${Verdict} circuit=${circuit.uid} />`}
    <${Outputs} nodes=${nodes} />
    ${ranked.length > 0 && html`<h3>${hasEffects ? "Largest effects on the metric" : "Most influence on the output, tokens aside"}</h3>
      <${Bars} items=${ranked.map((node) => ({
        name: html`<button class="link" title=${[nodeName(node), node.label].filter(Boolean).join(": ")} onClick=${() => change({ node: node.uid })}>${plain(nodeName(node))}</button>`,
        value: node.effect ?? node.influence ?? 0,
        observed: node.observed_effect,
        about: node.label,
      }))} />
      ${ranked.some((node) => node.observed_effect !== null) && html`<p class="faint small">Thick: predicted, with its number; thin: observed.</p>`}`}
    <h3>How to read it</h3>
    <ul class="legend">
      ${kinds.map((kind) => html`<li><${Shape} kind=${kind} /> ${KINDS[kind] ?? kind}</li>`)}
      <li><span class="line positive"></span> positive <span class="line negative"></span> negative weight</li>
      ${wasObserved && html`<li><span class="line dashed"></span> not measured, or less than half of what was predicted</li>`}
    </ul>
    ${!isExported() && html`<${Evidence} circuit=${circuit.uid} />`}
  </section>`;
}

/** What the circuit was seen to restore, in a sentence. @param {{circuit: string}} props */
function Verdict({ circuit }) {
  const { answer } = useAnswer(href("/queries/ablation_curve", { circuit }));
  /** @type {any[]} */
  const curve = (answer?.rows ?? []).filter((/** @type {any} */ row) => row.n_edges === null && row.n_nodes > 0 && row.faithfulness !== null);
  const row = enoughOf(curve) ?? curve[curve.length - 1];
  return row && html`<p>Its ${count(row.n_nodes)} strongest ${row.n_nodes === 1 ? "feature" : "features"} alone restore${row.n_nodes === 1 ? "s" : ""} <strong>${hundredths(row.faithfulness)}</strong>${" "}
    of the behaviour on prompts that attribution never saw${row.random !== null && html`, as many random ones ${hundredths(row.random)}`}. <a href=${href("/ablations", { circuit })}>All sizes</a></p>`;
}

/** The tokens that may come next, the likeliest first. @param {{nodes: Node[]}} props */
function Outputs({ nodes }) {
  const logits = nodes.filter((node) => node.kind === "logit" && node.probability).sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));
  return logits.length > 0 && html`<h3>What the model says next</h3>
    <${Bars} items=${logits.slice(0, 10).map((node) => ({
      name: html`<button class="link" onClick=${() => change({ node: node.uid })}>${token(node.token ?? node.label)}</button>`,
      value: node.probability ?? 0,
      title: "Probability of the token on this prompt",
    }))} />`;
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
