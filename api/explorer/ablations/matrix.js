/** The tasks × clusters matrix: what each task keeps when a cluster's features are ablated in the whole model. */

import { Choice } from "../parts/choice.js";
import { grouped } from "../parts/groups.js";
import { Heatmap } from "../parts/heatmap.js";
import { Section } from "../parts/section.js";
import { Empty, Shown } from "../parts/states.js";
import { addressOf, nameOf } from "../parts/uids.js";
import { html } from "../html.js";
import { count, number } from "../format.js";
import { change } from "../routes.js";
import { at, href, useAnswer } from "../server.js";

const KINDS = ["cluster", "feature", "circuit", "steering"];
const CLUSTER = /^(clustering:.*):\d+$/;

/** @param {{circuit?: string, kind: string}} props `circuit`: whose measurements are taken first; `kind`: what was ablated; steering: all, at multiples of their value */
export function Matrix({ circuit, kind }) {
  const path = href("/queries/cluster_ablations", { kind, limit: 10000 });
  const tools = html`<${Choice} label="" help="What was ablated; steering: what values were multiplied by" options=${KINDS} value=${kind} choose=${(/** @type {string} */ to) => change({ ablated: to }, { replace: true })} />`;
  const title = kind === "steering" ? "What tasks do when features are steered" : `What tasks keep without a ${kind}`;
  const shown = (/** @type {any} */ answer) => {
    if (!answer.rows.length) return html`<${Section} title=${title} tools=${tools} query=${path}><${Empty} title="Nothing of this kind was ablated"><code>circuitstore ablate RECIPE</code> ablates the clusters that are stored, the features that recur and the circuit, for each task.<//><//>`;
    return html`<${Drawn} circuit=${circuit} kind=${kind} rows=${answer.rows} about=${{ title, query: path, tools, name: `tasks-by-${kind}` }} />`;
  };
  return html`<${Shown} asked=${useAnswer(path)}>${shown}<//>`;
}

/** @param {{circuit?: string, kind: string, rows: any[], about: any}} props */
function Drawn({ circuit, kind, rows, about }) {
  const known = rows.filter((row) => row.faithfulness !== null);
  /** @param {any} row */
  const column = (row) => (row.factor === null ? row.task : `${row.task} times ${row.factor}`);
  const columns = [...new Set([...known].sort((a, b) => a.task.localeCompare(b.task) || (a.factor ?? 0) - (b.factor ?? 0)).map(column))];
  const blocks = [...grouped(known, (row) => CLUSTER.exec(row.ablated)?.[1] ?? "")].map(([clustering, own]) => ({
    title: clustering ? nameOf(clustering) : "",
    href: clustering ? at("clusterings", clustering) : undefined,
    rows: [...grouped(own, (row) => row.ablated)].map(([ablated, cells]) => ({
      name: cells[0].name || nameOf(ablated),
      title: `${ablated}: ${count(cells[0].n_nodes)} features`,
      href: addressOf(ablated) ?? undefined,
      cells: columns.map((name) => {
        const found = cells.filter((row) => column(row) === name);
        const row = found.find((one) => one.circuit === circuit) ?? found[0];
        return row ? { value: row.faithfulness, title: `${name}: ${number(row.faithfulness)} (${number(row.low)} to ${number(row.high)}), ${count(row.n_nodes)} features` } : null;
      }),
    })),
  }));
  const how = kind === "steering"
    ? "Every number is the share of the metric's change that is left when the values on the left are multiplied: 1 is the model as it is, orange less than it, blue more."
    : `Every number is the share of a task's behaviour that is left when the ${kind} on the left is ablated wherever it is active: at 1 the task does without, at 0 (orange) it needs it; blue is more than before.`;
  return html`<${Heatmap} about=${{ ...about, how, csv: { columns: ["ablated", "name", "task", "factor", "n_nodes", "faithfulness", "low", "high", "metric", "sign_agreement", "circuit"], rows } }}
    blocks=${blocks} columns=${columns.map((name) => ({ name: name.split(" times ")[0] ?? name, note: name.includes(" times ") ? `× ${name.split(" times ")[1]}` : undefined }))} neutral=${1} span=${1} />`;
}
