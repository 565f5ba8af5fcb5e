/** The members of a cluster, and what each does in circuits. */

import { html } from "../html.js";
import { hundredths, percent } from "../format.js";
import { Signed, Tokens } from "../parts/bits.js";
import { Section } from "../parts/section.js";
import { Table } from "../parts/table.js";
import { href, useAnswer } from "../server.js";

/** @param {{cluster: string, members: import("./members.js").Member[], query: string}} props */
export function Members({ cluster, members, query }) {
  const areFeatures = members.some((one) => one.silhouette !== null || one.tokens.length);
  const effects = useAnswer(areFeatures ? href("/queries/recurring_features", { cluster, min_circuits: 1, limit: 10_000 }) : null).answer?.rows ?? [];
  const of = new Map(effects.map((/** @type {any} */ row) => [row.uid, row]));
  const rows = members.map((member) => ({ ...member, ...(of.get(member.uid) ?? { n_circuits: null, mean_effect: null, positive: null }), name: member.name, label: member.label }));
  return html`<${Section} title="Members" query=${query} lead=${effects.length > 0 && "Those that fit best first; predicted effects are means over the circuits of single prompts in which a member stands."}>
    <${Table} caption="Members of the cluster" rows=${rows} keyOf=${(/** @type {any} */ row) => row.uid} columns=${columnsFor(rows)} />
  <//>`;
}

/** @param {any[]} rows @returns {import("../parts/table.js").Column[]} */
const columnsFor = (rows) => [
  { name: "name", title: "member", by: (row) => row.layer, show: (name, row) => html`<a href=${row.address}>${name}</a> <span class="faint">${row.label}</span>` },
  ...[
    { name: "tokens", title: "promotes", isSortable: false, isExtra: true, show: (/** @type {string[]} */ tokens) => html`<${Tokens} tokens=${tokens.slice(0, 3)} />` },
    { name: "silhouette", title: "fit", help: "Silhouette: how well it fits here and nowhere else, −1 to 1", isNumber: true, show: hundredths },
    { name: "n_circuits", title: "circuits", help: "Circuits of single prompts that it stands in", isNumber: true },
    { name: "mean_effect", title: "mean effect", help: "Mean over these of its predicted effect on the metric, summed over positions", isNumber: true, show: (/** @type {number} */ value, /** @type {any} */ row) => html`<span title=${row.positive === null ? undefined : `above zero in ${percent(row.positive)} of them`}><${Signed} value=${value} /></span>` },
  ].filter(({ name }) => rows.some((row) => (name === "tokens" ? row.tokens.length : row[name] !== null))),
];
