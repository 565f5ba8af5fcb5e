/** A score from 0 to 1, with as much of a bar as it is of 1. */

import { html } from "../html.js";
import { hundredths } from "../format.js";

/** @param {{value: number | null}} props */
export const Score = ({ value }) => (value === null ? html`<span class="faint">–</span>` : html`<span class="score"><meter min="0" max="1" value=${Math.max(0, value)} aria-hidden="true"></meter><span>${hundredths(value)}</span></span>`);
