/** Ranked paths between two ends; the chosen one stands out in the graph, with what each of its edges was seen to do. */

import { html } from "../html.js";
import { count, number, plain } from "../format.js";
import { Signed, Twin } from "../parts/bits.js";
import { Empty, Shown } from "../parts/states.js";
import { change } from "../routes.js";
import { href, isExported } from "../server.js";
import { isConfirmed } from "./scene.js";

/** @typedef {{weight: number, hops: number, labels: string[], weights: number[], observed: (number | null)[], nodes: string[]}} Path */

const MOST = 60;
const EDGES = 10_000;

/** Where the paths are asked for; an exported page holds those of all edges. @param {string} circuit @param {string} from @param {string} to @param {boolean} onlyConfirmed @param {number} [limit] */
export const pathsAt = (circuit, from, to, onlyConfirmed, limit = MOST) =>
  href("/queries/strongest_paths", { circuit, source: from, target: to, confirmed: (onlyConfirmed && !isExported()) || null, max_edges: EDGES, limit });

/** Whether every edge was measured and acts as predicted. @param {Path} path */
const isWhollyConfirmed = (path) => path.observed.every((observed, i) => isConfirmed({ observed, weight: path.weights[i] ?? 0 }));

/** @param {{circuit: string, asked: import("../server.js").Asked, from: string, to: string, chosen: number | null, nodes: {uid: string, name: string}[], nameOf: (uid: string) => string, onlyConfirmed: boolean, wasObserved: boolean, nEdges: number}} props nEdges: of the whole circuit */
export function PathsPanel({ circuit, asked, from, to, chosen, nodes, nameOf, onlyConfirmed, wasObserved, nEdges }) {
  const ends = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ otherwise) => html`<select aria-label=${name} value=${value}
    onChange=${(/** @type {any} */ event) => change({ [name]: event.target.value, path: null })}>
    <option value="">${otherwise}</option>${value && !nodes.some((node) => node.uid === value) && html`<option value=${value}>what the circuit does not have</option>`}${nodes.map((node) => html`<option value=${node.uid}>${node.name}</option>`)}</select>`;
  return html`<section aria-label="Paths">
    <header class="panel-head"><h2>Paths</h2> ${!isExported() && html`<${Twin} path=${pathsAt(circuit, from, to, onlyConfirmed)} />`}
      <button class="quiet" aria-label="Close" onClick=${() => change({ panel: null, path: null, from: null, to: null, confirmed: null })}>✕</button></header>
    ${!isExported() && html`<p class="ends">${ends("from", from, "all tokens")} <span aria-hidden="true">→</span> ${ends("to", to, "the output")}</p>`}
    ${(wasObserved || onlyConfirmed) && html`<label class="inline"><input type="checkbox" checked=${onlyConfirmed} onChange=${() => change({ confirmed: onlyConfirmed ? null : "only", path: null })} /> only along edges observed to do at least half of what was predicted</label>`}
    <p class="faint small">Ranked by the product of their edges' weights, which is no share of the metric.</p>
    <${Shown} asked=${asked}>${(/** @type {{rows: Path[]}} */ answer) => {
      const shown = answer.rows.map((path, i) => ({ path, number: i + 1 })).filter(({ path }) => !onlyConfirmed || isWhollyConfirmed(path));
      const among = nEdges > EDGES ? ` among the ${count(EDGES)} strongest edges` : "";
      if (!shown.length && onlyConfirmed) return html`<${Empty} title=${answer.rows.length ? `None of the ${answer.rows.length} strongest paths is confirmed` : `No path${among} is confirmed all the way`}>
        Some of their edges were not measured, or do less than half of what was predicted. <code>circuitstore observe RECIPE</code> measures more.<//>`;
      if (!shown.length) return html`<${Empty} title=${`No path${among} joins the two`}>Choose other ends.<//>`;
      return html`<ol class="paths">${shown.map((one) => html`<${Entry} ...${one} nameOf=${nameOf} isChosen=${one.number === chosen} />`)}</ol>
        ${answer.rows.length === MOST && !isExported() && html`<p class="faint small">The ${MOST} strongest. <a href=${pathsAt(circuit, from, to, onlyConfirmed, 1000)}>Ask for more</a></p>`}`;
    }}<//>
  </section>`;
}

/** Which input of a head the path enters, as its label says: `head 9:6.q @ to`. @param {string} name @param {string} [label] */
const withInput = (name, label = "") => name.replace(/(?= @|$)/, /^head \S+?(\.[qkv])(?: |$)/.exec(label)?.[1] ?? "");

/** Names of the nodes of a path; where one stands at the same place as the one before, its name does not repeat it. @param {string[]} names */
const briefly = (names) => names.map((name, i) => {
  const [what, where] = plain(name).split(" @");
  return i > 0 && where === names[i - 1]?.split(" @")[1] ? what : plain(name);
});

/** @param {{path: Path, number: number, nameOf: (uid: string) => string, isChosen: boolean}} props */
function Entry({ path, number: place, nameOf, isChosen }) {
  const weakest = path.weights.reduce((least, one) => (Math.abs(one) < Math.abs(least) ? one : least));
  const [first, ...others] = path.nodes.map((uid, i) => withInput(nameOf(uid), path.labels[i]));
  const confirmed = isWhollyConfirmed(path);
  const isMeasured = path.observed.some((value) => value !== null);
  return html`<li class=${isChosen ? "chosen" : ""}>
    <button class="path" aria-expanded=${isChosen} onClick=${() => change({ path: isChosen ? null : place })}>
      <span class="ends">${briefly([first ?? "", ...others]).join(" → ")}</span>
      <span class="faint" title=${`Product of the predicted weights: ${number(path.weight)}`}>${path.hops} ${path.hops === 1 ? "edge" : "edges"}, the weakest ${number(weakest)}</span>
      ${isMeasured && html`<span class=${`tag ${confirmed ? "yes" : "no"}`}>${confirmed ? "confirmed" : "not confirmed"}</span>`}
    </button>
    ${isChosen && html`<table class="edges"><thead><tr><th>Through</th><th class="number">predicted</th><th class="number">observed</th></tr></thead>
      <tbody><tr><td>${first}</td><td></td><td></td></tr>
      ${path.weights.map((weight, i) => html`<tr>
        <td><button class="link" onClick=${() => change({ node: path.nodes[i + 1] })}>→ ${others[i]}</button></td>
        <td class="number"><${Signed} value=${weight} /></td>
        <td class="number">${path.observed[i] === null ? html`<span class="faint">not measured</span>` : html`<${Signed} value=${path.observed[i]} />`}</td>
      </tr>`)}</tbody></table>`}
  </li>`;
}
