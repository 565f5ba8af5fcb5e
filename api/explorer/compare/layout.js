/** Where each part of two circuits stands: layers upwards, what the left has alone to the left, what both have in the middle. */

import { sizeOf } from "./parts.js";

/** @typedef {import("./parts.js").Part} Part @typedef {import("./parts.js").Where} Where */
/** @typedef {{part: Part, x: number, y: number, r: number}} Mark */
/** @typedef {{from: number, to: number}} Span */
/** @typedef {{marks: Mark[], rows: {layer: number, top: number, bottom: number}[], columns: Record<Where, Span>, height: number}} Layout */

export const TOP = 88;
const GUTTER = 44;
const GAP = 10;
const [LEAST, LARGEST] = [4, 18];
/** @type {Where[]} */
const ORDER = ["left", "both", "right"];

/** A radius whose disc is as large as the value. @param {number} value @param {number} largest */
export const radius = (value, largest) => (largest > 0 ? Math.max(LEAST, LARGEST * Math.sqrt(Math.abs(value) / largest)) : LEAST + 2);

/** @param {Part[]} parts @param {"effect" | "weight"} measure @param {number} width @returns {Layout} */
export function layout(parts, measure, width) {
  const largest = Math.max(0, ...parts.map((part) => sizeOf(part, measure)));
  const columns = columnsOf(parts, width);
  const layers = [...new Set(parts.map((part) => part.layer))].sort((a, b) => b - a);
  /** @type {Mark[]} */
  const marks = [];
  let top = TOP;
  const rows = layers.map((layer) => {
    const own = parts.filter((part) => part.layer === layer).sort((a, b) => sizeOf(b, measure) - sizeOf(a, measure) || a.index - b.index);
    const cells = ORDER.map((where) => flow(own.filter((part) => part.where === where), measure, largest, columns[where]));
    const height = Math.max(26, ...cells.map((cell) => cell.height)) + 8;
    for (const cell of cells) marks.push(...cell.marks.map((mark) => ({ ...mark, y: top + (height - cell.height) / 2 + mark.y })));
    top += height;
    return { layer, top: top - height, bottom: top };
  });
  return { marks, rows, columns, height: top + 8 };
}

/** Each column's width goes by what stands in it, and none is too small for its title. @param {Part[]} parts @param {number} width */
function columnsOf(parts, width) {
  const room = width - GUTTER - 2 * GAP;
  const shares = ORDER.map((where) => Math.max(0.2, Math.sqrt(parts.filter((part) => part.where === where).length / Math.max(1, parts.length))));
  const sum = shares.reduce((a, b) => a + b, 0);
  let from = GUTTER;
  const spans = shares.map((share) => {
    const span = { from, to: from + (room * share) / sum };
    from = span.to + GAP;
    return span;
  });
  return /** @type {Record<Where, Span>} */ (Object.fromEntries(ORDER.map((where, i) => [where, spans[i]])));
}

/** Discs in lines, the largest first, each line in the middle of its column. @param {Part[]} parts @param {"effect" | "weight"} measure @param {number} largest @param {Span} span */
function flow(parts, measure, largest, span) {
  /** @type {Mark[][]} */
  const lines = [];
  let x = Infinity;
  for (const part of parts) {
    const r = radius(sizeOf(part, measure), largest);
    if (x + 2 * r > span.to - GAP) {
      lines.push([]);
      x = span.from + GAP;
    }
    lines[lines.length - 1]?.push({ part, x: x + r, y: 0, r });
    x += 2 * r + 3;
  }
  let height = 0;
  for (const line of lines) {
    const tall = 2 * Math.max(...line.map((mark) => mark.r));
    const last = /** @type {Mark} */ (line[line.length - 1]);
    const shift = Math.max(0, (span.to - GAP - last.x - last.r) / 2);
    for (const mark of line) Object.assign(mark, { x: mark.x + shift, y: height + tall / 2 });
    height += tall + 3;
  }
  return { marks: lines.flat(), height: Math.max(0, height - 3) };
}

/** The mark that an arrow key leads to. @param {Mark[]} marks @param {Mark | null} from @param {string} key */
export function next(marks, from, key) {
  if (!from) return marks[0] ?? null;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  /** @type {Mark | null} */
  let best = null;
  let least = Infinity;
  for (const mark of marks) {
    const along = dx * (mark.x - from.x) + dy * (mark.y - from.y);
    const aside = Math.abs(dx ? mark.y - from.y : mark.x - from.x);
    if (along <= 1 || (dy && mark.part.layer === from.part.layer && aside > along)) continue;
    if (along + 3 * aside < least) [best, least] = [mark, along + 3 * aside];
  }
  return best ?? from;
}
