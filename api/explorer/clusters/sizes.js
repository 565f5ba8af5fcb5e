/** Sizes of clusters as one bar, cut into its parts. */

import { html } from "../html.js";

/** @param {{sizes: string | null, left?: number | null}} props `sizes` as the store has them, "6 5 4"; `left`: features in no cluster */
export function Sizes({ sizes, left }) {
  const all = (sizes ?? "").split(" ").filter(Boolean).map(Number);
  if (!all.length) return html`<span class="faint">–</span>`;
  return html`<span class="sizes" role="img" aria-label=${`sizes ${all.join(", ")}${left ? `; ${left} in none` : ""}`} title=${`${all.join(", ")}${left ? `; ${left} in none` : ""}`}>
    ${all.slice(0, 40).map((size) => html`<span style=${{ flexGrow: size }}></span>`)}
    ${left ? html`<span class="none" style=${{ flexGrow: left }}></span>` : null}
  </span>`;
}
