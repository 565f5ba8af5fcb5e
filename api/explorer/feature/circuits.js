/** The circuits that a feature stands in, and what it does in each. */

import { html, useMemo } from "../html.js";
import { count, token } from "../format.js";
import { Signed } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { change } from "../routes.js";
import { href, useAnswer, useAnswers } from "../server.js";

const FIRST = 8;
const MOST = 200;

/** @param {{uid: string, areAllShown: boolean}} props */
export function InCircuits({ uid, areAllShown }) {
  const path = href("/circuits", { feature: uid, sort: "-aggregation,uid", limit: 1000 });
  return html`<${Section} title="In circuits" query=${path} lead="How the metric changes when the feature is patched there: as predicted, and as observed when it was patched alone.">
    <${Shown} asked=${useAnswer(path)}>${(/** @type {any} */ answer) => html`<${Effects} uid=${uid} circuits=${answer.rows} areAllShown=${areAllShown} />`}<//>
  <//>`;
}

/** @param {{uid: string, circuits: any[], areAllShown: boolean}} props */
function Effects({ uid, circuits, areAllShown }) {
  const shown = circuits.slice(0, areAllShown ? MOST : FIRST);
  const answers = useAnswers(shown.map((circuit) => href("/queries/top_nodes", { circuit: circuit.uid, kind: "feature", limit: 10000 })));
  const rows = useMemo(() => shown.flatMap((circuit, i) => rowsOf(circuit, uid, answers[i])), [circuits, areAllShown, answers]);
  if (!circuits.length) return html`<${Empty} title="It stands in no circuit">Circuits are found by <code>circuitstore ingest RECIPE</code>.<//>`;
  return html`
    <${Table} caption="Effects of the feature in circuits" rows=${rows} columns=${columnsFor(rows)} keyOf=${(/** @type {any} */ row) => row.uid ?? row.circuit} />
    ${circuits.length > FIRST && html`<p><button onClick=${() => change({ circuits: areAllShown ? null : "all" }, { replace: true })}>
      ${areAllShown ? `Only the first ${FIRST}` : `All ${count(Math.min(circuits.length, MOST))} circuits`}</button>
      ${circuits.length > MOST && html` <span class="faint">It stands in ${circuits.length === 1000 ? "more than " : ""}${count(circuits.length)}.</span>`}</p>`}
  `;
}

/** One for each position where it stands; without figures until they are there. @param {any} circuit @param {string} uid @param {any} answer */
function rowsOf(circuit, uid, answer) {
  const { uid: of, name, aggregation } = circuit;
  const nodes = answer?.rows.filter((/** @type {any} */ node) => node.feature === uid);
  return nodes?.length ? nodes.map((/** @type {any} */ node) => ({ ...node, circuit: of, name, aggregation })) : [{ circuit: of, name, aggregation }];
}

/** Imported circuits have an influence and no effects; columns without a value are left out. @param {any[]} rows @returns {import("../parts/table.js").Column[]} */
const columnsFor = (rows) => [
  { name: "name", title: "circuit", show: (name, row) => html`<a href=${href(`/circuits/${row.circuit}`, { node: row.uid })}>${name}</a>${row.aggregation === "task" && html` <span class="tag">task</span>`}` },
  { name: "token", title: "at", show: (text, row) => (row.uid ? token(text) || `position ${row.position ?? "?"}` : html`<span class="faint">…</span>`) },
  ...[
    { name: "effect", title: "predicted", isNumber: true, show: signed },
    { name: "observed_effect", title: "observed", isNumber: true, show: signed },
    { name: "activation", isNumber: true, isExtra: true },
    { name: "influence", isNumber: true, help: "Share of the output's total incoming weight" },
  ].filter(({ name }) => rows.some((row) => row[name] !== null && row[name] !== undefined)),
];

/** @param {number | null} value */
const signed = (value) => html`<${Signed} value=${value} />`;
