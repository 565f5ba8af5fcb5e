/** Edges as a small picture: in the model's layers, the later ones higher up, else on a circle. Colour is sign, width weight. */

import { html } from "../html.js";
import { count, nodeName, number, plain } from "../format.js";
import { Figure } from "./figure.js";
import { layersOf, ordered } from "./layers.js";
import { addressOf, kindOf, nameOf, nodeOf } from "./uids.js";
import { fitted, widthOf } from "./words.js";

/** @typedef {{source: string, target: string, weight: number | null}} Edge */

/** @typedef {Map<string, {x: number, y: number, room: number}>} Places the middle of each node, and how wide it may be */

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
  return { edges: edges.sort((a, b) => Math.abs(b.weight ?? 0) - Math.abs(a.weight ?? 0)), names, by: by ?? "", isLayered: layersOf(edges) !== null };
}

/** What the row calls one of its ends. @param {any} row @param {string} end @returns {string} */
function named(row, end) {
  const node = nodeOf(row[end]);
  const token = row[`${end}_token`];
  const name = row[`${end}_name`] ?? (node && token ? nodeName({ ...node, token }) : nameOf(row[end]));
  return plain(name); // its colour says so
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
  const layers = layersOf(edges);
  const { places, height } = layers ? inLayers(ordered(layers, edges), width, names) : onCircle([...new Set(edges.flatMap((edge) => [edge.source, edge.target]))], width);
  const largest = Math.max(1e-12, ...edges.map((edge) => Math.abs(edge.weight ?? 0)));
  return html`<svg width=${width} height=${height} role="group" aria-label=${title}>
    ${[...edges].reverse().map((edge) => html`<${Link} edge=${edge} places=${places} largest=${largest} names=${names} isLayered=${layers !== null} />`)}
    ${[...places].map(([uid, { x, y, room }]) => {
      const text = fitted(names.get(uid) ?? uid, room - 16);
      const wide = Math.max(18, widthOf(text) + 16);
      return html`<a href=${addressOf(uid) ?? undefined} class=${`box ${kindOf(uid)}`} aria-label=${names.get(uid)}>
        <title>${names.get(uid)} (${uid})</title>
        <rect x=${x - wide / 2} y=${y - CHIP / 2} width=${wide} height=${CHIP} rx="5" /><text x=${x} y=${y + 4} text-anchor="middle">${text}</text>
      </a>`;
    })}
  </svg>`;
}

/** @param {{edge: Edge, places: Places, largest: number, names: Map<string, string>, isLayered: boolean}} props */
function Link({ edge, places, largest, names, isLayered }) {
  const [a, b] = [places.get(edge.source), places.get(edge.target)];
  if (!a || !b) return null;
  const width = 1 + 5 * Math.sqrt(Math.abs(edge.weight ?? 0) / largest);
  return html`<g class=${`edge ${(edge.weight ?? 0) < 0 ? "under" : "over"}`}>
    <title>${names.get(edge.source)} → ${names.get(edge.target)}: ${number(edge.weight)}</title>
    <path d=${isLayered ? upwards(a, b) : bent(a, b)} stroke-width=${width} />${!isLayered && html`<polygon points=${halfway(a, b, 4 + width)} />`}
  </g>`;
}

/** @typedef {{x: number, y: number}} Place */

/** @param {Place} a @param {Place} b */
function upwards(a, b) {
  const bend = a.y === b.y ? -ROW / 2.4 : (b.y - a.y) / 2;
  return a.y === b.y ? `M${a.x} ${a.y - 12}C${a.x} ${a.y + bend} ${b.x} ${b.y + bend} ${b.x} ${b.y - 12}` : `M${a.x} ${a.y - 12}C${a.x} ${a.y + bend} ${b.x} ${b.y - bend} ${b.x} ${b.y + 12}`;
}

/** To the right of its way, so that there and back are told apart. @param {Place} a @param {Place} b */
const bent = (a, b) => `M${a.x} ${a.y}Q${(a.x + b.x) / 2 - (b.y - a.y) / 5} ${(a.y + b.y) / 2 + (b.x - a.x) / 5} ${b.x} ${b.y}`;

/** The head of an arrow in the middle of a bent edge. @param {Place} a @param {Place} b @param {number} size */
function halfway(a, b, size) {
  const [x, y] = [(a.x + b.x) / 2 - (b.y - a.y) / 10, (a.y + b.y) / 2 + (b.x - a.x) / 10];
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [u, v] = [((b.x - a.x) / length) * size, ((b.y - a.y) / length) * size];
  return `${x + u},${y + v} ${x - u - v},${y - v + u} ${x - u + v},${y - v - u}`;
}

/** @param {string[][]} layers bottom first @param {number} width @param {Map<string, string>} names @returns {{places: Places, height: number}} */
function inLayers(layers, width, names) {
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
  return { places, height: layers.length * ROW };
}

/** @param {string[]} uids @param {number} width @returns {{places: Places, height: number}} */
function onCircle(uids, width) {
  const height = Math.min(640, 200 + 22 * uids.length);
  const [across, up] = [Math.min(width / 2 - WIDEST / 2, height), height / 2 - CHIP];
  const places = new Map(uids.map((uid, i) => {
    const turn = (2 * Math.PI * i) / uids.length - Math.PI / 2;
    return [uid, { x: width / 2 + across * Math.cos(turn), y: height / 2 + up * Math.sin(turn), room: WIDEST }];
  }));
  return { places, height };
}
