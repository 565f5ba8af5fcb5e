/** A matrix as a heat map with its numbers: rows in titled blocks, side by side where there is room. */

import { number } from "../format.js";
import { html } from "../html.js";
import { Figure } from "./figure.js";
import { fitted, widthOf } from "./words.js";

/** @typedef {{value: number, title: string}} Cell */
/** @typedef {{name: string, title: string, href?: string, cells: (Cell | null)[]}} Row */
/** @typedef {{title: string, href?: string, rows: Row[]}} Block */
/** @typedef {{name: string, note?: string}} Column `note`: in a line of its own */

const [ROW, CELL, HEAD, GAP, BETWEEN] = [26, 58, 34, 14, 36];
const [NARROW, WIDE] = [160, 230];

/**
 * `neutral`: the value that has no colour; below it and above it there are two, full at a distance of `span`.
 * @param {{about: import("./figure.js").About, blocks: Block[], columns: Column[], neutral: number, span: number}} props
 */
export function Heatmap({ about, blocks, columns, neutral, span }) {
  return html`<${Figure} about=${about}>
    ${(/** @type {number} */ width) => html`<${Drawn} width=${width} title=${about.title} blocks=${blocks} columns=${columns} neutral=${neutral} span=${span} />`}
  <//>`;
}

/** @param {{width: number, title: string, blocks: Block[], columns: Column[], neutral: number, span: number}} props */
function Drawn({ width, title, blocks, columns, neutral, span }) {
  const cell = Math.max(CELL, ...columns.map((column) => Math.min(widthOf(column.name) + 16, 150)));
  const longest = Math.min(WIDE, 14 + Math.max(...blocks.flatMap((block) => block.rows.map((row) => widthOf(row.name, 13)))));
  const strips = Math.max(1, Math.floor((width + BETWEEN) / (Math.min(longest, NARROW) + columns.length * cell + BETWEEN)));
  const names = Math.max(NARROW, Math.min(longest, (width + BETWEEN) / strips - BETWEEN - columns.length * cell));
  const strip = names + columns.length * cell;
  const { placed, height, across } = laidOut(blocks, strips);
  return html`<svg width=${Math.max(width, strip)} height=${height + HEAD} role="group" aria-label=${title}>
    ${[...Array(across)].map((_, i) => html`<g transform=${`translate(${i * (strip + BETWEEN) + names} 0)`}>
      ${columns.map((column, j) => html`<text class="tick" y="12" text-anchor="middle"><title>${column.name}</title>
        <tspan x=${(j + 0.5) * cell}>${fitted(column.name, cell - 6)}</tspan>${column.note && html`<tspan x=${(j + 0.5) * cell} dy="15">${column.note}</tspan>`}
      </text>`)}
    </g>`)}
    ${placed.map(({ block, strip: i, top }) => html`<g transform=${`translate(${i * (strip + BETWEEN)} ${top + HEAD})`}>
      ${block.title && html`<${Linked} href=${block.href}><text class="block-name" x="0" y="-5">${fitted(block.title, strip - 4)}</text><//>`}
      ${block.rows.map((row, k) => html`<g transform=${`translate(0 ${k * ROW})`}>
        <${Linked} href=${row.href}><title>${row.title}</title><text class="row-name" x="0" y=${ROW / 2 + 4}>${fitted(row.name, names - 12, 13)}</text><//>
        ${row.cells.map((one, j) => html`<${Box} cell=${one} left=${names + j * cell} width=${cell} neutral=${neutral} span=${span} />`)}
      </g>`)}
    </g>`)}
  </svg>`;
}

/** @param {{cell: Cell | null, left: number, width: number, neutral: number, span: number}} props */
function Box({ cell, left, width, neutral, span }) {
  if (!cell) return html`<text class="tick" x=${left + width / 2} y=${ROW / 2 + 4} text-anchor="middle">–</text>`;
  const far = (cell.value - neutral) / span;
  return html`<g class=${far < 0 ? "cell under" : "cell over"}><title>${cell.title}</title>
    <rect x=${left + 1} y="1" width=${width - 2} height=${ROW - 2} rx="3" fill-opacity=${(0.06 + 0.42 * Math.min(1, Math.abs(far))).toFixed(3)} />
    <text class="figure-number" x=${left + width / 2} y=${ROW / 2 + 4} text-anchor="middle">${number(cell.value)}</text>
  </g>`;
}

/** @param {{href?: string, children: any}} props */
const Linked = ({ href, children }) => (href ? html`<a href=${href}>${children}</a>` : html`<g>${children}</g>`);

/**
 * Blocks in their order, down one strip after another, all of about the same height.
 * @param {Block[]} blocks @param {number} strips
 */
function laidOut(blocks, strips) {
  /** @param {Block} block */
  const size = (block) => block.rows.length * ROW + GAP + (block.title ? 18 : 0);
  const goal = blocks.reduce((sum, block) => sum + size(block), 0) / Math.min(strips, blocks.length);
  let [strip, top, tallest] = [0, 0, 0];
  const placed = blocks.map((block) => {
    if (top > 0 && top + size(block) / 2 > goal && strip < strips - 1) [strip, top] = [strip + 1, 0];
    const at = { block, strip, top: top + (block.title ? 18 : 0) };
    top += size(block);
    tallest = Math.max(tallest, top);
    return at;
  });
  return { placed, height: tallest, across: strip + 1 };
}
