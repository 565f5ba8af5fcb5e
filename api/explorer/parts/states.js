/** What stands where something is to come, is not there, or could not be had. */

import { html, useState } from "../html.js";
import { isExported, setKey } from "../server.js";

/** @typedef {import("../server.js").Asked} Asked @typedef {import("../server.js").Problem} Problem */

/** Once a spinner is due. */
export const Waiting = () => html`<p class="state" role="status"><span class="spinner" aria-hidden="true"></span>Loading…</p>`;

/** @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`<div class="state empty"><strong>${title}</strong><p>${children}</p></div>`;

/** @param {{error: Problem, again?: () => void}} props */
export function Failed({ error, again = () => location.reload() }) {
  if (error.status === 401) return html`<${AskForKey} />`;
  const title = { 0: "No answer", 404: "Not found", 503: "The database is away, or too slow for this" }[error.status] ?? "This did not work";
  return html`<div class="state failed" role="alert">
    <strong>${title}</strong>
    <p>${error.message}</p>
    ${error.status !== 404 && html`<button onClick=${again}>Try again</button>`} ${!isExported() && html`<a href="/">All circuits</a>`}
  </div>`;
}

/** What was asked for, once it is there: `children` makes it of the answer. @param {{asked: Asked, children: (answer: any) => any}} props */
export function Shown({ asked, children }) {
  if (asked.error) return html`<${Failed} error=${asked.error} />`;
  if (asked.answer) return children(asked.answer);
  return asked.isSlow ? html`<${Waiting} />` : null;
}

function AskForKey() {
  const [key, setText] = useState("");
  /** @param {Event} event */
  const take = (event) => {
    event.preventDefault();
    setKey(key);
    location.reload();
  };
  return html`<form class="state" onSubmit=${take}>
    <strong>This service needs an API key</strong>
    <p>Its operator makes one with <code>circuitstore keys add NAME</code>. It is kept until this tab is closed.</p>
    <label>Key <input type="password" autocomplete="off" value=${key} onInput=${(/** @type {any} */ e) => setText(e.target.value)} /></label>
    <button>Use it</button>
  </form>`;
}
