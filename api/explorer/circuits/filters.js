/** Search and filters of the circuits' table: all of them stand in the address. */

import { html, useEffect, useRef, useState } from "../html.js";
import { count, date, short } from "../format.js";
import { Choice } from "../parts/choice.js";
import { nameOf } from "../parts/uids.js";
import { change } from "../routes.js";
import { href, useAnswer } from "../server.js";
import { FILTERS } from "./listing.js";

/** @typedef {import("../server.js").Row} Row */
/** @typedef {{value: string, title: string, same?: string}} Option `same` is another name that an address may have it by */

const TYPING_MS = 150;
const KINDS = [
  { value: "", title: "All", help: "Circuits of whole tasks and of single prompts" },
  { value: "task", title: "Whole tasks", help: "Effects are means over many prompts" },
  { value: "prompt", title: "Single prompts", help: "Each circuit is of one prompt alone" },
];

/** @param {{query: URLSearchParams, rows: Row[]}} props */
export function Filters({ query, rows }) {
  const tasks = named(useAnswer(href("/tasks", { limit: 1000 })).answer?.rows);
  const models = named(useAnswer(href("/models", { limit: 1000 })).answer?.rows);
  const methods = [...new Set(rows.map((row) => row.method))].sort().map((method) => ({ value: method, title: method }));
  const [areRunsWanted, wantRuns] = useState(query.has("run"));
  const runs = useAnswer(areRunsWanted ? href("/queries/runs", { limit: 500 }) : null).answer?.rows ?? [];
  const madeCircuits = runs.filter((/** @type {Row} */ run) => run.circuits > 0);
  const others = ["feature", "dictionary", "prompt", "ablation"].filter((name) => query.has(name));
  return html`<form class="fields" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <${Search} text=${query.get("search") ?? ""} />
    <${Filter} name="task" any="any task" query=${query} options=${tasks} />
    <${Filter} name="model" any="any model" query=${query} options=${models} />
    <${Filter} name="method" any="any method" query=${query} options=${methods} />
    <${Filter} name="run" any="any run" query=${query} onNear=${() => wantRuns(true)}
      options=${madeCircuits.map((/** @type {Row} */ run) => ({ value: run.run, title: titleOf(run) }))} />
    <div class="segments" role="group" aria-label="Found for">
      ${KINDS.map(({ value, title, help }) => html`<button type="button" title=${help} aria-pressed=${(query.get("aggregation") ?? "") === value} onClick=${() => change({ aggregation: value, shown: null })}>${title}</button>`)}
    </div>
    ${others.map((name) => html`<button type="button" aria-pressed="true" title=${`${query.get(name)}: take this filter away`} onClick=${() => change({ [name]: null })}>
      of ${name} ${nameOf(query.get(name) ?? "")} <span aria-hidden="true">×</span><span class="hidden">: take this filter away</span>
    </button>`)}
    ${FILTERS.some((name) => query.get(name)) && html`<button type="button" class="quiet" onClick=${clear}>Clear</button>`}
  </form>`;
}

/** Its uid names what was imported, or the task. @param {Row} run */
function titleOf({ run, command, started_at: began, circuits }) {
  const name = run.split(":").slice(1).join(" ");
  return `${name.startsWith(command) ? "" : `${command} `}${name}${began ? `, ${date(began)}` : ""}${circuits > 1 ? `: ${count(circuits)} circuits` : ""}`;
}

export const clear = () => change({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), shown: null });

/** @param {Row[] | undefined} rows @returns {Option[]} */
function named(rows = []) {
  const options = new Map(rows.map((row) => [row.name, { value: row.name, title: row.name, same: row.uid }]));
  return [...options.values()].sort((a, b) => a.title.localeCompare(b.title));
}

/** @param {{name: string, any: string, query: URLSearchParams, options: Option[], onNear?: () => void}} props */
function Filter({ name, any, query, options, onNear }) {
  const given = query.get(name) ?? "";
  const known = options.find(({ value, same }) => value === given || same === given);
  const all = known || !given ? options : [{ value: given, title: short(given) }, ...options];
  return html`<${Choice} label=${name} options=${[{ value: "", title: any }, ...all]} value=${known?.value ?? given} onNear=${onNear} choose=${(/** @type {string} */ to) => change({ [name]: to, shown: null })} />`;
}

/** What is typed is looked for once the typing pauses; until then it stays, whatever else arrives. @param {{text: string}} props */
function Search({ text }) {
  const [draft, setDraft] = useState(text);
  const asked = useRef(text);
  const timer = useRef(0);
  useEffect(() => {
    if (text === asked.current) return;
    asked.current = text; // of a step back, or of all filters cleared
    clearTimeout(timer.current);
    setDraft(text);
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []); // the address may be another view's by then
  /** @param {any} event */
  const typed = ({ target: { value } }) => {
    setDraft(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      asked.current = value.trim();
      change({ search: asked.current, shown: null }, { replace: true });
    }, TYPING_MS);
  };
  return html`<label class="search">search
    <input type="search" placeholder="A name, a uid, a prompt's text" autocomplete="off" spellcheck=${false} value=${draft} onInput=${typed} />
  </label>`;
}
