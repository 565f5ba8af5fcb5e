/** What clusters do to each other, as a drawing: circles as large as clusters, arrows as wide as they act. */

import { html, useMemo, useState } from "../html.js";
import { count, number } from "../format.js";
import { Figure } from "../parts/figure.js";
import { fitted, widthOf } from "../parts/words.js";
import { circleOf, thickness } from "./circle.js";
import { at } from "../server.js";

/** @typedef {import("./circle.js").Arrow} Arrow @typedef {import("./circle.js").Spot} Spot */

const [LABELS, LINE, ABOVE, BELOW] = [230, 15, 64, 78];

/** @param {{clusters: {uid: string, name: string, size: number, layer: number}[], rows: any[], query: string, name: string}} props `rows` of cluster_graph */
export function ClusterGraph({ clusters, rows, query, name }) {
  const circle = useMemo(() => circleOf(clusters, rows), [clusters, rows]);
  const [told, tell] = useState(/** @type {Arrow | Spot | null} */ (null));
  const about = {
    title: "What the clusters do to each other", name, query, csv: { columns: ["source", "source_name", "target", "target_name", "n_edges", "weight", "abs_weight"], rows },
    how: "Weights of all edges between the features of two clusters, summed up; mean over all circuits. Rings: what a cluster does to itself. Early layers are on top, later ones follow clockwise; pale where signs cancel.",
    below: html`<p class="told" aria-live="polite">${told ? html`<${Told} told=${told} />` : html`<span class="faint">Point at an arrow or a cluster, or tab to it, for its figures.${circle.hidden > 0 && ` ${count(circle.hidden)} weaker arrows are not drawn.`}</span>`}</p>`,
  };
  return html`<${Figure} about=${about}>${(/** @type {number} */ width) => html`<${Drawn} circle=${circle} rows=${rows} width=${width} told=${told} tell=${tell} />`}<//>`;
}

/** @param {{circle: import("./circle.js").Circle, rows: any[], width: number, told: Arrow | Spot | null, tell: (told: Arrow | Spot | null) => void}} props */
function Drawn({ circle: { spots, arrows, radius }, rows, width, told, tell }) {
  const full = Math.max(width, 2 * radius + 240);
  const [top, bottom] = [Math.min(...spots.map((spot) => spot.y)) - ABOVE, Math.max(...spots.map((spot) => spot.y)) + BELOW];
  const heaviest = Math.max(...rows.map((row) => row.abs_weight), 1e-12);
  /** @param {Arrow | Spot} one */
  const pointed = (one) => ({ onMouseEnter: () => tell(one), onFocus: () => tell(one), onMouseLeave: () => tell(null), onBlur: () => tell(null) });
  /** @param {Arrow} arrow */
  const isDimmed = (arrow) => told && told !== arrow && arrow.source !== told && arrow.target !== told;
  return html`<svg class="circle" width=${full} height=${bottom - top} role="group" aria-label="Clusters, and what they do to each other"><g transform=${`translate(${full / 2} ${-top})`}>
    ${arrows.map((arrow) => html`<g class=${`arrow ${look(arrow.row)} ${isDimmed(arrow) ? "dimmed" : ""}`} tabindex="0" role="img" aria-label=${sentence(arrow.row)} ...${pointed(arrow)}>
      <path class="reach" d=${arrow.path} /><path d=${arrow.path} stroke-width=${arrow.width.toFixed(2)} stroke-opacity=${clarity(arrow.row)} /><polygon points=${arrow.head} fill-opacity=${clarity(arrow.row)} />
    </g>`)}
    ${spots.map((spot) => html`<a class="spot" href=${at("clusters", spot.uid)} aria-label=${`${spot.name}, ${spot.size} features${spot.within ? `; ${sentence(spot.within)}` : ""}`} ...${pointed(spot)}>
      ${spot.within && html`<circle class=${`within ${look(spot.within)}`} cx=${spot.x} cy=${spot.y} r=${spot.radius} stroke-width=${thickness(spot.within.abs_weight, heaviest).toFixed(2)} stroke-opacity=${clarity(spot.within)} />`}
      <circle class="body" cx=${spot.x} cy=${spot.y} r=${spot.radius} />
      <${Label} spot=${spot} radius=${radius} half=${full / 2} />
    </a>`)}
  </g></svg>`;
}

/** @param {{spot: Spot, radius: number, half: number}} props `half` of the drawing's width */
function Label({ spot, radius, half }) {
  const far = radius + spot.radius + 14;
  const [x, y] = [far * Math.cos(spot.angle), far * Math.sin(spot.angle)];
  const side = Math.cos(spot.angle);
  const anchor = Math.abs(side) < 0.2 ? "middle" : side > 0 ? "start" : "end";
  const lines = inLines(spot.name, anchor === "middle" ? LABELS : Math.min(LABELS, half - Math.abs(x) - 4));
  const first = y + (anchor === "middle" ? (y < 0 ? -LINE * lines.length : 14) : 2 - (LINE * (lines.length - 1)) / 2);
  return html`${lines.map((line, i) => html`<text class="row-name" x=${x} y=${first + i * LINE} text-anchor=${anchor}>${line}</text>`)}
    <text class="tick" x=${x} y=${first + lines.length * LINE} text-anchor=${anchor}>${count(spot.size)} features</text>`;
}

/** In two lines where one has no room for it. @param {string} name @param {number} room */
function inLines(name, room) {
  if (widthOf(name, 13) <= room) return [name];
  const words = name.split(" ");
  let n = 1;
  while (n < words.length - 1 && widthOf(words.slice(0, n + 1).join(" "), 13) <= room) n++;
  return [words.slice(0, n).join(" "), words.slice(n).join(" ")].filter(Boolean).map((line) => fitted(line, room, 13));
}

/** @param {{told: Arrow | Spot}} props */
function Told({ told }) {
  if ("row" in told) return html`${sentence(told.row)}.`;
  return html`<strong>${told.name}</strong>: ${count(told.size)} features, in layer ${number(told.layer)} on average${told.within ? `; ${sentence(told.within)}` : ""}.`;
}

/** @param {any} row */
function sentence(row) {
  const said = `${count(row.n_edges)} ${row.n_edges === 1 ? "edge" : "edges"} of weight ${number(row.weight)} in all, ${number(row.abs_weight)} whatever the sign`;
  return row.source === row.target ? `on itself, ${said}` : `“${row.source_name}” on “${row.target_name}”: ${said}`;
}

/** @param {any} row */
const look = (row) => (row.weight < 0 ? "negative" : "positive");

/** Pale where signs cancel. @param {any} row */
const clarity = (row) => (0.25 + 0.6 * Math.abs(row.weight / (row.abs_weight || 1))).toFixed(2);
