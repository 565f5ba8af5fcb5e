/** Which layer each node of a small graph is drawn in, and in which order, so that edges lead upwards and cross little. */

import { nodeOf } from "./uids.js";

/** @typedef {{source: string, target: string, weight: number | null}} Edge */

const SWEEPS = 6;
/** Tokens stand below the first layer, and what is read off the last one above it. */
const ABOVE = { logit: 0.5, metric: 0.75 };

/** Uids layer by layer of the model, the first ones first; null where uids do not tell the layer. @param {Edge[]} edges @returns {string[][] | null} */
export function layersOf(edges) {
  const uids = [...new Set(edges.flatMap((edge) => [edge.source, edge.target]))];
  const depths = new Map(uids.map((uid) => [uid, depthOf(uid)]));
  const levels = [...new Set(depths.values())].sort((a, b) => (a ?? 0) - (b ?? 0));
  return levels.includes(null) ? null : levels.map((level) => uids.filter((uid) => depths.get(uid) === level));
}

/** The layer of the model that a circuit node or a feature is in. @param {string} uid @returns {number | null} */
function depthOf(uid) {
  const node = nodeOf(uid);
  if (node) return node.layer + (ABOVE[/** @type {"logit" | "metric"} */ (node.kind)] ?? (node.kind === "mlp" ? 0.25 : 0));
  const layer = /blocks\.(\d+)\./.exec(uid)?.[1];
  return layer === undefined ? null : Number(layer);
}

/** Each layer in the order of the means of what its nodes are joined to, up and down in turn. @param {string[][]} layers @param {Edge[]} edges */
export function ordered(layers, edges) {
  const at = new Map(layers.flatMap((layer) => layer.map((uid, i) => [uid, (i + 0.5) / layer.length])));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const means = new Map(layer.map((uid) => [uid, meanOf(uid, edges, at)]));
      layer.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0));
      layer.forEach((uid, i) => at.set(uid, (i + 0.5) / layer.length));
    }
  }
  return layers;
}

/** @param {string} uid @param {Edge[]} edges @param {Map<string, number>} at */
function meanOf(uid, edges, at) {
  const others = edges.filter((edge) => edge.source === uid || edge.target === uid).map((edge) => at.get(edge.source === uid ? edge.target : edge.source) ?? 0);
  return others.length ? others.reduce((sum, one) => sum + one, 0) / others.length : at.get(uid) ?? 0;
}
