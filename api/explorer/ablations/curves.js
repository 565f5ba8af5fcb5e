/** What a circuit recovers by its size, beside random circuits and beside the model without it. */

import { enoughOf } from "../parts/enough.js";
import { grouped } from "../parts/groups.js";
import { Lines } from "../parts/lines.js";
import { html } from "../html.js";
import { count, number, percent } from "../format.js";
import { href } from "../server.js";

/** @typedef {import("../parts/lines.js").Point} Point */

/** An interval may be far wider than what it is of: more than this of it would press the curves flat. @type {[number, number]} */
const BOUNDS = [-1, 2];
const REFS = [{ y: 1, name: "the whole model" }, { y: 0, name: "nothing" }];
const SHARE = "share of the metric's change";

/** @param {any[]} rows @param {string} kind @returns {any[]} by size */
const ofKind = (rows, kind) => rows.filter((row) => row.kind === kind && row.faithfulness !== null).sort((a, b) => a.n_nodes - b.n_nodes);

/** @param {any} row @returns {Point} */
const point = (row) => ({ x: row.n_nodes, y: row.faithfulness, low: row.low, high: row.high });

/** The mean of random circuits of each size, and the lowest and highest of them. @param {any[]} rows @returns {(Point & {n: number})[]} */
function randoms(rows) {
  const sizes = grouped(ofKind(rows, "random"), (row) => row.n_nodes);
  return [...sizes].map(([x, own]) => {
    const values = own.map((row) => row.faithfulness);
    return { x, y: values.reduce((sum, value) => sum + value, 0) / values.length, low: Math.min(...values), high: Math.max(...values), n: values.length };
  });
}

/** The curve in a few figures: the smallest circuit that does nine tenths of what the model does, or the best there is. @param {{rows: any[]}} props */
export function Headline({ rows }) {
  const curve = ofKind(rows, "faithfulness").filter((row) => row.n_nodes > 0);
  if (!curve.length) return null;
  const enough = enoughOf(curve);
  const row = enough ?? curve.reduce((best, one) => (one.faithfulness > best.faithfulness ? one : best));
  const without = ofKind(rows, "completeness").find((one) => one.n_nodes === row.n_nodes);
  const random = randoms(rows).find((one) => one.x === row.n_nodes);
  return html`<dl class="figures">
    <div title="Features that recover nine tenths of the metric's change"><dt>${enough ? "Features for 90 %" : "Best size: 90 % is not reached"}</dt><dd>${count(row.n_nodes)}</dd></div>
    <div title="Faithfulness, with its 95 % interval"><dt>They recover</dt><dd>${number(row.faithfulness)} ${row.low !== null && html`<small>${number(row.low)} to ${number(row.high)}</small>`}</dd></div>
    ${random && html`<div title="Mean of random circuits of this size in the same layers"><dt>As many random ones</dt><dd>${number(random.y)}</dd></div>`}
    ${without && html`<div title="Completeness: what the model still does once they are ablated; 0 is ideal"><dt>The model without them</dt><dd>${number(without.faithfulness)}</dd></div>`}
    ${row.sign_agreement !== null && html`<div title="Pairs whose metric has the full model's sign"><dt>Same sign</dt><dd>${percent(row.sign_agreement)} <small>of ${row.n_pairs} pairs</small></dd></div>`}
  </dl>`;
}

/** @param {{circuit: string, rows: any[]}} props */
export function ByNodes({ circuit, rows }) {
  const own = rows.filter((row) => ["faithfulness", "completeness", "random"].includes(row.kind));
  const series = [
    { name: "random circuits", look: "plain", points: randoms(rows) },
    { name: "the model without it", look: "other", mark: "square", points: ofKind(rows, "completeness").map(point) },
    { name: "the circuit", look: "main", points: ofKind(rows, "faithfulness").map(point) },
  ].filter((one) => one.points.length);
  if (!series.length) return null;
  const { baseline, errors } = own[0];
  const about = {
    title: "By number of features",
    name: `${circuit}-faithfulness`,
    how: `Only the circuit's strongest features run and all else is ablated: a good circuit reaches 1 with few of them, random circuits of its size stay at 0, and the model without it falls to 0. Bands are 95 % intervals over pairs; of random circuits, the lowest to the highest${own.some((row) => row.low < BOUNDS[0] || row.high > BOUNDS[1]) ? `. They are cut off at ${number(BOUNDS[0])} and ${BOUNDS[1]}` : ""}.`,
    query: href("/queries/ablation_curve", { circuit, baseline, errors }),
    csv: { columns: ["kind", "baseline", "errors", "split", "n_pairs", "seed", "n_nodes", "faithfulness", "low", "high", "metric", "sign_agreement", "accuracy", "correlation"], rows: own },
  };
  return html`<${Lines} about=${about} x="features in the circuit" y=${SHARE} series=${series} refs=${REFS} bounds=${BOUNDS} say=${(/** @type {number} */ n) => `${count(n)} ${n === 1 ? "feature" : "features"}`} />`;
}

/** @param {{circuit: string, rows: any[]}} props */
export function ByEdges({ circuit, rows }) {
  const own = rows.filter((row) => ["edges", "pruning"].includes(row.kind) && row.n_edges !== null && row.faithfulness !== null);
  /** @param {string} kind */
  const points = (kind) => own.filter((row) => row.kind === kind).map((row) => ({ ...point(row), x: row.n_edges, name: row.choice ? `pruned: ${choice(row.choice)}` : `${count(row.n_nodes)} nodes` })).sort((a, b) => a.x - b.x);
  const series = [
    { name: "the strongest edges", look: "main", points: points("edges") },
    { name: "pruned by thresholds", look: "third", mark: "square", isLine: false, points: points("pruning") },
  ].filter((one) => one.points.length);
  if (!series.length) return null;
  const about = {
    title: "By number of edges",
    name: `${circuit}-edges`,
    how: "Only the circuit's strongest edges carry anything and all others are cut: where the curve reaches 1, the edges left explain what the model does.",
    query: href("/queries/ablations", { circuit, kind: series[0]?.look === "main" ? "edges" : "pruning" }),
    csv: { columns: ["kind", "baseline", "errors", "split", "n_pairs", "choice", "n_nodes", "n_edges", "faithfulness", "low", "high", "metric"], rows: own },
  };
  return html`<${Lines} about=${about} x="edges in the circuit" y=${SHARE} series=${series} refs=${REFS} bounds=${BOUNDS} say=${(/** @type {number} */ n) => `${count(n)} edges`} />`;
}

/** How a circuit was pruned, in words. @param {string} text JSON */
function choice(text) {
  const { errors, ...thresholds } = JSON.parse(text);
  return [...Object.entries(thresholds).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`), ...(errors ? [`errors ${errors}`] : [])].join(", ");
}
