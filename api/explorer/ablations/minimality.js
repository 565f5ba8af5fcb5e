/** Whether a circuit has a feature too many: what it still does without each of them. */

import { Intervals } from "../parts/intervals.js";
import { nodeOf } from "../parts/uids.js";
import { html } from "../html.js";
import { count, nodeName } from "../format.js";
import { at, href, useAnswer } from "../server.js";

/** @param {{circuit: string, rows: any[]}} props */
export function Minimality({ circuit, rows }) {
  const own = rows.filter((row) => row.kind === "minimality" && row.faithfulness !== null);
  const named = useAnswer(own.length ? href("/queries/top_nodes", { circuit, kind: "feature", limit: 200 }) : null);
  if (!own.length) return null;
  const size = own[0].n_nodes;
  const whole = rows.find((row) => row.kind === "faithfulness" && row.n_nodes === size);
  const intervals = own.map((row) => {
    const uid = leftOut(row);
    const node = named.answer?.rows.find((/** @type {any} */ one) => one.uid === uid) ?? nodeOf(uid);
    return { name: node ? nodeName(node).replace("feature ", "") : uid, href: node ? href(at("circuits", circuit), { node: uid }) : undefined, value: row.faithfulness, low: row.low ?? row.faithfulness, high: row.high ?? row.faithfulness };
  });
  const about = {
    title: `Each of ${count(size)} features left out`,
    name: `${circuit}-minimality`,
    how: "What the circuit still recovers without one feature: the further a feature's mark lies left of the line of all, the less the circuit can do without it.",
    query: href("/queries/ablations", { circuit, kind: "minimality" }),
    csv: { columns: ["left_out", "baseline", "errors", "n_nodes", "faithfulness", "low", "high", "metric"], rows: own.map((row) => ({ ...row, left_out: leftOut(row) })) },
  };
  const refs = [{ at: 0, name: "nothing" }, ...(whole ? [{ at: whole.faithfulness, name: `all ${size}` }] : [])];
  return html`<${Intervals} about=${about} axis="share of the metric's change that is left" rows=${intervals.sort((a, b) => a.value - b.value)} refs=${refs} />`;
}

/** The node that a measurement is without: its uid tells, `CIRCUIT:minimality:BASELINE:ERRORS:NODE:SIZE`. @param {any} row */
const leftOut = (row) => `${row.circuit}:${row.uid.slice(`${row.circuit}:minimality:${row.baseline}:${row.errors}:`.length).replace(/:\d+$/, "")}`;
