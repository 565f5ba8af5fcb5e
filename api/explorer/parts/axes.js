/** The frame of a chart: grid, ticks, the axes' titles, and a legend above, all of it a part of the drawing that is saved. */

import { html } from "../html.js";
import { widthOf } from "./words.js";

/** @typedef {import("./scales.js").Scale} Scale */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */
/** @typedef {{name: string, look: string, isLine?: boolean, mark?: "dot" | "square"}} Entry of a legend */

/** @param {{x: Scale, y: Scale, box: Box, titles: [string, string]}} props */
export const Axes = ({ x, y, box, titles }) => html`
  ${y.ticks.map((tick) => html`<line class="grid" x1=${box.left} x2=${box.right} y1=${y.at(tick)} y2=${y.at(tick)} />
    <text class="tick" x=${box.left - 8} y=${y.at(tick) + 4} text-anchor="end">${y.say(tick)}</text>`)}
  ${x.ticks.map((tick) => html`<line class="grid" x1=${x.at(tick)} x2=${x.at(tick)} y1=${box.top} y2=${box.bottom + 4} />
    <text class="tick" x=${x.at(tick)} y=${box.bottom + 18} text-anchor="middle">${x.say(tick)}</text>`)}
  <text class="axis" x=${(box.left + box.right) / 2} y=${box.bottom + 38} text-anchor="middle">${titles[0]}</text>
  <text class="axis" transform=${`translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)`} text-anchor="middle">${titles[1]}</text>`;

const [GAP, SWATCH, ROW] = [18, 24, 20];

/** Where the entries of a legend go, row by row. @param {Entry[]} entries @param {number} width @returns {{placed: (Entry & {x: number, row: number})[], height: number}} */
export function legendOf(entries, width) {
  let [x, row] = [0, 0];
  const placed = entries.map((entry) => {
    const size = SWATCH + widthOf(entry.name) + GAP;
    if (x > 0 && x + size > width) [x, row] = [0, row + 1];
    x += size;
    return { ...entry, x: x - size, row };
  });
  return { placed, height: entries.length ? (row + 1) * ROW + 6 : 0 };
}

/** @param {{placed: (Entry & {x: number, row: number})[], left: number}} props */
export const Legend = ({ placed, left }) => html`${placed.map(({ name, look, isLine, mark, x, row }) => html`<g class=${look} transform=${`translate(${left + x} ${row * ROW + 12})`}>
  ${isLine && html`<rect class="band" x="0" y="-6" width="18" height="12" /><line class="line" x1="0" x2="18" y1="0" y2="0" />`}
  ${mark === "square" ? html`<rect class="point" x="5.5" y="-3.5" width="7" height="7" />` : html`<circle class="point" cx="9" cy="0" r="3.5" />`}
  <text class="entry" x=${SWATCH} y="4">${name}</text>
</g>`)}`;
