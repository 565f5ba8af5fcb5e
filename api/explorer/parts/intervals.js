/** Named values with their intervals, one a row, on a common scale. */

import { number } from "../format.js";
import { html } from "../html.js";
import { Figure } from "./figure.js";
import { linear } from "./scales.js";
import { fitted, widthOf } from "./words.js";

/** @typedef {{name: string, href?: string, value: number, low: number, high: number}} Interval */

const ROW = 24;

/**
 * `refs`: values that mean something, as lines upwards with a word above.
 * @param {{about: import("./figure.js").About, axis: string, rows: Interval[], refs: {at: number, name: string}[]}} props
 */
export function Intervals({ about, axis, rows, refs }) {
  return html`<${Figure} about=${about}>
    ${(/** @type {number} */ width) => html`<${Drawn} width=${width} title=${about.title} axis=${axis} rows=${rows} refs=${refs} />`}
  <//>`;
}

/** @param {{width: number, title: string, axis: string, rows: Interval[], refs: {at: number, name: string}[]}} props */
function Drawn({ width, title, axis, rows, refs }) {
  const left = Math.min(width * 0.42, 12 + Math.max(...rows.map((row) => widthOf(row.name, 13))));
  const box = { left, top: 26, right: width - 64, bottom: 26 + rows.length * ROW };
  const values = [...rows.flatMap((row) => [row.low, row.high]), ...refs.map((ref) => ref.at)];
  const x = linear(Math.min(...values), Math.max(...values))(box.left + 8, box.right - 8);
  return html`<svg width=${width} height=${box.bottom + 44} role="group" aria-label=${title}>
    ${x.ticks.map((tick) => html`<line class="grid" x1=${x.at(tick)} x2=${x.at(tick)} y1=${box.top} y2=${box.bottom + 4} />
      <text class="tick" x=${x.at(tick)} y=${box.bottom + 18} text-anchor="middle">${x.say(tick)}</text>`)}
    ${refs.map((ref) => html`<line class="ref" x1=${x.at(ref.at)} x2=${x.at(ref.at)} y1=${box.top - 6} y2=${box.bottom} />
      <text class="ref-name" x=${x.at(ref.at)} y=${box.top - 11} text-anchor="middle">${ref.name}</text>`)}
    <text class="axis" x=${(box.left + box.right) / 2} y=${box.bottom + 38} text-anchor="middle">${axis}</text>
    ${rows.map((row, i) => html`<g class="main" transform=${`translate(0 ${box.top + (i + 0.5) * ROW})`}>
      <title>${`${row.name}: ${number(row.value)} (${number(row.low)} to ${number(row.high)})`}</title>
      <${Name} row=${row} room=${box.left - 10} />
      <line class="whisker" x1=${x.at(row.low)} x2=${x.at(row.high)} y1="0" y2="0" /><circle class="point" cx=${x.at(row.value)} cy="0" r="4.5" />
      <text class="figure-number" x=${width - 4} y="4" text-anchor="end">${number(row.value)}</text>
    </g>`)}
  </svg>`;
}

/** @param {{row: Interval, room: number}} props */
function Name({ row, room }) {
  const text = html`<text class="row-name" x="0" y="4">${fitted(row.name, room, 13)}</text>`;
  return row.href ? html`<a href=${row.href}>${text}</a>` : text;
}
