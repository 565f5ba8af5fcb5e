/** Points of what was predicted across, and what was observed upwards, about the diagonal on which both are the same. */

import { count, number } from "../format.js";
import { html } from "../html.js";
import { Chart } from "./chart.js";
import { linear } from "./scales.js";

/** @typedef {{x: number, y: number, name: string, kind: string, href?: string}} Spot */
/** @typedef {import("./chart.js").Plot} Plot */

const DRAWN = 2000;

/** @param {{about: import("./figure.js").About, x: string, y: string, spots: Spot[], said?: [string, string]}} props `said`: what either value is called */
export function Scatter({ about, x, y, spots, said = ["predicted", "observed"] }) {
  const shown = [...spots].sort((a, b) => Math.abs(b.x) - Math.abs(a.x)).slice(0, DRAWN).sort((a, b) => a.x - b.x);
  const values = [0, ...spots.flatMap((spot) => [spot.x, spot.y])];
  const axis = linear(Math.min(...values), Math.max(...values));
  const kinds = [...new Set(spots.map((spot) => spot.kind))].sort();
  const { r, slope } = agreement(spots);
  const stops = shown.map((spot) => ({ x: spot.x, y: spot.y, title: spot.name, href: spot.href, lines: [{ name: said[0], value: number(spot.x) }, { name: said[1], value: number(spot.y) }] }));
  const says = `r ${r === null ? "–" : r.toFixed(3)} · slope ${number(slope)} · n ${count(spots.length)}`;
  return html`<${Chart} height=${360} stops=${stops}
    about=${{ ...about, how: html`${about.how}${spots.length > DRAWN && ` Drawn are the ${count(DRAWN)} largest of ${count(spots.length)}; r and slope are of all.`}` }}
    x=${{ title: x, axis }} y=${{ title: y, axis }}
    legend=${kinds.map((kind) => ({ name: kind, look: `spot ${kind}`, mark: "dot" }))}
    draw=${(/** @type {Plot} */ plot) => drawn(plot, shown, says)} />`;
}

/** @param {Plot} plot @param {Spot[]} spots @param {string} says */
function drawn({ x, y, box, stop }, spots, says) {
  const [low, high] = [Math.max(x.low, y.low), Math.min(x.high, y.high)];
  return html`<line class="ref" x1=${x.at(low)} y1=${y.at(low)} x2=${x.at(high)} y2=${y.at(high)} />
    <line class="zero" x1=${box.left} x2=${box.right} y1=${y.at(0)} y2=${y.at(0)} /><line class="zero" x1=${x.at(0)} x2=${x.at(0)} y1=${box.top} y2=${box.bottom} />
    ${spots.map((spot) => html`<circle class=${`spot ${spot.kind}`} cx=${x.at(spot.x)} cy=${y.at(spot.y)} r="4" />`)}
    ${stop?.y !== undefined && html`<circle class="ring" cx=${x.at(stop.x)} cy=${y.at(stop.y)} r="7.5" />`}
    <text class="says" x=${box.left + 10} y=${box.top + 18}>${says}</text>`;
}

/**
 * Pearson's r, and the slope of the line through zero that fits best (as the query `evidence` has them, stretch by stretch).
 * @param {{x: number, y: number}[]} spots @returns {{r: number | null, slope: number | null}}
 */
export function agreement(spots) {
  const n = spots.length;
  /** @param {(spot: {x: number, y: number}) => number} of */
  const sum = (of) => spots.reduce((total, spot) => total + of(spot), 0);
  const [sx, sy, xx, yy, xy] = [sum((s) => s.x), sum((s) => s.y), sum((s) => s.x * s.x), sum((s) => s.y * s.y), sum((s) => s.x * s.y)];
  const [vx, vy] = [n * xx - sx * sx, n * yy - sy * sy];
  const isKnown = n > 2 && vx > 1e-9 * n * xx && vy > 1e-9 * n * yy;
  return { r: isKnown ? (n * xy - sx * sy) / Math.sqrt(vx * vy) : null, slope: xx > 0 ? xy / xx : null };
}
