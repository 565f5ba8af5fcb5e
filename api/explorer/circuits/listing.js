/** Which circuits the address asks for, and how they are had of the service. */

import { useMemo } from "../html.js";
import { href, useAnswer, useLatest } from "../server.js";

/** @typedef {import("../server.js").Problem} Problem @typedef {import("../server.js").Row} Row */
/** @typedef {{rows: Row[], error: Problem | null, isThere: boolean, isOld: boolean, isSlow: boolean, hasMore: boolean}} Listing */

export const FIRST = 200;
export const STEP = 1000;
const MOST = 10_000;

const KINDS = ["task", "prompt"];
const SORTS = ["name", "n_nodes", "n_edges", "faithfulness", "created_at"];

/** What narrows the list by way of the resource, since the query does not know it. */
const NARROWING = ["method", "run", "feature", "dictionary", "prompt", "ablation"];

/** All that leaves circuits out. */
export const FILTERS = ["search", "task", "model", "aggregation", ...NARROWING];

/** @param {URLSearchParams} query @param {string[]} names @returns {Record<string, string>} */
const given = (query, names) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));

/** The same list for programs; only the query finds what is searched for in uids and prompts, too. @param {URLSearchParams} query */
export function twinOf(query) {
  const narrowing = given(query, NARROWING);
  const both = given(query, ["task", "model", "aggregation"]);
  const search = query.get("search");
  if (search && !Object.keys(narrowing).length) return href("/queries/circuits", { ...both, name: search, ...orderOf(query) });
  return href("/circuits", { ...both, ...narrowing, "name.contains": search, sort: query.get("sort") });
}

/** @param {URLSearchParams} query */
function orderOf(query) {
  const asked = query.get("sort") ?? "";
  const sort = SORTS.find((one) => one === asked.replace(/^-/, ""));
  return { sort: sort ?? "name", order: sort && asked.startsWith("-") ? "desc" : "asc" };
}

/**
 * Circuits of whole tasks, then those of single prompts: each kind is asked for by itself, so that thousands of prompts
 * do not hide a task. The query knows texts and names, the resource every filter; where both are needed, both are asked.
 * @param {URLSearchParams} query
 * @returns {Listing}
 */
export function useCircuits(query) {
  const wanted = KINDS.find((kind) => kind === query.get("aggregation")) ?? "";
  const narrowing = given(query, NARROWING);
  const isNarrowed = Object.keys(narrowing).length > 0;
  const limit = isNarrowed ? MOST : Math.min(MOST, Math.max(1, Number(query.get("shown")) || FIRST));
  const shared = { ...given(query, ["task", "model"]), name: query.get("search"), ...orderOf(query), limit };
  /** @param {string} kind */
  const path = (kind) => (wanted && wanted !== kind ? null : href("/queries/circuits", { ...shared, aggregation: kind }));
  const tasks = useLatest(path("task"));
  const prompts = useLatest(path("prompt"));
  const among = useLatest(isNarrowed ? href("/circuits", { ...narrowing, limit: MOST }) : null);
  const asked = [tasks, prompts, among];
  const rows = useMemo(() => {
    const only = isNarrowed && among.answer && new Set(among.answer.rows.map((/** @type {Row} */ row) => row.uid));
    return [tasks, prompts].flatMap(({ answer }) => answer?.rows ?? []).filter((row) => !only || only.has(row.uid));
  }, [tasks.answer, prompts.answer, among.answer, isNarrowed]);
  return {
    rows,
    error: asked.find(({ error }) => error)?.error ?? null,
    isThere: Boolean((wanted === "prompt" ? prompts : tasks).answer && (!isNarrowed || among.answer)) && (rows.length > 0 || !asked.some(({ isOld }) => isOld)),
    isOld: asked.some(({ isOld }) => isOld),
    isSlow: asked.some(({ isSlow }) => isSlow),
    hasMore: !isNarrowed && limit < MOST && [tasks, prompts].some(({ answer }) => answer?.rows.length === limit),
  };
}

/**
 * Faithfulness by size of those circuits that it was measured on: one request for all, when they are already shown.
 * @param {Row[]} rows
 * @returns {Map<string, import("../parts/sparkline.js").Point[]>}
 */
export function useCurves(rows) {
  const measured = rows.filter((row) => row.faithfulness !== null);
  const one = measured.length === 1 ? measured[0]?.uid : null;
  const { answer } = useAnswer(measured.length ? href("/ablations", { kind: "faithfulness", baseline: "mean", errors: "ablated", circuit: one, limit: 3000 }) : null);
  return useMemo(() => {
    const curves = new Map();
    for (const row of answer?.rows ?? []) {
      if (row.faithfulness === null) continue;
      if (!curves.has(row.circuit)) curves.set(row.circuit, []);
      curves.get(row.circuit).push(row);
    }
    for (const points of curves.values()) points.sort((/** @type {Row} */ a, /** @type {Row} */ b) => a.n_nodes - b.n_nodes);
    return curves;
  }, [answer]);
}
