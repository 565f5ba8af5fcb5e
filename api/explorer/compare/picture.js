/** Two circuits laid over each other: one picture of what they share and what they do not. */

import { count, number } from "../format.js";
import { html, useMemo, useState } from "../html.js";
import { Legend, legendOf } from "../parts/axes.js";
import { Figure } from "../parts/figure.js";
import { addressOf } from "../parts/uids.js";
import { fitted } from "../parts/words.js";
import { go } from "../routes.js";
import { layout, next, radius, TOP } from "./layout.js";
import { sizeOf, valueOf } from "./parts.js";
import { at } from "../server.js";

/** @typedef {import("./parts.js").Compared} Compared @typedef {import("./parts.js").Part} Part @typedef {import("./parts.js").Where} Where */
/** @typedef {import("./layout.js").Mark} Mark */

const DRAWN = 1500;
const NEAR = 20;

/** @param {{compared: Compared, names: {left: string, right: string}, query: string}} props */
export function Picture({ compared, names, query }) {
  const { parts, measure } = compared;
  const shown = useMemo(() => [...parts].sort((a, b) => sizeOf(b, measure) - sizeOf(a, measure)).slice(0, DRAWN), [compared]);
  const how = html`Layers go upwards. ${measure === "effect"
    ? "A disc is as large as a feature's predicted effect on the metric"
    : "A disc is as large as the weight of all edges that leave a part, since one of the circuits has no effects"}; in the middle, its left half is that in the left circuit, its right half
    that in the right one. Point at one to see what it acts on and what acts on it. ${parts.length > DRAWN && `Drawn are the ${count(DRAWN)} largest of ${count(parts.length)}.`}`;
  const columns = ["feature", "kind", "name", "layer", "label", "where", `left_${measure}`, `right_${measure}`];
  const rows = parts.map((part) => ({ ...part, [`left_${measure}`]: valueOf(part.left, measure), [`right_${measure}`]: valueOf(part.right, measure) }));
  return html`<${Figure} about=${{ title: "Overlaid", name: `${names.left}-and-${names.right}`.replaceAll(/[^\w.-]+/g, "-"), how, csv: { columns, rows }, query }}>
    ${(/** @type {number} */ width) => html`<${Drawn} width=${width} parts=${shown} compared=${compared} names=${names} />`}
  <//>`;
}

