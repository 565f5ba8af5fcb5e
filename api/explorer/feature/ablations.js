/** What happened when a feature was ablated, steered, or left out of its circuit. */

import { html } from "../html.js";
import { featurePlace } from "../format.js";
import { Kept } from "../parts/kept.js";
import { href, useAnswer } from "../server.js";

/** @param {{feature: any}} props */
export function Ablated({ feature }) {
  const query = href("/queries/cluster_ablations", { kind: "feature", ablated: feature.uid });
  const ablated = useAnswer(query);
  const steered = useAnswer(href("/queries/cluster_ablations", { kind: "steering", ablated: feature.uid }));
  const leftOut = useAnswer(href("/ablations", { kind: "minimality", "uid.contains": `:feature:${feature.layer}:${feature.index}:`, limit: 100 }));
  const rows = [...(ablated.answer?.rows ?? []), ...(steered.answer?.rows ?? []), ...(leftOut.answer?.rows ?? []).filter(isOf(feature)).map(asRow)];
  const about = {
    title: "When it is changed", name: `ablations-${featurePlace(feature.uid).replace(":", "-")}`, query,
    how: "What is left of a task's metric, on pairs that attribution never saw, when the feature is ablated in the whole model, steered, or left out of its circuit. At 1 the task does without it.",
  };
  return html`<${Kept} about=${about} asked=${[ablated, steered, leftOut]} rows=${rows} none="The strongest features of a task's circuit are" />`;
}

/** Uids of circuits hold their model's. @param {any} feature @returns {(row: any) => boolean} */
const isOf = (feature) => (row) => row.circuit.includes(`:${feature.uid.split(":")[0]}:`);

/** @param {any} row of /ablations */
const asRow = (row) => ({ ...row, task: row.task?.split(":")[1] ?? row.circuit, done: `left out of the circuit's ${row.n_nodes} strongest` });
