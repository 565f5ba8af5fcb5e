/** How much two circuits have in common, in a few figures. */

import { count, number } from "../format.js";
import { html } from "../html.js";
import { agreement } from "../parts/scatter.js";
import { sums, valueOf } from "./parts.js";

/** @typedef {import("./parts.js").Compared} Compared @typedef {import("./parts.js").Where} Where */

/** @param {{compared: Compared, names: {left: string, right: string}, isCut: boolean}} props `isCut`: not all edges are here */
export function Overlap({ compared, names, isCut }) {
  const { parts, links, measure } = compared;
  const shared = parts.filter((part) => part.where === "both");
  const effects = agreement(shared.map((part) => ({ x: valueOf(part.left, measure) ?? 0, y: valueOf(part.right, measure) ?? 0 })));
  const weights = agreement(links.filter((link) => link.where === "both").map((link) => ({ x: link.left ?? 0, y: link.right ?? 0 })));
  const isOfFeatures = parts.every((part) => part.kind === "feature");
  return html`<div class="overlap">
    <${Bar} title=${isOfFeatures ? "Features" : "Parts"} all=${sums(parts)} names=${names} />
    <${Bar} title=${isCut ? "Strongest edges" : "Edges between them"} all=${sums(links)} names=${names} />
    <dl class="figures">
      <div title="Pearson's r over what both have. 1: they do the same in both, up to a factor."><dt>${measure === "effect" ? "Correlation of shared effects" : "Correlation of shared parts' weights"}</dt><dd>${correlation(effects.r)}</dd></div>
      <div title="Pearson's r over the edges that both have"><dt>Correlation of shared edges</dt><dd>${correlation(weights.r)}</dd></div>
    </dl>
  </div>`;
}

/** @param {number | null} r */
const correlation = (r) => (r === null ? html`<span class="faint" title="Too few are shared">–</span>` : r.toFixed(3).replace("-", "−"));

/** @param {{title: string, all: ReturnType<typeof sums>, names: {left: string, right: string}}} props */
function Bar({ title, all, names }) {
  /** @type {[Where, number, string][]} */
  const stretches = [["left", all.left, `only in ${names.left}`], ["both", all.both, "in both"], ["right", all.right, `only in ${names.right}`]];
  return html`<div class="shares" role="group" aria-label=${`${title}: ${stretches.map(([, n, where]) => `${n} ${where}`).join(", ")}`}>
    <span>${title}</span>
    <span class="stretches">${stretches.map(([where, n, said]) => n > 0 && html`<span class=${where} style=${{ flexGrow: n }} title=${`${count(n)} ${said}`}>${count(n)}</span>`)}</span>
    <span class="number" title="Jaccard index: what both have over what either has. 1: the same; 0: nothing in common."><span class="faint">Jaccard</span> <strong>${number(all.jaccard)}</strong></span>
  </div>`;
}
