/** Members of clusters: features, or nodes of a circuit where people grouped those. */

import { featurePlace, nodeName } from "../format.js";
import { grouped } from "../parts/groups.js";
import { mean } from "../parts/mean.js";
import { at, href, useAnswer } from "../server.js";

/**
 * @typedef {{uid: string, name: string, address: string, label: string | null, layer: number, silhouette: number | null, tokens: string[]}} Member
 * @typedef {{uid: string, name: string, size: number, layer: number, silhouette: number | null, members: Member[]}} Cluster
 */

/** The query that tells them. @param {any} clustering a row of /clusterings @param {string} [cluster] only this one */
export const membersPath = (clustering, cluster) => (isOfNodes(clustering)
  ? href("/queries/supernodes", { circuit: parentOf(clustering.uid), limit: 10000 })
  : href("/queries/cluster_members", { clustering: clustering.uid, cluster, limit: 10000 }));

/** Imported groups of a circuit's own nodes: a circuit's uid stands before their own. @param {any} clustering */
export const isOfNodes = (clustering) => clustering.basis === "circuit nodes";

/** The uid before its last part. @param {string} uid */
export const parentOf = (uid) => uid.replace(/:[^:]*$/, "");

/** @param {any} clustering @param {string} [cluster] */
export function useClusters(clustering, cluster) {
  const asked = useAnswer(membersPath(clustering, cluster));
  /** Groups of nodes are told for all groupings of their circuit at once. @param {any} row */
  const isAsked = (row) => (isOfNodes(clustering) ? parentOf(row.cluster) === clustering.uid : true) && (!cluster || row.cluster === cluster);
  return { asked, clusters: asked.answer ? clustersOf(asked.answer.rows.filter(isAsked), clustering) : [] };
}

/** @param {any[]} rows @param {any} clustering @returns {Cluster[]} */
const clustersOf = (rows, clustering) => [...grouped(rows, (row) => row.cluster)].map(([uid, own]) => ({
  uid, name: own[0].name, size: own[0].size, layer: mean(own.map((row) => row.layer)) ?? 0,
  silhouette: mean(own.map((row) => row.silhouette).filter((one) => one !== null && one !== undefined)),
  members: own.map((row) => (isOfNodes(clustering)
    ? { uid: row.node, name: nodeName(row), address: href(at("circuits", parentOf(clustering.uid)), { node: row.node }), label: row.label, layer: row.layer, silhouette: null, tokens: [] }
    : { uid: row.feature, name: featurePlace(row.feature), address: at("features", row.feature), label: row.label, layer: row.layer, silhouette: row.silhouette, tokens: row.top_tokens ?? [] })),
}));

/** Tokens that members promote, those that most of them promote most strongly first: Σ 1 / rank. @param {Member[]} members */
export function promotedBy(members) {
  /** @type {Map<string, number>} */
  const weight = new Map();
  for (const { tokens } of members) tokens.forEach((token, i) => weight.set(token, (weight.get(token) ?? 0) + 1 / (i + 1)));
  return [...weight].sort((a, b) => b[1] - a[1]).map(([token]) => token);
}
