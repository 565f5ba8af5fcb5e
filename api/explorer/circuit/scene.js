/**
 * What of a circuit is drawn, and where: layers upwards, positions of the prompt from left to right.
 *
 * Nodes of one layer and position share a cell; a column is as wide as its fullest cell. Knows nothing of canvases.
 */

import { grouped } from "../parts/groups.js";

/**
 * @typedef {{uid: string, kind: string, layer: number, index: number | null, position: number | null, token: string | null,
 *   label: string | null, effect: number | null, observed_effect: number | null, activation: number | null,
 *   influence: number | null, probability?: number | null, feature: string | null, members?: Node[]}} Node
 * @typedef {{source: string, target: string, weight: number, observed: number | null, ambiguous?: boolean | null, confirmedShare?: number}} Edge
 * @typedef {{node: Node, x: number, y: number, r: number}} Spot
 * @typedef {{edge: Edge, from: Spot, to: Spot, weight: number, isDashed: boolean}} Link
 * @typedef {{spots: Spot[], links: Link[], byUid: Map<string, Spot>, rows: {layer: number, name: string, y: number}[],
 *   columns: {position: number, name: string, x: number, width: number}[], width: number, height: number,
 *   apart: {x: number, y: number}}} Scene apart: how far at least nodes beside and above each other are
 */

const STEP_X = 34;
const STEP_Y = 30;
const GAP_X = 26;
const GAP_Y = 58;
const WIDEST_CELL = 8;
const WITH_ALL_TOKENS = 40; // of a longer prompt only the tokens that have nodes are given room
const EMPTY = 30;
const [LETTER, LETTERS] = [7, 10]; // room for a token's text
const SMALLEST = 4.5;
export const LARGEST = 15;
const MOST_OUTPUTS = 16; // in one line
const ON_TOP = new Set(["logit", "metric"]);

/** What nodes are drawn in the size of. @param {Node} node */
export const strength = (node) => Math.abs(node.effect ?? node.influence ?? 0);

/**
 * @param {Node[]} nodes @param {Edge[]} edges those among the nodes
 * @param {{tokens?: string[] | null, isObserved?: boolean, wasObserved?: boolean}} [how]
 *   tokens: of the prompt. isObserved: edges weigh what was observed. wasObserved: any edge of the circuit was.
 * @returns {Scene}
 */
export function sceneOf(nodes, edges, { tokens = null, isObserved = false, wasObserved = false } = {}) {
  const cells = cellsOf(nodes);
  const columns = columnsOf(cells, tokens, nodes);
  const layers = [...new Set(nodes.map(rowOf))].sort((a, b) => a - b);
  const largest = Math.max(...nodes.map(strength), 1e-12);
  const likeliest = Math.max(...nodes.map((node) => node.probability ?? 0));
  /** @type {Spot[]} */
  const spots = [];
  const rows = [];
  let y = 0;
  const apart = { x: Infinity, y: GAP_Y };
  for (const layer of layers) {
    const inRow = columns.map((column) => {
      const cell = cells.get(`${layer} ${column.position}`) ?? [];
      return { column, cell, perLine: layer === Infinity ? Math.max(column.capacity, Math.min(MOST_OUTPUTS, cell.length)) : column.capacity };
    });
    const lines = Math.max(...inRow.map(({ cell, perLine }) => Math.ceil(cell.length / perLine)));
    for (const { column, cell, perLine } of inRow) {
      const step = Math.min(STEP_X, column.width / perLine);
      if (cell.length > 1) apart.x = Math.min(apart.x, step);
      if (cell.length > perLine) apart.y = STEP_Y;
      cell.forEach((node, i) => {
        const line = Math.floor(i / perLine);
        const inLine = Math.min(perLine, cell.length - line * perLine);
        const x = column.x + ((i % perLine) - (inLine - 1) / 2) * step;
        const share = node.probability ? node.probability / likeliest : strength(node) / largest;
        spots.push({ node, x, y: y - line * STEP_Y, r: SMALLEST + (LARGEST - SMALLEST) * Math.sqrt(share) * (node.probability ? 0.6 : 1) });
      });
    }
    rows.push({ layer, name: nameOfRow(layer, nodes), y: y - ((lines - 1) * STEP_Y) / 2 });
    y -= (lines - 1) * STEP_Y + GAP_Y;
  }
  const byUid = new Map(spots.map((spot) => [spot.node.uid, spot]));
  const links = linksOf(edges, byUid, isObserved, wasObserved);
  const last = columns[columns.length - 1];
  return { spots, links, byUid, rows, columns, width: last ? last.x + last.width / 2 : 0, height: -y, apart };
}

