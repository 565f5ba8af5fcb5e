/** What may be filled in, out of what is stored: circuits, their nodes and features, clusterings, tasks, models. */

import { nodeName } from "../format.js";
import { nodeOf } from "../parts/uids.js";
import { href, useLatest } from "../server.js";

/** @typedef {{value: string, text: string}} Suggestion */
/** @typedef {import("./form.js").Param} Param @typedef {import("./form.js").Values} Values */
/** @typedef {{path: string, of: (row: any) => Suggestion}} Source */

const CIRCUITS = href("/queries/circuits", { sort: "faithfulness", limit: 500 });
const MOST = 300;

/** @type {Source} */
const circuits = { path: CIRCUITS, of: (row) => ({ value: row.uid, text: [row.name, row.prompt].filter(Boolean).join(": ") }) };

/** @param {Param} param @param {Values} values of the others, which narrow it down @param {boolean} areWanted @returns {Suggestion[]} */
export function useSuggestions(param, values, areWanted) {
  const isNode = param.type === "uid" && ["node", "source", "target"].includes(param.name);
  const all = useLatest(areWanted && isNode ? CIRCUITS : null).answer?.rows ?? [];
  const circuit = circuitOf(values) ?? all[0]?.uid;
  const source = isNode ? nodesOf(circuit) : sourceOf(param, values);
  const rows = useLatest(areWanted && source ? source.path : null).answer?.rows ?? [];
  const found = source ? rows.map(source.of).filter((/** @type {Suggestion} */ one) => one.value) : [];
  const others = isNode && all.map((/** @type {any} */ row) => ({ value: `${row.uid}:`, text: `nodes of ${row.name}` }));
  const unique = new Map([...found, ...(others || [])].map((one) => [one.value, one]));
  return [...unique.values()];
}

/** The circuit that a form is about, as far as it is filled in. @param {Values} values @returns {string | undefined} */
function circuitOf(values) {
  if (values.circuit) return values.circuit;
  const nodes = [values.node, values.source, values.target].filter(Boolean);
  return nodes.map((uid) => nodeOf(uid ?? "")?.circuit ?? /^[\w.-]+:[\w.-]+:[0-9a-f]{8}(?=:)/.exec(uid ?? "")?.[0]).find(Boolean);
}

/** @param {string | undefined} circuit @returns {Source | null} */
const nodesOf = (circuit) =>
  circuit ? { path: href("/queries/top_nodes", { circuit, limit: MOST }), of: (row) => ({ value: row.uid, text: [nodeName(row), row.label].filter(Boolean).join(", ") }) } : null;

/** @param {Param} param @param {Values} values @returns {Source | null} */
function sourceOf({ name, type }, values) {
  if (type === "uid" && (name === "circuit" || name === "other")) return circuits;
  if (name === "feature" && values.circuit) return { path: href("/queries/top_nodes", { circuit: values.circuit, kind: "feature", limit: MOST }), of: (row) => ({ value: row.feature, text: row.label ?? nodeName(row) }) };
  if (name === "feature") return { path: href("/queries/recurring_features", { min_circuits: 1, limit: MOST }), of: (row) => ({ value: row.uid, text: row.label ?? `in ${row.n_circuits} circuits` }) };
  if (name === "clustering") return { path: href("/queries/clusterings", { limit: MOST }), of: (row) => ({ value: row.uid, text: `${row.method} of ${row.basis}` }) };
  if (name === "cluster" && values.clustering) return { path: href("/queries/cluster_members", { clustering: values.clustering, limit: 1000 }), of: (row) => ({ value: row.cluster, text: row.name }) };
  if (name === "task" || name === "other") return { path: href("/tasks", { limit: MOST }), of: (row) => ({ value: row.name, text: row.uid }) };
  if (name === "model") return { path: href("/models", { limit: MOST }), of: (row) => ({ value: row.name, text: row.uid }) };
  return null;
}
