/** What was measured on a circuit by taking parts away: how much of the behaviour it carries, and whether predictions held. */

import { Choice } from "../parts/choice.js";
import { Twin } from "../parts/bits.js";
import { Empty, Shown } from "../parts/states.js";
import { html } from "../html.js";
import { change } from "../routes.js";
import { at, href, useAnswer } from "../server.js";
import { style } from "../style.js";
import { Agreement } from "../ablations/agreement.js";
import { ByEdges, ByNodes, Headline } from "../ablations/curves.js";
import { Matrix } from "../ablations/matrix.js";
import { Minimality } from "../ablations/minimality.js";
import { Picker } from "../ablations/picker.js";

style("ablations");

/** @param {{route: import("../routes.js").Route}} props */
export default function Ablations({ route }) {
  const uid = route.query.get("circuit");
  return uid ? html`<${OfCircuit} uid=${uid} query=${route.query} />` : html`<${Picker} query=${route.query} />`;
}

/** @param {{uid: string, query: URLSearchParams}} props */
function OfCircuit({ uid, query }) {
  const path = href("/ablations", { circuit: uid, limit: 10000 });
  const [circuit, ablations] = [useAnswer(at("circuits", uid)), useAnswer(path)];
  return html`<div class="page ablations">
    <header>
      <h1>Ablations of <a href=${at("circuits", uid)}>${circuit.answer?.rows[0].name ?? uid.split(":")[0]}</a></h1>
      <${Twin} path=${path} /><span class="spacer"></span><a href="/ablations">Other circuits</a>
      <p class="lead">Parts of the model are switched off and its metric is measured again, on pairs of prompts that attribution never saw: what the behaviour cannot do without is the circuit.</p>
    </header>
    <${Shown} asked=${circuit}>${(/** @type {any} */ found) => html`
      <${Shown} asked=${ablations}>${(/** @type {any} */ answer) => html`<${Measured} uid=${uid} query=${query} rows=${answer.rows} />`}<//>
      <${Agreement} uid=${uid} isObserved=${found.rows[0].observed_pairs !== null} />
      ${ablations.answer?.rows.length > 0 && html`<${Matrix} circuit=${uid} kind=${query.get("ablated") ?? "cluster"} />`}`}<//>
  </div>`;
}

/** What an ablation was made with, and what is taken where there are several. @type {[string, string, string, string][]} */
const CHOICES = [
  ["baseline", "Ablated values are set to", "mean", "their mean over prompts, zero, or their value on another prompt"],
  ["errors", "Error terms are", "ablated", "what dictionaries leave unexplained is switched off with the rest, or kept"],
  ["split", "Pairs", "held-out", "held out: pairs that attribution never saw"],
];

/** What a kind of ablation is called. @type {Record<string, string>} */
const KINDS = { random: "random circuits", edges: "circuits cut to edges", pruning: "pruned circuits", minimality: "single features left out" };

/** @param {{uid: string, query: URLSearchParams, rows: any[]}} props */
function Measured({ uid, query, rows }) {
  const curves = rows.filter((row) => ["faithfulness", "completeness", "random", "edges", "pruning", "minimality"].includes(row.kind));
  if (!curves.length) return html`<${Empty} title="This circuit was not ablated">It may have been imported, or be a single prompt's. <code>circuitstore ablate RECIPE</code> ablates a task's circuit and stores what it measures.<//>`;
  const chosen = CHOICES.map(([name, title, usual, help]) => {
    const options = [...new Set(curves.map((row) => row[name]))].sort();
    const asked = query.get(name) ?? usual;
    return { name, title, help, options, value: options.includes(asked) ? asked : options[0] };
  });
  const own = curves.filter((row) => chosen.every(({ name, value }) => row[name] === value));
  const elsewhere = ["random", "edges", "pruning", "minimality"].filter((kind) => curves.some((row) => row.kind === kind) && !own.some((row) => row.kind === kind));
  return html`
    <form class="fields" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      ${chosen.map(({ name, title, help, options, value }) => html`<${Choice} label=${title} help=${help} options=${options} value=${value} choose=${(/** @type {string} */ to) => change({ [name]: to })} />`)}
    </form>
    <${Headline} rows=${own} />
    <${ByNodes} circuit=${uid} rows=${own} />
    <div class="pair">
      <${ByEdges} circuit=${uid} rows=${own} />
      <${Minimality} circuit=${uid} rows=${own} />
    </div>
    ${elsewhere.length > 0 && html`<p class="faint">With other choices above, there is more: ${elsewhere.map((kind) => KINDS[kind]).join(", ")}.</p>`}`;
}