/** @param {{width: number, parts: Part[], compared: Compared, names: {left: string, right: string}}} props */
function Drawn({ width, parts, compared, names }) {
  const { measure, links } = compared;
  const [read, setRead] = useState(/** @type {string | null} */ (null));
  const placed = useMemo(() => layout(parts, measure, width), [parts, measure, width]);
  const largest = Math.max(0, ...parts.map((part) => sizeOf(part, measure)));
  const base = useMemo(() => html`<g>${placed.marks.map((mark) => html`<a href=${addressOfPart(mark.part)} tabindex="-1"><${Disc} mark=${mark} measure=${measure} largest=${largest} /></a>`)}</g>`, [placed]);
  const at = useMemo(() => new Map(placed.marks.map((mark) => [mark.part.key, mark])), [placed]);
  const mark = (read && at.get(read)) || null;
  const joined = mark ? links.filter(({ source, target }) => (source === read || target === read) && source !== target && at.has(source) && at.has(target)) : [];
  /** @param {any} event */
  const point = (event) => {
    const frame = event.currentTarget.getBoundingClientRect();
    setRead(nearest(placed.marks, event.clientX - frame.left, event.clientY - frame.top)?.part.key ?? null);
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key.startsWith("Arrow")) setRead(next(placed.marks, mark, event.key)?.part.key ?? null);
    else if (event.key === "Escape") setRead(null);
    else if (event.key === "Enter" && mark) go(addressOfPart(mark.part));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const says = mark ? sayings(mark.part, compared, joined.length) : [];
  return html`<div class="overlaid" tabindex="0" role="application" aria-roledescription="picture" onPointerMove=${point} onPointerLeave=${() => setRead(null)} onBlur=${() => setRead(null)} onKeyDown=${press}
      aria-label="Parts of both circuits by layer. Arrow keys lead from part to part, Enter opens one.">
    <svg width=${width} height=${placed.height} aria-hidden="true">
      <${Frame} placed=${placed} compared=${compared} names=${names} width=${width} />
      <g class=${mark ? "marks dim" : "marks"}>${base}</g>
      ${mark && html`<g class="read">
        ${joined.map((link) => html`<path class=${`link ${link.where}`} d=${curve(at.get(link.source), at.get(link.target))} />`)}
        ${[...new Set(joined.flatMap(({ source, target }) => [source, target]))].map((key) => html`<${Disc} mark=${at.get(key)} measure=${measure} largest=${largest} />`)}
        <${Disc} mark=${mark} measure=${measure} largest=${largest} />
        <circle class="ring" cx=${mark.x} cy=${mark.y} r=${mark.r + 3} />
      </g>`}
    </svg>
    ${mark && html`<div class="readout" style=${place(mark, width)} aria-hidden="true">
      <strong>${mark.part.name}</strong>
      ${mark.part.label && html`<div class="faint">${mark.part.label}</div>`}
      <dl>${says.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    </div>`}
    <p class="hidden" aria-live="polite">${mark && `${mark.part.name}, ${mark.part.label}: ${says.map(({ name, value }) => `${name} ${value}`).join(", ")}`}</p>
  </div>`;
}

const TITLES = { left: "only left", both: "in both", right: "only right" };

/** Layers, columns, and what the colours mean. @param {{placed: import("./layout.js").Layout, compared: Compared, names: {left: string, right: string}, width: number}} props */
function Frame({ placed, compared: { parts, measure }, names, width }) {
  const legend = measure === "effect" ? [{ name: "positive effect", look: "positive", mark: /** @type {const} */ ("dot") }, { name: "negative effect", look: "negative", mark: /** @type {const} */ ("dot") }] : [];
  return html`
    <text class="says" x=${44} y="14">${fitted(`left: ${names.left}, right: ${names.right}`, width - 44, 13)}</text>
    <g transform="translate(0 24)"><${Legend} placed=${legendOf(legend, width - 60).placed} left=${44} /></g>
    ${Object.entries(placed.columns).map(([where, { from, to }]) => html`
      <rect class=${`column ${where}`} x=${from} y=${TOP - 34} width=${to - from} height=${placed.height - TOP + 34} rx="6" />
      <text class="entry" x=${(from + to) / 2} y=${TOP - 13} text-anchor="middle">${TITLES[/** @type {Where} */ (where)]}: ${count(parts.filter((part) => part.where === where).length)}</text>`)}
    ${placed.rows.map(({ layer, top, bottom }) => html`
      <line class="grid" x1="0" x2=${width} y1=${top} y2=${top} />
      <text class="tick" x="32" y=${(top + bottom) / 2 + 4} text-anchor="end">${layer}</text>`)}
    <text class="tick" x="32" y=${TOP - 13} text-anchor="end">layer</text>`;
}

/** What both have is in two halves. @param {{mark: Mark | undefined, measure: "effect" | "weight", largest: number}} props */
function Disc({ mark, measure, largest }) {
  if (!mark) return null;
  const { part, x, y } = mark;
  /** @param {import("./parts.js").Side | null} side */
  const look = (side) => (measure === "weight" ? "disc plain" : (valueOf(side, measure) ?? 0) < 0 ? "disc negative" : "disc positive");
  /** @param {import("./parts.js").Side | null} side */
  const size = (side) => radius(valueOf(side, measure) ?? 0, largest);
  if (part.where !== "both") return html`<circle class=${look(part.left ?? part.right)} cx=${x} cy=${y} r=${size(part.left ?? part.right)} />`;
  return html`<path class=${look(part.left)} d=${half(x - 0.5, y, size(part.left), 0)} /><path class=${look(part.right)} d=${half(x + 0.5, y, size(part.right), 1)} />`;
}

/** @param {number} x @param {number} y @param {number} r @param {0 | 1} side */
const half = (x, y, r, side) => `M${x} ${y - r}A${r} ${r} 0 0 ${side} ${x} ${y + r}Z`;

/** @param {Mark | undefined} from @param {Mark | undefined} to */
function curve(from, to) {
  if (!from || !to) return "";
  const middle = (from.y + to.y) / 2;
  const bend = from.part.layer === to.part.layer ? 24 : 0;
  return `M${from.x} ${from.y}C${from.x} ${middle - bend} ${to.x} ${middle - bend} ${to.x} ${to.y}`;
}

/** @param {Part} part @param {Compared} compared @param {number} edges */
function sayings(part, { measure }, edges) {
  const name = measure === "effect" ? "effect" : "weight of its edges";
  return [
    ...(part.left ? [{ name: `${name}, left`, value: number(valueOf(part.left, measure)) }] : []),
    ...(part.right ? [{ name: `${name}, right`, value: number(valueOf(part.right, measure)) }] : []),
    { name: "edges to other parts", value: count(edges) },
  ];
}

/** Beside a mark, on the side that has room: what it is joined to lies above and below. @param {Mark} mark @param {number} width */
const place = (mark, width) => ({ top: `${mark.y - 12}px`, ...(mark.x > width / 2 ? { right: `${width - mark.x + mark.r + 14}px` } : { left: `${mark.x + mark.r + 14}px` }) });

/** @param {Part} part */
const addressOfPart = (part) => (part.feature ? at("features", part.feature) : addressOf((part.left ?? part.right)?.node ?? "") ?? "/");

/** @param {Mark[]} marks @param {number} x @param {number} y @returns {Mark | null} */
function nearest(marks, x, y) {
  /** @type {Mark | null} */
  let best = null;
  let least = NEAR;
  for (const mark of marks) {
    const far = Math.max(0, Math.hypot(mark.x - x, mark.y - y) - mark.r);
    if (far < least) [best, least] = [mark, far];
  }
  return best;
}
