/** Ranked paths between two ends; the chosen one stands out in the graph, with what each of its edges was seen to do. */

import { html } from "../html.js";
import { count } from "../format.js";
import { Signed, Twin } from "../parts/bits.js";
import { Empty, Shown } from "../parts/states.js";
import { change } from "../routes.js";
import { href, isExported } from "../server.js";
import { isConfirmed } from "./scene.js";

/** @typedef {{weight: number, hops: number, labels: string[], weights: number[], observed: (number | null)[], nodes: string[]}} Path */

const MOST = 60;
const EDGES = 10_000;

/** Where the paths are asked for. @param {string} circuit @param {string} from @param {string} to */
export const pathsAt = (circuit, from, to) => href("/queries/strongest_paths", { circuit, source: from, target: to, max_edges: EDGES, limit: MOST });

/** Whether every edge was measured and acts as predicted. @param {Path} path */
const isWhollyConfirmed = (path) => path.observed.every((observed, i) => isConfirmed({ observed, weight: path.weights[i] ?? 0 }));

/** @param {{circuit: string, asked: import("../server.js").Asked, from: string, to: string, chosen: number | null, nodes: {uid: string, name: string}[], onlyConfirmed: boolean}} props */
export function PathsPanel({ circuit, asked, from, to, chosen, nodes, onlyConfirmed }) {
  const ends = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ otherwise) => html`<select aria-label=${name} value=${value}
    onChange=${(/** @type {any} */ event) => change({ [name]: event.target.value, path: null })}>
    <option value="">${otherwise}</option>${nodes.map((node) => html`<option value=${node.uid}>${node.name}</option>`)}</select>`;
  return html`<section aria-label="Paths">
    <header class="panel-head"><h2>Paths</h2> ${!isExported() && html`<${Twin} path=${pathsAt(circuit, from, to)} />`}
      <button class="quiet" aria-label="Close" onClick=${() => change({ panel: null, path: null, from: null, to: null, confirmed: null })}>✕</button></header>
    ${!isExported() && html`<p class="ends">${ends("from", from, "all tokens")} <span aria-hidden="true">→</span> ${ends("to", to, "the output")}</p>`}
    <label class="inline"><input type="checkbox" checked=${onlyConfirmed} onChange=${() => change({ confirmed: onlyConfirmed ? null : "only", path: null })} /> only those whose every edge was confirmed</label>
    <${Shown} asked=${asked}>${(/** @type {{rows: Path[]}} */ answer) => {
      const shown = answer.rows.map((path, i) => ({ path, number: i + 1 })).filter(({ path }) => !onlyConfirmed || isWhollyConfirmed(path));
      if (!shown.length) return html`<${Empty} title=${answer.rows.length ? `None of the ${answer.rows.length} strongest paths is confirmed` : "No path joins the two"}>
        ${answer.rows.length ? "Some of their edges were not measured, or act otherwise than predicted: `circuitstore observe RECIPE` measures more." : `Among the ${count(EDGES)} strongest edges none does. Choose other ends.`}<//>`;
      return html`<ol class="paths">${shown.map((one) => html`<${Entry} ...${one} isChosen=${one.number === chosen} />`)}</ol>`;
    }}<//>
  </section>`;
}

/** @param {{path: Path, number: number, isChosen: boolean}} props */
function Entry({ path, number: place, isChosen }) {
  const confirmed = isWhollyConfirmed(path);
  const isMeasured = path.observed.some((value) => value !== null);
  return html`<li class=${isChosen ? "chosen" : ""}>
    <button class="path" aria-expanded=${isChosen} onClick=${() => change({ path: isChosen ? null : place })}>
      <span class="ends">${path.labels[0]} → ${path.labels[path.labels.length - 1]}</span>
      <span class="faint">${path.hops} edges</span>
      ${isMeasured && html`<span class=${`tag ${confirmed ? "yes" : "no"}`}>${confirmed ? "confirmed" : "not confirmed"}</span>`}
      <span class="number" title="Product of the predicted weights"><${Signed} value=${path.weight} /></span>
    </button>
    ${isChosen && html`<table class="edges"><thead><tr><th>Through</th><th class="number">predicted</th><th class="number">observed</th></tr></thead>
      <tbody><tr><td>${path.labels[0]}</td><td></td><td></td></tr>
      ${path.weights.map((weight, i) => html`<tr>
        <td><button class="link" onClick=${() => change({ node: path.nodes[i + 1] })}>→ ${path.labels[i + 1]}</button></td>
        <td class="number"><${Signed} value=${weight} /></td>
        <td class="number">${path.observed[i] === null ? html`<span class="faint">not measured</span>` : html`<${Signed} value=${path.observed[i]} />`}</td>
      </tr>`)}</tbody></table>`}
  </li>`;
}
