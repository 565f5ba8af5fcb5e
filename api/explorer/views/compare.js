/** Two circuits: what they share, what each has alone, and how alike the shared is. */

import { Overlap } from "../compare/overlap.js";
import { Alike } from "../compare/alike.js";
import { Agreement } from "../compare/agreement.js";
import { compared } from "../compare/parts.js";
import { Picture } from "../compare/picture.js";
import { Sides } from "../compare/sides.js";
import { PartTable } from "../compare/table.js";
import { html, useMemo } from "../html.js";
import { useKeys } from "../keys.js";
import { Twin } from "../parts/bits.js";
import { Empty, Failed, Waiting } from "../parts/states.js";
import { change } from "../routes.js";
import { at, href, useAnswer, useLatest } from "../server.js";
import { style } from "../style.js";

/** @typedef {import("../server.js").Row} Row */

const NODES = 10_000;
const EDGES = 5000;

/** @param {{route: import("../routes.js").Route}} props */
export default function Compare({ route }) {
  style("compare");
  const [left, right] = ["left", "right"].map((side) => route.query.get(side) ?? "");
  const [ofLeft, ofRight] = [useAnswer(left ? at("circuits", left) : null), useAnswer(right ? at("circuits", right) : null)];
  const rows = { left: ofLeft.answer?.rows[0] ?? null, right: ofRight.answer?.rows[0] ?? null };
  const isComparable = rows.left && rows.right && rows.left.model === rows.right.model;
  /** Nothing to compare with: no other is chosen, or it is not to be had. @param {string} uid @param {import("../server.js").Asked} asked */
  const isWithout = (uid, asked) => !uid || Boolean(asked.error);
  const isOfTwoModels = rows.left && rows.right && !isComparable;
  const query = href("/queries/compare_circuits", { circuit: left, other: right, limit: NODES });
  useKeys([{ key: "s", does: "swap left and right", run: () => change({ left: right, right: left }) }], [left, right]);
  return html`<div class="page compare">
    <header>
      <h1>Compare</h1>
      ${left && right && html`<${Twin} path=${query} />`}
      <p class="lead">Two circuits laid over each other: what both have is in the middle, the rest at the sides.</p>
    </header>
    <${Sides} left=${left} right=${right} rows=${rows} />
    ${[ofLeft, ofRight].map(({ error }) => error && html`<${Failed} error=${error} />`)}
    ${(ofLeft.isSlow || ofRight.isSlow) && html`<${Waiting} />`}
    ${(!left || !right) && html`<${Empty} title=${left || right ? "Choose another circuit" : "Choose two circuits"}>Start to type a name above, or choose two in the <a href="/">table of circuits</a>.<//>`}
    ${rows.left && rows.right && (isComparable ? html`<${Both} left=${rows.left} right=${rows.right} query=${query} />` : html`<${TwoModels} left=${rows.left} right=${rows.right} />`)}
    ${rows.left && (isOfTwoModels || isWithout(right, ofRight)) && html`<${Alike} circuit=${rows.left} as=${(/** @type {string} */ other) => href("/compare", { left, right: other })} />`}
    ${rows.right && isWithout(left, ofLeft) && html`<${Alike} circuit=${rows.right} as=${(/** @type {string} */ other) => href("/compare", { left: other, right })} />`}
  </div>`;
}

/** @param {{left: Row, right: Row, query: string}} props */
function Both({ left, right, query }) {
  const [ofLeft, ofRight] = [left, right].map(({ uid }) => useLatest(href(`${at("circuits", uid)}/graph`, { top_nodes: NODES, limit: EDGES })));
  const error = ofLeft?.error ?? ofRight?.error;
  const [graphLeft, graphRight] = [ofLeft?.answer, ofRight?.answer];
  const both = useMemo(() => graphLeft && graphRight && compared(graphLeft, graphRight), [graphLeft, graphRight]);
  const names = { left: left.name, right: right.name };
  if (error) return html`<${Failed} error=${error} />`;
  if (!both) return ofLeft?.isSlow || ofRight?.isSlow ? html`<${Waiting} />` : null;
  if (!both.parts.length) return html`<${Empty} title="Nothing to compare">Neither circuit has features, heads or MLPs: their nodes are error terms, tokens and the output alone.<//>`;
  return html`<div class="sections" aria-busy=${Boolean(ofLeft?.isOld || ofRight?.isOld)}>
    <${Overlap} compared=${both} names=${names} isCut=${[left, right].some((row) => row.n_edges > EDGES)} />
    <${Remarks} compared=${both} left=${left} right=${right} />
    <div class="pictures">
      <${Picture} compared=${both} names=${names} query=${query} />
      <${Agreement} compared=${both} names=${names} />
    </div>
    <${PartTable} compared=${both} names=${names} />
  </div>`;
}

/** What a reader should know before the figures are believed. @param {{compared: import("../compare/parts.js").Compared, left: Row, right: Row}} props */
function Remarks({ compared: { parts }, left, right }) {
  /** @param {"left" | "right"} side */
  const dictionaries = (side) => new Set(parts.filter((part) => part[side] && part.feature).map((part) => part.feature?.replace(/:\d+$/, "")));
  const [ofLeft, ofRight] = [dictionaries("left"), dictionaries("right")];
  if (left.uid === right.uid) return html`<p class="remark">Both sides are the same circuit. Choose another for one of them.</p>`;
  if (parts.some((part) => part.where === "both")) return left.task !== right.task && html`<p class="remark">The two are of different tasks: the effects of each are on its own metric.</p>`;
  if (ofLeft.size && ofRight.size && ![...ofLeft].some((one) => ofRight.has(one))) {
    return html`<p class="remark">They share nothing, and cannot: their features come from different dictionaries (${[...ofLeft][0]} and others; ${[...ofRight][0]} and others).</p>`;
  }
  return html`<p class="remark">They share nothing: each part below is in one of them alone.</p>`;
}

/** @param {{left: Row, right: Row}} props */
const TwoModels = ({ left, right }) => html`<${Empty} title="Two models cannot be compared part by part">
  The left circuit is of ${left.model ?? "a model that is not known"}, the right one of ${right.model ?? "a model that is not known"}: feature 5 of one has nothing to do with feature 5 of the other.
  Choose two circuits of one model.
<//>`;
