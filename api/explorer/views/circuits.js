/** All circuits that are stored: find one, or two to compare. */

import { html } from "../html.js";
import { ChosenBar, chosenOf, toggle } from "../circuits/chosen.js";
import { clear, Filters } from "../circuits/filters.js";
import { FILTERS, FIRST, STEP, twinOf, useCircuits, useCurves } from "../circuits/listing.js";
import { count, date, number } from "../format.js";
import { Twin } from "../parts/bits.js";
import { Sparkline } from "../parts/sparkline.js";
import { Empty, Failed, Waiting } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { change } from "../routes.js";
import { style } from "../style.js";
import { at } from "../server.js";

/** @typedef {import("../server.js").Row} Row */

/** @param {{route: import("../routes.js").Route}} props */
export default function Circuits({ route }) {
  style("circuits");
  const { query } = route;
  const listing = useCircuits(query);
  const curves = useCurves(listing.rows);
  const chosen = chosenOf(query);
  const isFiltered = FILTERS.some((name) => query.get(name));
  const isEmpty = listing.isThere && !listing.rows.length;
  return html`<div class="page circuits">
    <header>
      <h1>Circuits</h1>
      <${Twin} path=${twinOf(query)} />
      <p class="lead">A circuit is the part of a language model that carries out a task, or answers a prompt: features, and what they do to each other.
        Open one to see its graph; choose two to compare them.</p>
    </header>
    ${(isFiltered || !isEmpty) && html`<${Filters} query=${query} rows=${listing.rows} />`}
    ${listing.error ? html`<${Failed} error=${listing.error} />`
      : isEmpty ? (isFiltered ? html`<${NoneFound} />` : html`<${NoneStored} />`)
      : listing.isThere ? html`<${Listed} listing=${listing} curves=${curves} chosen=${chosen} shown=${Number(query.get("shown")) || FIRST} />`
      : listing.isSlow && html`<${Waiting} />`}
    <${ChosenBar} chosen=${chosen} rows=${listing.rows} />
  </div>`;
}

/** @param {{listing: import("../circuits/listing.js").Listing, curves: Map<string, any[]>, chosen: string[], shown: number}} props */
function Listed({ listing, curves, chosen, shown }) {
  const columns = [
    { name: "chosen", title: /** @type {any} */ (html`<span class="hidden">choose</span>`), isSortable: false, show: (/** @type {any} */ _, /** @type {Row} */ row) => html`<input type="checkbox" aria-label=${`Choose ${row.name} to compare it`} checked=${chosen.includes(row.uid)} onChange=${() => toggle(chosen, row.uid)} />` },
    { name: "name", title: "circuit", show: (/** @type {any} */ _, /** @type {Row} */ row) => html`<${Name} row=${row} />` },
    { name: "task", isSortable: false, isExtra: true, show: cut },
    { name: "model", isSortable: false, show: cut },
    { name: "method", isSortable: false, isExtra: true, show: cut, help: "How nodes and edges were attributed" },
    { name: "n_nodes", title: "nodes", isNumber: true, show: count },
    { name: "n_edges", title: "edges", isNumber: true, show: count },
    { name: "faithfulness", isNumber: true, help: "What the circuit alone recovers of what the model does, on held-out prompts: 1 is all of it. The curve shows it by size, from the strongest feature to all.",
      show: (/** @type {number | null} */ value, /** @type {Row} */ row) => html`<${Faithfulness} value=${value} points=${curves.get(row.uid)} />` },
    { name: "created_at", title: "found", isExtra: true, isNumber: true, show: date },
  ];
  const [tasks, prompts] = ["task", "prompt"].map((kind) => count(listing.rows.filter((row) => row.aggregation === kind).length));
  const first = listing.hasMore ? "the first " : "";
  const groups = /** @type {Record<string, string>} */ ({ task: `Whole tasks (${tasks}): effects are means over many prompts`, prompt: `Single prompts (${first}${prompts})` });
  return html`<div class=${listing.isOld ? "old" : undefined} aria-busy=${listing.isOld} onKeyDown=${walk}>
    <p class="hidden" role="status">${tasks} circuits of whole tasks and ${first}${prompts} of single prompts are listed.</p>
    <${Table} columns=${columns} rows=${listing.rows} caption="Circuits" keyOf=${(/** @type {Row} */ row) => row.uid} selected=${chosen} param="sort" sort="name" isDescending=${false} isSorted
      groupOf=${(/** @type {Row} */ row) => groups[row.aggregation] ?? row.aggregation}
      onMore=${listing.hasMore ? () => change({ shown: shown - (shown % STEP) + STEP }, { replace: true }) : undefined} />
  </div>`;
}

/** @param {{row: Row}} props */
const Name = ({ row }) => html`<a class=${row.aggregation === "task" ? "name strong" : "name"} href=${at("circuits", row.uid)} title=${row.uid}>${row.name}</a>
  ${row.prompt && row.prompt !== row.name && html`<div class="prompt faint">${row.prompt}</div>`}`;

/** Long names give way: they are whole when pointed at. @param {string | null} text */
const cut = (text) => (text ? html`<div class="cut" title=${text}>${text}</div>` : html`<span class="faint">–</span>`);

/** @param {{value: number | null, points: any[] | undefined}} props */
const Faithfulness = ({ value, points }) =>
  value === null ? html`<span class="faint" title="Not measured. circuitstore ablate RECIPE measures it.">–</span>` : html`<span class="faithfulness">${points && html`<${Sparkline} points=${points} />`}<span>${number(value)}</span></span>`;

/** Up and down lead from circuit to circuit, x chooses one. @param {KeyboardEvent} event */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target instanceof Element ? event.target.closest("tr") : null;
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "x") /** @type {HTMLElement | null} */ (row.querySelector("[type=checkbox]"))?.click();
  if (!step) return;
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("a.name")]);
  const at = links.findIndex((link) => row.contains(link));
  links[at + step]?.focus();
  event.preventDefault();
}

const NoneStored = () => html`<div class="state empty none-stored">
  <strong>No circuits are stored yet</strong>
  <p>Each of these puts some there:</p>
  <dl class="keys">
    <dt><code>make demo</code></dt><dd>finds the circuit of a task in a real language model, tests and stores it: two to three minutes</dd>
    <dt><code>circuitstore import FILE</code></dt><dd>takes one that another tool has found</dd>
    <dt><code>circuitstore ingest RECIPE</code></dt><dd>finds one, for a model and a task of yours</dd>
  </dl>
</div>`;

const NoneFound = () => html`<${Empty} title="No circuit is like this">
  <button onClick=${clear}>Show all circuits</button>
<//>`;
