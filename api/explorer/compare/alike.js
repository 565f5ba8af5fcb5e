/** What a circuit can be compared with: those that have the most features in common with it. */

import { html } from "../html.js";
import { Section } from "../parts/section.js";
import { Table } from "../parts/table.js";
import { href, useAnswer } from "../server.js";

/** @typedef {import("../server.js").Row} Row */

/** @param {{circuit: Row, as: (other: string) => string}} props `as`: the address that compares it with another */
export function Alike({ circuit, as }) {
  const query = href("/queries/similar_circuits", { circuit: circuit.uid, limit: 20 });
  const rows = useAnswer(query).answer?.rows ?? [];
  if (!rows.length) return null;
  const columns = [
    { name: "name", title: "circuit", show: (/** @type {string} */ name, /** @type {Row} */ row) => html`<a href=${as(row.circuit)} title=${row.circuit}>${name}</a>` },
    { name: "aggregation", title: "of", show: (/** @type {string} */ kind) => (kind === "task" ? "a whole task" : "one prompt") },
    { name: "n_shared", title: "shared features", isNumber: true },
    { name: "n_features", title: "of its features", isNumber: true },
    { name: "jaccard", title: "Jaccard", isNumber: true },
  ];
  return html`<${Section} title=${`Most like ${circuit.name}`} query=${query}>
    <${Table} columns=${columns} rows=${rows} caption="Circuits with features in common" keyOf=${(/** @type {Row} */ row) => row.circuit} />
  <//>`;
}
