/** How well predicted and observed edges agree, by the layers of their ends. */

import { html } from "../html.js";
import { count, hundredths } from "../format.js";
import { Table } from "./table.js";

/** @param {{rows: any[]}} props of the query `evidence` */
export const Stretches = ({ rows }) => html`<${Table} caption="Agreement of predicted and observed edges, by the layers of their ends" rows=${rows} columns=${COLUMNS} />`;

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { name: "source_layer", title: "layers", by: (row) => row.source_layer, isNumber: false, show: (value, row) => `${value < 0 ? "tokens" : value} → ${row.target_layer}` },
  { name: "n", title: "edges" },
  { name: "r", title: "r", help: "Pearson correlation of predicted and observed effects", isNumber: true, show: hundredths },
  { name: "slope", title: "slope", help: "Least-squares slope of observed on predicted: 1 is ideal", isNumber: true, show: hundredths },
  { name: "sign_agreement", title: "sign right", help: "Of the edges whose observed effect is at least a hundredth of the metric's change: how many have the sign that was predicted", show: (value, row) => (value === null ? "–" : `${count(Math.round(value * row.n_large))} of ${count(row.n_large)}`) },
];
