/** One query of the catalogue: its form, its answer, and the text behind it. */

import { Examples } from "../question/examples.js";
import { Form } from "../question/form.js";
import { Results } from "../question/results.js";
import { Statement } from "../question/statement.js";
import { Twin } from "../parts/bits.js";
import { Empty, Failed, Shown, Stopped, Waiting } from "../parts/states.js";
import { html, useState } from "../html.js";
import { change } from "../routes.js";
import { askAnew, at, href, useAnswer } from "../server.js";
import { style } from "../style.js";

style("question");

/** @param {{route: import("../routes.js").Route}} props */
export default function Question({ route }) {
  const catalogue = useAnswer("/queries");
  return html`<${Shown} asked=${catalogue}>${(/** @type {any} */ answer) => {
    const question = answer.rows.find((/** @type {any} */ row) => row.name === route.uid);
    return question ? html`<${Asked} question=${question} query=${route.query} />` : html`<${Empty} title=${`The catalogue has no query ${route.uid}`}><a href="/queries">All of its queries</a><//>`;
  }}<//>`;
}

/** @param {{question: any, query: URLSearchParams}} props */
function Asked({ question, query }) {
  const [times, setTimes] = useState(0);
  /** @type {[string, string][]} */
  const known = question.params.map((/** @type {any} */ param) => [param.name, query.get(param.name) ?? ""]);
  const values = Object.fromEntries(known.filter(([, value]) => value));
  const path = href(at("queries", question.name), values);
  /** @param {import("../question/form.js").Values} wanted */
  const ask = (wanted) => {
    const all = Object.fromEntries(known.map(([name]) => [name, wanted[name] ?? null]));
    if (href("", wanted) === href("", values)) setTimes(times + 1); // the same again: it may be answered otherwise by now
    askAnew();
    change(all);
  };
  return html`<div class="page question">
    <header>
      <h1>${titleOf(question.name)}</h1><${Twin} path=${path} /><span class="spacer"></span><a href="/queries">All queries</a>
      <p class="lead">${question.summary}</p>
    </header>
    <${Answered} key=${`${path} ${times}`} question=${question} values=${values} path=${path} ask=${ask} isTable=${query.get("view") === "table"} />
  </div>`;
}

/** @param {{question: any, values: import("../question/form.js").Values, path: string, ask: (values: any) => void, isTable: boolean}} props */
function Answered({ question, values, path, ask, isTable }) {
  const missing = question.params.filter((/** @type {any} */ param) => param.required && !values[param.name]);
  const [isStopped, setStopped] = useState(false);
  const { answer, error, isSlow } = useAnswer(missing.length || isStopped ? null : path);
  const isRefused = error && [400, 404, 422].includes(error.status);
  const limit = Number(values.limit ?? question.params.find((/** @type {any} */ param) => param.name === "limit")?.default ?? 0);
  return html`
    <div class="asked">
      <${Form} params=${question.params} given=${values} error=${isRefused ? error : null} ask=${ask} />
      <div class="answer" aria-busy=${!missing.length && !isStopped && !answer && !error}>
        ${missing.length > 0 && html`<${Examples} question=${question} values=${values} missing=${missing} />`}
        ${error && !isRefused && html`<${Failed} error=${error} again=${() => ask(values)} />`}
        ${isRefused && html`<${Empty} title="This was not asked">The form says what is wrong with it.<//>`}
        ${isSlow && html`<${Waiting} stop=${() => setStopped(true)} />`}
        ${isStopped && html`<${Stopped} again=${() => setStopped(false)} />`}
        <p class="hidden" role="status">${answer && `${answer.rows.length} rows`}</p>
        ${answer && html`<${Results} name=${question.name} answer=${answer} helps=${question.returns} path=${path} limit=${limit} isTable=${isTable} filledBy=${question.filled_by} />`}
        <${Statement} question=${question} values=${values} />
      </div>
    </div>`;
}

/** @param {string} name */
export const titleOf = (name) => `${name[0]?.toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
