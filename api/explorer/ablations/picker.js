/** The circuits on which something was measured, to pick one. */

import { Twin } from "../parts/bits.js";
import { enoughOf } from "../parts/enough.js";
import { grouped } from "../parts/groups.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { html } from "../html.js";
import { href, useAnswer } from "../server.js";
import { Matrix } from "./matrix.js";

const ABLATED = "/queries/ablations?kind=faithfulness&errors=ablated&limit=10000";
const OBSERVED = "/circuits?observed_pairs.min=1&sort=-n_nodes&limit=500";

/** @param {{query: URLSearchParams}} props */
export function Picker({ query }) {
  const [ablated, observed] = [useAnswer(ABLATED), useAnswer(OBSERVED)];
  return html`<div class="page ablations">
    <header>
      <h1>Ablations</h1><${Twin} path=${ABLATED} />
      <p class="lead">A circuit is a claim; an ablation tests it. Pick a circuit to see how much of the behaviour it carries, and whether what attribution predicted was observed.</p>
    </header>
    <${Shown} asked=${ablated}>${(/** @type {any} */ curves) => html`<${Shown} asked=${observed}>${(/** @type {any} */ circuits) => html`<${Listed} rows=${merged(curves.rows, circuits.rows)} query=${query} />`}<//>`}<//>
  </div>`;
}

/** @param {{rows: any[], query: URLSearchParams}} props */
function Listed({ rows, query }) {
  const [tested, others] = [rows.filter((row) => row.sizes), rows.filter((row) => !row.sizes)];
  if (!rows.length) return html`<${Empty} title="Nothing was ablated yet"><code>circuitstore ablate RECIPE</code> ablates a task's circuit, and the features and clusters that are stored.<//>`;
  return html`
    ${tested.length > 0 && html`<${Section} title="Tested by size" lead="Circuits cut to their strongest features, more and more of them, until they do what the model does."><${Circuits} rows=${tested} columns=${[...COLUMNS, ...SIZES]} /><//>
      <${Matrix} kind=${query.get("ablated") ?? "cluster"} />`}
    ${others.length > 0 && html`<${Section} title="Only single nodes and edges observed" lead="Circuits of which some effects were measured beside the predicted ones, but not what the circuit as a whole does."><${Circuits} rows=${others} columns=${COLUMNS} /><//>`}`;
}

const COLUMNS = [
  { name: "name", title: "circuit", show: (/** @type {string} */ name, /** @type {any} */ row) => html`<a href=${href("/ablations", { circuit: row.uid })} title=${row.uid}>${name}</a>` },
  { name: "aggregation", title: "of a", isExtra: true },
  { name: "model" },
  { name: "n_nodes", title: "nodes" },
  { name: "observed_pairs", title: "pairs observed", help: "Pairs that each observed effect of a node or edge is a mean over" },
];
const SIZES = [
  { name: "sizes", title: "sizes tested", help: "Sizes at which the circuit was tested" },
  { name: "enough", title: "features for 90 %", help: "The fewest features that recover nine tenths of the metric's change, all else at its mean" },
];

/** @param {{rows: any[], columns: import("../parts/table.js").Column[]}} props */
const Circuits = ({ rows, columns }) => html`<${Table} caption="Circuits on which something was measured" rows=${rows} columns=${columns} keyOf=${(/** @type {any} */ row) => row.uid} />`;

/** One row a circuit, those that were ablated first. @param {any[]} curves @param {any[]} circuits */
function merged(curves, circuits) {
  const known = new Map(circuits.map((row) => [row.uid, row]));
  const ablated = [...grouped(curves, (row) => row.circuit)].map(([uid, own]) => {
    const usual = own.filter((row) => row.baseline === (own.some((one) => one.baseline === "mean") ? "mean" : own[0].baseline)).sort((a, b) => a.n_nodes - b.n_nodes);
    const [name, model] = uid.split(":");
    return { uid, name, model, ...known.get(uid), sizes: usual.length, enough: enoughOf(usual)?.n_nodes ?? null };
  });
  const others = circuits.filter((row) => !ablated.some((one) => one.uid === row.uid));
  return [...ablated, ...others];
}
