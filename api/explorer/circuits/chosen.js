/** The circuits that were chosen for comparison, at most two: what was chosen first gives way. */

import { html } from "../html.js";
import { useKeys } from "../keys.js";
import { change, go } from "../routes.js";
import { href } from "../server.js";

/** @typedef {import("../server.js").Row} Row */

/** @param {URLSearchParams} query */
export const chosenOf = (query) => (query.get("chosen") ?? "").split(",").filter(Boolean).slice(-2);

/** @param {string[]} chosen @param {string} uid */
export function toggle(chosen, uid) {
  const kept = chosen.includes(uid) ? chosen.filter((one) => one !== uid) : [...chosen, uid].slice(-2);
  change({ chosen: kept.join(",") }, { replace: true });
}

/** @param {{chosen: string[], rows: Row[]}} props */
export function ChosenBar({ chosen, rows }) {
  const address = href("/compare", { left: chosen[0], right: chosen[1] });
  const clear = () => change({ chosen: null }, { replace: true });
  useKeys([
    { key: "c", does: "compare the two circuits that are chosen", run: () => chosen.length === 2 && go(address) },
    { key: "Escape", does: "choose none", run: clear },
  ], [chosen.join()]);
  if (!chosen.length) return null;
  return html`<div class="chosen" role="status">
    ${chosen.map((uid) => html`<span class="one">${rows.find((row) => row.uid === uid)?.name ?? uid.split(":")[0]}
      <button class="quiet" onClick=${() => toggle(chosen, uid)} title="Choose it no longer"><span aria-hidden="true">×</span><span class="hidden">Choose it no longer</span></button></span>`)}
    ${chosen.length === 1 && html`<span class="faint">Choose a second circuit to compare it with.</span>`}
    <span class="spacer"></span>
    <button class="quiet" onClick=${clear}>Clear</button>
    ${chosen.length === 2 ? html`<a class="button primary" href=${address} title="c">Compare</a>` : html`<button disabled>Compare</button>`}
  </div>`;
}
