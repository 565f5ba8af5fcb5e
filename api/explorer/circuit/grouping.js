/** Nodes of one cluster drawn as one, and edges between groups added up. */

import { isConfirmed, strength } from "./scene.js";

/** @typedef {import("./scene.js").Node} Node @typedef {import("./scene.js").Edge} Edge */

/** What a cluster has not of its nodes; where it stands it has of its strongest. */
const NOT_ITS = { feature: null, activation: null, index: null, token: null };

/**
 * @param {Node[]} nodes the strongest first @param {Edge[]} edges
 * @param {Map<string, {uid: string, name: string}>} clusters by what `keyOf` gives
 * @param {(node: Node) => string} keyOf
 * @param {Set<string>} opened clusters whose nodes are drawn
 * @returns {{nodes: Node[], edges: Edge[], drawnAs: Map<string, string>}} the strongest first; drawnAs: uids of clusters by those of their nodes
 */
export function clustered(nodes, edges, clusters, keyOf, opened) {
  /** @type {Map<string, Node>} */
  const groups = new Map();
  /** @type {Map<string, string>} */
  const drawnAs = new Map();
  /** @type {Node[]} */
  const kept = [];
  for (const node of nodes) {
    const cluster = clusters.get(keyOf(node));
    if (!cluster || opened.has(cluster.uid)) {
      kept.push(node);
      continue;
    }
    drawnAs.set(node.uid, cluster.uid);
    const group = groups.get(cluster.uid);
    if (group) add(group, node);
    else groups.set(cluster.uid, { ...node, ...NOT_ITS, uid: cluster.uid, kind: "cluster", label: cluster.name, members: [node] });
  }
  const drawn = [...groups.values(), ...kept].sort((a, b) => strength(b) - strength(a));
  return { nodes: drawn, edges: joined(edges, drawnAs), drawnAs };
}

/** @param {Node} group @param {Node} node */
function add(group, node) {
  group.members?.push(node);
  for (const of of /** @type {const} */ (["effect", "observed_effect", "influence"])) {
    const value = node[of];
    if (value !== null) group[of] = (group[of] ?? 0) + value;
  }
}

/** @param {Edge[]} edges @param {Map<string, string>} drawnAs */
function joined(edges, drawnAs) {
  /** @type {Map<string, Edge & {all: number, confirmed: number}>} */
  const sums = new Map();
  for (const edge of edges) {
    const [source, target] = [drawnAs.get(edge.source) ?? edge.source, drawnAs.get(edge.target) ?? edge.target];
    if (source === target) continue;
    const key = `${source} ${target}`;
    const sum = sums.get(key);
    const size = Math.abs(edge.weight);
    const confirmed = isConfirmed(edge) ? size : 0;
    if (!sum) sums.set(key, { ...edge, source, target, all: size, confirmed });
    else {
      sum.all += size;
      sum.confirmed += confirmed;
      sum.confirmedShare = sum.confirmed / (sum.all || 1);
      sum.weight += edge.weight;
      sum.ambiguous ||= edge.ambiguous;
      sum.observed = sum.observed === null || edge.observed === null ? null : sum.observed + edge.observed;
    }
  }
  return [...sums.values()].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
}
