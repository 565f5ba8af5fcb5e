/** What two circuits are made of, part by part: what both have, and what one has alone. Knows nothing of the page. */

import { featurePlace } from "../format.js";

/** @typedef {import("../server.js").Row} Row */
/** @typedef {{effect: number | null, weight: number, node: string}} Side of a part, in one circuit */
/** @typedef {"both" | "left" | "right"} Where */
/** @typedef {{key: string, kind: string, layer: number, index: number, name: string, label: string, feature: string | null, left: Side | null, right: Side | null, where: Where}} Part */
/** @typedef {{source: string, target: string, left: number | null, right: number | null, where: Where}} Link */
/** @typedef {{parts: Part[], links: Link[], measure: "effect" | "weight"}} Compared */

const KINDS = ["feature", "head", "mlp"];

/**
 * A part is a feature, a head or an MLP, at whatever positions: its effect is the sum over them, and so is an edge's weight.
 * Where one of the circuits has no effects (another tool made it), the measure is the weight of all edges that leave a part.
 * @param {{nodes: {rows: Row[]}, edges: {rows: Row[]}}} left @param {{nodes: {rows: Row[]}, edges: {rows: Row[]}}} right as of `/circuits/UID/graph`
 * @returns {Compared}
 */
export function compared(left, right) {
  const [ofLeft, ofRight] = [sidesOf(left), sidesOf(right)];
  const parts = [...new Set([...ofLeft.keys(), ...ofRight.keys()])].map((key) => {
    const [a, b] = [ofLeft.get(key), ofRight.get(key)];
    const node = /** @type {Row} */ (a?.node ?? b?.node);
    return {
      key, kind: node.kind, layer: node.layer, index: node.index ?? 0, feature: node.feature, label: node.label ?? "", name: nameOf(node),
      left: a?.side ?? null, right: b?.side ?? null, where: where(a, b),
    };
  });
  const [linksLeft, linksRight] = [linksOf(left), linksOf(right)];
  const links = [...new Set([...linksLeft.keys(), ...linksRight.keys()])].map((key) => {
    const [source = "", target = ""] = key.split(" ");
    const [a, b] = [linksLeft.get(key), linksRight.get(key)];
    return { source, target, left: a ?? null, right: b ?? null, where: where(a, b) };
  });
  return { parts, links, measure: [left, right].every(({ nodes }) => nodes.rows.some((node) => node.effect)) ? "effect" : "weight" };
}

/** What a side of a part amounts to. @param {Side | null} side @param {"effect" | "weight"} measure */
export const valueOf = (side, measure) => side?.[measure] ?? null;

/** Of either side, the larger. @param {Part} part @param {"effect" | "weight"} measure */
export const sizeOf = (part, measure) => Math.max(Math.abs(valueOf(part.left, measure) ?? 0), Math.abs(valueOf(part.right, measure) ?? 0));

/** How many there are of each, and what share of all is shared. @param {{where: Where}[]} all */
export function sums(all) {
  /** @param {Where} wanted */
  const of = (wanted) => all.filter((one) => one.where === wanted).length;
  return { both: of("both"), left: of("left"), right: of("right"), jaccard: all.length ? of("both") / all.length : null };
}

/** @param {any} left @param {any} right @returns {Where} */
const where = (left, right) => (left === undefined ? "right" : right === undefined ? "left" : "both");

/** @param {Row} node */
const keyOf = (node) => node.feature ?? `${node.kind}:${node.layer}:${node.index ?? ""}`;

/** @param {Row} node */
const nameOf = (node) => (node.feature ? featurePlace(node.feature) : node.kind === "mlp" ? `MLP ${node.layer}` : `${node.kind} ${node.layer}:${node.index}`);

/** @param {{nodes: {rows: Row[]}, edges: {rows: Row[]}}} graph */
function sidesOf({ nodes, edges }) {
  /** @type {Map<string, number>} */
  const leaving = new Map();
  for (const edge of edges.rows) leaving.set(edge.source, (leaving.get(edge.source) ?? 0) + Math.abs(edge.weight));
  /** @type {Map<string, {node: Row, side: Side}>} */
  const sides = new Map();
  for (const node of nodes.rows.filter(({ kind }) => KINDS.includes(kind))) {
    const found = sides.get(keyOf(node)) ?? { node, side: { effect: null, weight: 0, node: node.uid } };
    if (node.effect !== null) found.side.effect = (found.side.effect ?? 0) + node.effect;
    found.side.weight += leaving.get(node.uid) ?? 0;
    sides.set(keyOf(node), found);
  }
  return sides;
}

/** Edges between parts. @param {{nodes: {rows: Row[]}, edges: {rows: Row[]}}} graph */
function linksOf({ nodes, edges }) {
  const keys = new Map(nodes.rows.filter(({ kind }) => KINDS.includes(kind)).map((node) => [node.uid, keyOf(node)]));
  /** @type {Map<string, number>} */
  const links = new Map();
  for (const { source, target, weight } of edges.rows) {
    const [from, to] = [keys.get(source), keys.get(target)];
    if (from && to) links.set(`${from} ${to}`, (links.get(`${from} ${to}`) ?? 0) + weight);
  }
  return links;
}
