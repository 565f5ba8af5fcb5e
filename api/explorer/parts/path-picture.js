/** Paths as rows of nodes with arrows between them: an arrow's colour is its sign, its width its weight. */

import { html, useState } from "../html.js";
import { isConfirmed } from "../circuit/scene.js";
import { number, plain } from "../format.js";
import { style } from "../style.js";
import { addressOf, kindOf, nameOf } from "./uids.js";

style("paths");

/** @typedef {{nodes: string[], labels?: string[], weights?: (number | null)[], observed?: (number | null)[], [column: string]: any}} Path */

const STEP = 100;

/** How to read it. */
export const HOW = "Each row is a path, read from left to right. Blue arrows are above zero, orange ones below, and the wider the larger; a dashed one was not measured, or does less than half of what was predicted. A row's number is the product of its arrows: it ranks, and is no share of the metric.";

/** Whether each of the rows is a path: its nodes, and what is between them. @param {string[]} columns */
export const arePaths = (columns) => columns.includes("nodes") && (columns.includes("weights") || columns.includes("observed"));

/** @param {{paths: Path[]}} props */
export function PathPicture({ paths }) {
  const [shown, setShown] = useState(STEP);
  const largest = Math.max(1e-12, ...paths.flatMap((path) => weightsOf(path).map((weight) => Math.abs(weight ?? 0))));
  return html`<ol class="path-rows">${paths.slice(0, shown).map((path) => html`<li>
      <span class="number faint" title=${`Of the whole path: the product of what its edges were ${isOfObserved(path) ? "observed" : "predicted"} to do`}>${number(path.weight ?? path.observed_weight)}</span>
      <span class="nodes">${path.nodes.map((uid, i) => html`
        ${i > 0 && html`<${Arrow} weight=${path.weights?.[i - 1] ?? null} observed=${path.observed?.[i - 1] ?? null} shown=${weightsOf(path)[i - 1] ?? null} largest=${largest} />`}
        <${Chip} uid=${uid} label=${path.labels?.[i]} />`)}</span>
    </li>`)}</ol>
    ${paths.length > shown && html`<p><button onClick=${() => setShown(shown + STEP)}>Show more: ${shown} of ${paths.length} paths are shown</button></p>`}`;
}

/** Whether the path is told with what was observed, as against predicted. @param {Path} path */
const isOfObserved = (path) => path.weight === undefined && path.observed_weight !== undefined;

/** @param {Path} path */
const weightsOf = (path) => (isOfObserved(path) ? path.observed : path.weights) ?? path.observed ?? [];

/** @param {{uid: string, label?: string}} props */
const Chip = ({ uid, label }) => html`<a class=${`chip ${kindOf(uid)}`} href=${addressOf(uid) ?? "#"} title=${uid}>${plain(label ?? nameOf(uid))}</a>`;

/** @param {{weight: number | null, observed: number | null, shown: number | null, largest: number}} props shown: which of the two the path is told with */
function Arrow({ weight, observed, shown, largest }) {
  const width = 1 + 4 * Math.sqrt(Math.abs(shown ?? 0) / largest);
  const says = `predicted ${number(weight)}, ${observed === null ? "never observed" : `observed ${number(observed)}`}`;
  return html`<span class=${`arrow ${(shown ?? 0) < 0 ? "negative" : "positive"}${isConfirmed({ observed, weight: weight ?? 0 }) ? "" : " unconfirmed"}`} title=${says}>
    <svg width="38" height="14" aria-hidden="true"><line x1="1" x2="29" y1="7" y2="7" stroke-width=${width} /><path d="M28 2 L37 7 L28 12 Z" /></svg>
    <span class="hidden">acts on, ${says}:</span><span class="amount" aria-hidden="true">${number(shown)}</span>
  </span>`;
}
