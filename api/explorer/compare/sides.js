/** The two circuits that are compared: which they are, and how either is changed. */

import { count, number, short } from "../format.js";
import { html } from "../html.js";
import { CircuitPicker } from "../parts/circuit-picker.js";
import { change } from "../routes.js";
import { at } from "../server.js";

/** @typedef {import("../server.js").Row} Row */

/** @param {{left: string, right: string, rows: {left: Row | null, right: Row | null}}} props uids, and what is known of them */
export const Sides = ({ left, right, rows }) => html`<div class="sides">
  <${Side} side="left" label="Left" uid=${left} other=${right} row=${rows.left} />
  <button onClick=${() => change({ left: right, right: left })} disabled=${!left && !right} title="Swap left and right (s)" aria-label="Swap left and right">⇄</button>
  <${Side} side="right" label="Right" uid=${right} other=${left} row=${rows.right} />
</div>`;

/** @param {{side: "left" | "right", label: string, uid: string, other: string, row: Row | null}} props */
const Side = ({ side, label, uid, other, row }) => html`<div class="card">
  <${CircuitPicker} label=${label} name=${row?.name ?? uid.split(":")[0] ?? ""} like=${other || null} pick=${(/** @type {string} */ picked) => change({ [side]: picked })} />
  ${row && html`<p class="faint">${row.aggregation === "task" ? "Whole task" : "One prompt"}, ${short(row.model ?? "model unknown")}, ${row.method}.${" "}
    ${count(row.n_nodes)} nodes, ${count(row.n_edges)} edges${row.faithfulness !== null && `, faithfulness ${number(row.faithfulness)}`}. <a href=${at("circuits", row.uid)}>Open it</a></p>`}
</div>`;
