/** A chart with two axes: what it draws is read by pointing at it, or by the arrow keys once it has the focus. */

import { html, useState } from "../html.js";
import { go } from "../routes.js";
import { Axes, Legend, legendOf } from "./axes.js";
import { Figure } from "./figure.js";

/** @typedef {import("./scales.js").Axis} Axis @typedef {import("./scales.js").Scale} Scale */
/** @typedef {import("./axes.js").Box} Box @typedef {import("./axes.js").Entry} Entry */
/**
 * A place that can be read, in values: what is said there, and where Enter or a click leads.
 * @typedef {{x: number, y?: number, title: string, lines: {name: string, value: string, look?: string}[], href?: string}} Stop
 */
/** @typedef {{x: Scale, y: Scale, box: Box, stop: Stop | null}} Plot what is drawn on */

const NEAR = 28;

/**
 * Stops are passed in their order of x. Where they have a y, the nearest one in both directions is read.
 * @param {{about: import("./figure.js").About, x: {title: string, axis: Axis}, y: {title: string, axis: Axis}, stops: Stop[],
 *   draw: (plot: Plot) => any, legend?: Entry[], height?: number, margin?: number}} props `margin`: room on the right
 */
export function Chart({ about, x, y, stops, draw, legend = [], height = 320, margin = 14 }) {
  return html`<${Figure} about=${about}>
    ${(/** @type {number} */ width) => html`<${Plotted} width=${width} height=${height} title=${about.title} x=${x} y=${y} stops=${stops} draw=${draw} legend=${legend} margin=${margin} />`}
  <//>`;
}

/** @param {{width: number, height: number, title: string, x: {title: string, axis: Axis}, y: {title: string, axis: Axis}, stops: Stop[], draw: (plot: Plot) => any, legend: Entry[], margin: number}} props */
function Plotted({ width, height, title, x, y, stops, draw, legend, margin }) {
  const [read, setRead] = useState(-1);
  const { placed, height: above } = legendOf(legend, width - 60);
  const box = { left: 58, top: above + 8, right: width - margin, bottom: above + height - 46 };
  const plot = { x: x.axis(box.left, box.right), y: y.axis(box.bottom, box.top), box, stop: stops[read] ?? null };
  /** @param {any} event */
  const point = (event) => {
    const frame = event.currentTarget.getBoundingClientRect();
    setRead(nearest(stops, plot, event.clientX - frame.left, event.clientY - frame.top));
  };
  const lead = () => plot.stop?.href && go(plot.stop.href);
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    const next = { ArrowRight: read + 1, ArrowUp: read + 1, ArrowLeft: read - 1, ArrowDown: read - 1, Home: 0, End: stops.length - 1, Escape: -1 }[event.key];
    if (event.key === "Enter") lead();
    else if (next === undefined) return;
    else setRead(event.key === "Escape" ? -1 : Math.min(Math.max(next, 0), stops.length - 1));
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class=${plot.stop?.href ? "plot leads" : "plot"} tabindex="0" role="application" aria-roledescription="chart"
      aria-label=${`${title}. ${x.title} across, ${y.title} upwards. Left and right keys read its values.`}
      onPointerMove=${point} onPointerLeave=${() => setRead(-1)} onBlur=${() => setRead(-1)} onClick=${lead} onKeyDown=${press}>
    <svg width=${width} height=${above + height} aria-hidden="true">
      <${Legend} placed=${placed} left=${box.left} />
      <${Axes} x=${plot.x} y=${plot.y} box=${box} titles=${[x.title, y.title]} />
      ${draw(plot)}
    </svg>
    ${plot.stop && html`<${Readout} stop=${plot.stop} plot=${plot} width=${width} />`}
    <p class="hidden" aria-live="polite">${plot.stop && `${plot.stop.title}: ${plot.stop.lines.map((line) => `${line.name} ${line.value}`).join(", ")}`}</p>
  </div>`;
}

/** @param {{stop: Stop, plot: Plot, width: number}} props */
function Readout({ stop, plot, width }) {
  const left = plot.x.at(stop.x);
  const top = stop.y === undefined ? plot.box.top : Math.min(plot.y.at(stop.y) + 10, plot.box.bottom - 60);
  const side = left > width / 2 ? { right: `${width - left + 14}px` } : { left: `${left + 14}px` };
  return html`<div class="readout" style=${{ top: `${top}px`, ...side }} aria-hidden="true">
    <strong>${stop.title}</strong>
    <dl>${stop.lines.map(({ name, value, look }) => html`<dt class=${look}>${name}</dt><dd>${value}</dd>`)}</dl>
  </div>`;
}

/** @param {Stop[]} stops @param {Plot} plot @param {number} left @param {number} top */
function nearest(stops, plot, left, top) {
  let [best, least] = [-1, Infinity];
  stops.forEach((stop, i) => {
    const across = plot.x.at(stop.x) - left;
    const far = stop.y === undefined ? Math.abs(across) : Math.hypot(across, plot.y.at(stop.y) - top);
    if (far < least && (stop.y === undefined || far < NEAR)) [best, least] = [i, far];
  });
  return best;
}
