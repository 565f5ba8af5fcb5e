/** The catalogue of queries, folder by folder: what can be asked. */

import { titleOf } from "./question.js";
import { Twin } from "../parts/bits.js";
import { grouped } from "../parts/groups.js";
import { Empty, Shown } from "../parts/states.js";
import { html } from "../html.js";
import { change } from "../routes.js";
import { useAnswer } from "../server.js";
import { style } from "../style.js";

style("questions");

/** What a folder's queries are about; one that is not listed here stands under its name. @type {Record<string, string>} */
const FOLDERS = {
  structure: "What a circuit is made of",
  paths: "What leads to what",
  evidence: "What was tested, and what to believe",
  recurrence: "What recurs from circuit to circuit",
  lineage: "How features continue from layer to layer",
  clusters: "What belongs together",
  provenance: "Where results came from",
};

/** @param {{route: import("../routes.js").Route}} props */
export default function Questions({ route }) {
  const text = route.query.get("filter") ?? "";
  return html`<div class="page">
    <header>
      <h1>Ask</h1><${Twin} path="/queries" /><span class="spacer"></span><a href="/queries/cypher">Write Cypher of your own</a>
      <p class="lead">Every question that the catalogue knows: choose one, fill in what it is about, and read the answer as a table or a picture.</p>
    </header>
    <div class="fields"><label>Filter
      <input type="search" value=${text} placeholder="paths, shared, ablated …" onInput=${(/** @type {any} */ event) => change({ filter: event.target.value }, { replace: true })} />
    </label></div>
    <${Shown} asked=${useAnswer("/queries")}>${(/** @type {any} */ answer) => html`<${Catalogue} rows=${answer.rows.filter(matching(text))} />`}<//>
  </div>`;
}

/** Whether all the words stand somewhere in it. @param {string} text @returns {(row: any) => boolean} */
const matching = (text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    const all = [row.name.replaceAll("_", " "), row.name, row.folder, FOLDERS[row.folder], row.summary, ...row.params.map((/** @type {any} */ param) => param.name), ...Object.keys(row.returns)].join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  };
};

/** @param {{rows: any[]}} props */
function Catalogue({ rows }) {
  if (!rows.length) return html`<${Empty} title="No query is like this"><a href="/queries/cypher">Write one in Cypher</a>, or look for another word.<//>`;
  const folders = grouped(rows, (row) => row.folder);
  const order = [...new Set([...Object.keys(FOLDERS), ...folders.keys()])].filter((folder) => folders.has(folder));
  return html`<div class="catalogue">${order.map((folder) => html`<section aria-labelledby=${`folder-${folder}`}>
    <h2 id=${`folder-${folder}`}>${FOLDERS[folder] ?? titleOf(folder)} <small>${folder}</small></h2>
    <ul>${(folders.get(folder) ?? []).map((row) => html`<${Entry} row=${row} />`)}</ul>
  </section>`)}</div>`;
}

/** @param {{row: any}} props */
function Entry({ row }) {
  const needed = row.params.filter((/** @type {any} */ param) => param.required).map((/** @type {any} */ param) => param.name);
  return html`<li><a href=${row.href}>
    <strong>${titleOf(row.name)}</strong>${needed.map((/** @type {string} */ name) => html`<span class="tag" title="Needs to be filled in">${name}</span>`)}
    <span class="summary">${row.summary}</span>
  </a></li>`;
}
