/** Edges as a small picture in layers, the later ones higher up: colour is sign, width weight, and nodes lead on. */

import { html } from "../html.js";
import { count, nodeName, number } from "../format.js";
import { Figure } from "./figure.js";
import { layersOf, ordered } from "./layers.js";
import { addressOf, nameOf, nodeOf } from "./uids.js";
import { fitted, widthOf } from "./words.js";

/** @typedef {{source: string, target: string, weight: number | null}} Edge */

const [DRAWN, ROW, CHIP, WIDEST] = [80, 74, 24, 190];
const WEIGHTS = ["weight", "mean_weight", "direct", "score"];

/** The edges that rows tell of, strongest first, and what their ends are called; null where rows are no edges. @param {string[]} columns @param {any[]} rows */
export function edgesOf(columns, rows) {
  const [from, to] = columns.includes("dominator") ? ["dominator", "node"] : ["source", "target"];
  if (!from || !to || !columns.includes(from) || !columns.includes(to) || Array.isArray(rows[0]?.[from])) return null;
  const by = WEIGHTS.find((name) => columns.includes(name));
  const known = rows.filter((row) => row[from] && row[to] && row[from] !== row[to]);
  const edges = known.map((row) => ({ source: row[from], target: row[to], weight: by ? row[by] : null }));
  const names = new Map(known.flatMap((row) => [[row[from], named(row, from)], [row[to], named(row, to)]]));
  return { edges: edges.sort((a, b) => Math.abs(b.weight ?? 0) - Math.abs(a.weight ?? 0)), names, by: by ?? "" };
}

/** What the row calls one of its ends. @param {any} row @param {string} end @returns {string} */
function named(row, end) {
  const node = nodeOf(row[end]);
  const token = row[`${end}_token`];
  return row[`${end}_name`] ?? (node && token ? nodeName({ ...node, token }) : nameOf(row[end]));
}

/** @param {{about: import("./figure.js").About, edges: Edge[], names: Map<string, string>}} props */
export function EdgePicture({ about, edges, names }) {
  const drawn = edges.slice(0, DRAWN);
  const said = edges.length > DRAWN ? ` The strongest ${DRAWN} of ${count(edges.length)} edges are drawn.` : "";
  return html`<${Figure} about=${{ ...about, how: `${about.how}${said}` }}>
    ${(/** @type {number} */ width) => html`<${Drawn} width=${width} edges=${drawn} names=${names} title=${about.title} />`}
  <//>`;
}

/** @param {{width: number, edges: Edge[], names: Map<string, string>, title: string}} props */
function Drawn({ width, edges, names, title }) {
  const layers = ordered(layersOf(edges), edges);
  const height = layers.length * ROW;
  const places = placed(layers, width, names);
  const largest = Math.max(1e-12, ...edges.map((edge) => Math.abs(edge.weight ?? 0)));
  return html`<svg width=${width} height=${height} role="group" aria-label=${title}>
    ${[...edges].reverse().map((edge) => html`<${Link} edge=${edge} places=${places} largest=${largest} names=${names} />`)}
    ${[...places].map(([uid, { x, y, room }]) => {
      const text = fitted(names.get(uid) ?? uid, room - 16);
      const wide = Math.max(18, widthOf(text) + 16);
      return html`<a href=${addressOf(uid) ?? undefined} class=${`box ${nodeOf(uid)?.kind ?? ""}`} aria-label=${names.get(uid)}>
        <title>${names.get(uid)} (${uid})</title>
        <rect x=${x - wide / 2} y=${y - CHIP / 2} width=${wide} height=${CHIP} rx="5" /><text x=${x} y=${y + 4} text-anchor="middle">${text}</text>
      </a>`;
    })}
  </svg>`;
}

/** @param {{edge: Edge, places: Map<string, {x: number, y: number}>, largest: number, names: Map<string, string>}} props */
function Link({ edge, places, largest, names }) {
  const [a, b] = [places.get(edge.source), places.get(edge.target)];
  if (!a || !b) return null;
  const bend = a.y === b.y ? -ROW / 2.4 : (b.y - a.y) / 2;
  const d = a.y === b.y ? `M${a.x} ${a.y - 12}C${a.x} ${a.y + bend} ${b.x} ${b.y + bend} ${b.x} ${b.y - 12}` : `M${a.x} ${a.y - 12}C${a.x} ${a.y + bend} ${b.x} ${b.y - bend} ${b.x} ${b.y + 12}`;
  return html`<path class=${`edge ${(edge.weight ?? 0) < 0 ? "under" : "over"}`} d=${d} stroke-width=${1 + 5 * Math.sqrt(Math.abs(edge.weight ?? 0) / largest)}>
    <title>${names.get(edge.source)} → ${names.get(edge.target)}: ${number(edge.weight)}</title>
  </path>`;
}

/** The middle of each node, and how much room it has. @param {string[][]} layers bottom first @param {number} width @param {Map<string, string>} names */
function placed(layers, width, names) {
  const places = new Map();
  layers.forEach((layer, i) => {
    const wanted = layer.map((uid) => Math.min(WIDEST, widthOf(names.get(uid) ?? uid) + 32));
    const squeeze = Math.min(1, width / wanted.reduce((sum, one) => sum + one, 0));
    const gap = (width - wanted.reduce((sum, one) => sum + one * squeeze, 0)) / layer.length;
    let x = gap / 2;
    layer.forEach((uid, j) => {
      const room = (wanted[j] ?? 0) * squeeze;
      places.set(uid, { x: x + room / 2, y: (layers.length - i - 0.5) * ROW, room: room - 4 });
      x += room + gap;
    });
  });
  return places;
}