/**
 * The same, wider or higher, to fill a room; nodes grow by a factor of their own.
 * @param {Scene} scene @param {{wider: number, higher: number, larger: number}} by
 * @returns {Scene}
 */
export function spread(scene, { wider, higher, larger }) {
  const byUid = new Map(scene.spots.map((spot) => [spot.node.uid, { ...spot, x: spot.x * wider, y: spot.y * higher, r: spot.r * larger }]));
  const moved = (/** @type {Spot} */ spot) => byUid.get(spot.node.uid) ?? spot;
  return {
    spots: [...byUid.values()],
    byUid,
    links: scene.links.map((link) => ({ ...link, from: moved(link.from), to: moved(link.to) })),
    rows: scene.rows.map((row) => ({ ...row, y: row.y * higher })),
    columns: scene.columns.map((column) => ({ ...column, x: column.x * wider, width: column.width * wider })),
    width: scene.width * wider,
    height: scene.height * higher,
    apart: { x: scene.apart.x * wider, y: scene.apart.y * higher },
  };
}

/** How much of what was predicted an edge must be observed to do: as in the queries on evidence. */
const LEAST_RATIO = 0.5;

/**
 * Whether an edge may be believed: observed to do at least half of what was predicted. Of many edges drawn as one,
 * whether most of their weight may be.
 * @param {{observed: number | null, weight: number, confirmedShare?: number}} edge
 */
export const isConfirmed = ({ observed, weight, confirmedShare }) =>
  (confirmedShare !== undefined ? confirmedShare >= 0.5 : observed !== null && observed * weight > 0 && Math.abs(observed) >= LEAST_RATIO * Math.abs(weight));

/** @param {Edge[]} edges @param {Map<string, Spot>} byUid @param {boolean} isObserved @param {boolean} wasObserved */
function linksOf(edges, byUid, isObserved, wasObserved) {
  /** @type {Link[]} */
  const links = [];
  for (const edge of edges) {
    const [from, to] = [byUid.get(edge.source), byUid.get(edge.target)];
    const weight = isObserved ? edge.observed : edge.weight;
    if (from && to && weight !== null) links.push({ edge, from, to, weight, isDashed: wasObserved && !isConfirmed(edge) });
  }
  return links.sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight)); // the strongest are drawn last, on top
}

/** Tokens stand below all layers, what the model says above them. @param {Node} node */
const rowOf = (node) => (ON_TOP.has(node.kind) ? Infinity : node.kind === "token" ? -1 : node.layer);

/** @param {number} layer @param {Node[]} nodes */
function nameOfRow(layer, nodes) {
  if (layer === Infinity) return nodes.some((node) => node.kind === "logit") ? "logits" : "metric";
  return layer < 0 ? "tokens" : `layer ${layer}`;
}

/** By row and position, the strongest first. @param {Node[]} nodes @returns {Map<string, Node[]>} */
function cellsOf(nodes) {
  const last = Math.max(...nodes.map((node) => node.position ?? -1));
  const ranked = [...nodes].sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0) || strength(b) - strength(a));
  return grouped(ranked, (node) => `${rowOf(node)} ${node.position ?? last}`); // the metric stands where it is read off
}

/** @param {Map<string, Node[]>} cells @param {string[] | null} tokens @param {Node[]} nodes */
function columnsOf(cells, tokens, nodes) {
  /** @type {Map<number, number>} */
  const fullestAt = new Map();
  for (const [key, cell] of cells) {
    const position = Number(key.split(" ")[1]);
    fullestAt.set(position, Math.max(cell.length, fullestAt.get(position) ?? 0));
  }
  const isShort = tokens !== null && tokens.length <= WITH_ALL_TOKENS;
  const positions = [...new Set([...fullestAt.keys(), ...(isShort ? tokens.keys() : [])])].sort((a, b) => a - b);
  const names = new Map(nodes.filter((node) => node.token).map((node) => [node.position, node.token ?? ""]));
  let x = 0;
  return positions.map((position) => {
    const fullest = fullestAt.get(position) ?? 0;
    const capacity = fullestAt.size === 1 ? Math.max(WIDEST_CELL, Math.ceil(Math.sqrt(3 * fullest))) : Math.min(Math.max(1, fullest), WIDEST_CELL);
    const name = tokens?.[position] ?? names.get(position) ?? (position < 0 ? "" : String(position));
    const width = Math.max(fullest ? capacity * STEP_X + GAP_X : EMPTY, LETTER * (Math.min(LETTERS, name.length) + 1));
    const column = { position, name, x: x + width / 2, width, capacity };
    x += width;
    return column;
  });
}
