/** Whether predictions held: effects of nodes and edges as attribution predicts them, against those that ablation observed. */

import { signed } from "../parts/bits.js";
import { Scatter } from "../parts/scatter.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { Stretches } from "../parts/stretches.js";
import { Table } from "../parts/table.js";
import { nodeOf } from "../parts/uids.js";
import { html } from "../html.js";
import { nodeName, number } from "../format.js";
import { at, href, useAnswer } from "../server.js";

/** @typedef {{uid: string, x: number, y: number, name: any, kind: string, href: string, ends: any[]}} Spot */

const FURTHEST = 5;

/** @param {{uid: string, isObserved: boolean}} props */
export function Agreement({ uid, isObserved }) {
  const path = href(`${at("circuits", uid)}/graph`, { top_nodes: 10000, limit: 10000 });
  const asked = useAnswer(isObserved ? path : null);
  if (!isObserved) return html`<${Section} title="Predicted against observed"><${Empty} title="No effect of this circuit was observed">Predictions are compared with ablations where <code>circuitstore ingest RECIPE</code> measured some: see <code>evidence</code> in its recipe.<//><//>`;
  return html`<${Shown} asked=${asked}>${(/** @type {any} */ answer) => html`<div class="pair"><${Nodes} uid=${uid} path=${path} rows=${answer.nodes.rows} /><${Edges} uid=${uid} path=${path} answer=${answer} /></div>`}<//>`;
}

/** @param {{uid: string, path: string, rows: any[]}} props */
function Nodes({ uid, path, rows }) {
  const own = rows.filter((row) => row.effect !== null && row.observed_effect !== null);
  if (!own.length) return null;
  /** @type {Spot[]} */
  const spots = own.map((row) => ({ uid: row.uid, x: row.effect, y: row.observed_effect, name: nodeName(row), kind: row.kind, href: href(at("circuits", uid), { node: row.uid }), ends: [row] }));
  const about = {
    title: "Nodes: predicted against observed",
    name: `${uid}-nodes`,
    how: "Each point is a node's effect on the metric: on the dashed line the prediction held; further from zero than the line the node does more than predicted, nearer to zero less. r is Pearson's, the slope that of a line through zero.",
    query: path,
    csv: { columns: ["uid", "kind", "layer", "index", "position", "token", "effect", "observed_effect"], rows: own },
    below: html`<${Furthest} circuit=${uid} spots=${spots} what="Node" />`,
  };
  return html`<${Scatter} about=${about} x="predicted effect" y="observed effect" spots=${spots} />`;
}

/** @param {{uid: string, path: string, answer: any}} props */
function Edges({ uid, path, answer }) {
  const own = answer.edges.rows.filter((/** @type {any} */ row) => row.observed !== null && row.observed !== undefined);
  if (!own.length) return null;
  const nodes = new Map(answer.nodes.rows.map((/** @type {any} */ row) => [row.uid, row]));
  /** @type {Spot[]} */
  const spots = own.map((/** @type {any} */ row) => {
    const ends = [row.source, row.target].map((end) => nodes.get(end) ?? nodeOf(end) ?? { uid: end, kind: end, layer: "" });
    return { uid: `${row.source} ${row.target}`, x: row.weight, y: row.observed, name: ends.map(nodeName).join(" → "), kind: ends[0].kind, href: href(at("circuits", uid), { node: row.target }), ends };
  });
  const about = {
    title: "Edges: predicted against observed",
    name: `${uid}-edges-observed`,
    how: "Each point is an edge's effect through its target, in the colour of its source's kind: observed by changing it alone. What lies far off the dashed line should not be believed.",
    query: path,
    csv: { columns: ["source", "target", "weight", "observed"], rows: own },
    below: html`<${Furthest} circuit=${uid} spots=${spots} what="Edge" /><${LayerByLayer} uid=${uid} />`,
  };
  return html`<${Scatter} about=${about} x="predicted effect" y="observed effect" spots=${spots} />`;
}

/** Where predictions failed most. @param {{circuit: string, spots: Spot[], what: string}} props */
function Furthest({ circuit, spots, what }) {
  const rows = spots.map((spot) => ({ ...spot, off: spot.y - spot.x })).sort((a, b) => Math.abs(b.off) - Math.abs(a.off)).slice(0, FURTHEST);
  return html`<h3>Furthest off</h3><${Table} caption=${`${what}s furthest from their prediction`} rows=${rows} keyOf=${(/** @type {Spot} */ row) => row.uid} columns=${[
    { name: "name", title: what, show: (/** @type {any} */ _, /** @type {Spot} */ row) => row.ends.map((end, i) => html`${i > 0 && " → "}<a href=${href(at("circuits", circuit), { node: end.uid })}>${nodeName(end).replace("feature ", "")}</a>`) },
    { name: "x", title: "predicted", show: signed },
    { name: "y", title: "observed", show: signed },
    { name: "off", title: "difference", by: (/** @type {any} */ row) => Math.abs(row.off), show: (/** @type {number} */ value) => number(value) },
  ]} />`;
}

/** @param {{uid: string}} props */
function LayerByLayer({ uid }) {
  const path = href("/queries/evidence", { circuit: uid });
  const asked = useAnswer(path);
  if (!asked.answer?.rows.length) return null;
  return html`<details class="stretches"><summary>Layer by layer</summary><${Stretches} rows=${asked.answer.rows} /></details>`;
}
