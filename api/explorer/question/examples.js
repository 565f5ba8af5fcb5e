/** Where a query still lacks what it is about: a few things that are stored, to begin with. */

import { html } from "../html.js";
import { kindOf } from "../parts/uids.js";
import { at, href } from "../server.js";
import { useSuggestions } from "./suggestions.js";

const OFFERED = 6;

/** Paths into a node are best begun with an output, never with a token, and those out of one the other way round. @param {string} name @param {import("./suggestions.js").Suggestion[]} all */
function inOrder(name, all) {
  const outputs = ["metric", "logit"];
  const [first, never] = /^(upstream|confirmed)_/.test(name) ? [outputs, ["token"]] : /^downstream_/.test(name) ? [["token"], outputs] : [[], []];
  const rank = (/** @type {import("./suggestions.js").Suggestion} */ { value }) => Number(!first.includes(kindOf(value)));
  return all.filter(({ value }) => !never.includes(kindOf(value))).sort((a, b) => rank(a) - rank(b));
}

/** @param {{question: any, values: import("./form.js").Values, missing: import("./form.js").Param[]}} props `missing`: at least one */
export function Examples({ question, values, missing }) {
  const first = /** @type {import("./form.js").Param} */ (missing[0]);
  const offered = inOrder(question.name, useSuggestions(first, values, true)).slice(0, OFFERED);
  const names = missing.map((param) => param.name.replaceAll("_", " ")).join(" and ");
  return html`<section class="examples">
    <h2>What is it about?</h2>
    <p>Fill in ${names}. ${first.type === "uid" ? "The field offers what is stored while you type." : first.help}</p>
    ${offered.length > 0 && html`<p>Or begin with:</p>
      <ul>${offered.map((one) => html`<li><a href=${href(at("queries", question.name), { ...values, [first.name]: one.value })} title=${one.value}>${one.text || one.value}</a></li>`)}</ul>`}
  </section>`;
}
