/** Lines over numbers of things, each with the band between its lower and upper values. */

import { number } from "../format.js";
import { html } from "../html.js";
import { Chart } from "./chart.js";
import { counts, linear } from "./scales.js";
import { widthOf } from "./words.js";

/** @typedef {{x: number, y: number, low?: number | null, high?: number | null, name?: string}} Point */
/** @typedef {{name: string, look: string, points: Point[], isLine?: boolean, mark?: "dot" | "square"}} Series looks: see styles/chart.css */
/** @typedef {import("./chart.js").Plot} Plot */

/**
 * `refs`: values that mean something, as lines across with a word on them. `bounds`: what is drawn of the values upwards.
 * @param {{about: import("./figure.js").About, x: string, y: string, series: Series[], refs: {y: number, name: string}[], say: (x: number) => string, bounds: [number, number]}} props
 */
export function Lines({ about, x, y, series, refs, say, bounds }) {
  const points = series.flatMap((one) => one.points);
  const values = [...points.flatMap((one) => [one.y, one.low ?? one.y, one.high ?? one.y]), ...refs.map((one) => one.y)];
  const [low, high] = [Math.max(bounds[0], Math.min(...values)), Math.min(bounds[1], Math.max(...values))];
  const places = [...new Set(points.map((one) => one.x))].sort((a, b) => a - b);
  const stops = places.map((place) => ({
    x: place,
    title: say(place),
    lines: series.flatMap((one) => one.points.filter((point) => point.x === place).map((point) => ({ name: point.name ?? one.name, look: one.look, value: valueOf(point) }))),
  }));
  return html`<${Chart} about=${about} stops=${stops}
    x=${{ title: x, axis: counts(Math.max(...places)) }} y=${{ title: y, axis: linear(low, high) }}
    legend=${series.map((one) => ({ name: one.name, look: one.look, isLine: one.isLine !== false, mark: one.mark }))}
    margin=${24 + Math.max(...refs.map((ref) => widthOf(ref.name)))}
    draw=${(/** @type {Plot} */ plot) => drawn(plot, series, refs, about.name)} />`;
}

/** @param {Plot} plot @param {Series[]} series @param {{y: number, name: string}[]} refs @param {string} name */
function drawn({ x, y, box, stop }, series, refs, name) {
  return html`<defs><clipPath id=${`inside-${name}`}><rect x=${box.left - 5} y=${box.top} width=${box.right - box.left + 10} height=${box.bottom - box.top} /></clipPath></defs>
    ${refs.map((ref) => html`<line class="ref" x1=${box.left} x2=${box.right} y1=${y.at(ref.y)} y2=${y.at(ref.y)} />
      <text class="ref-name" x=${box.right + 10} y=${y.at(ref.y) + 4}>${ref.name}</text>`)}
    <g clip-path=${`url(#inside-${name})`}>
      ${stop && html`<line class="rule" x1=${x.at(stop.x)} x2=${x.at(stop.x)} y1=${box.top} y2=${box.bottom} />`}
      ${series.map((one) => html`<g class=${one.look}>
        ${one.isLine !== false && html`<path class="band" d=${band(one.points, x.at, y.at)} />
          <polyline class="line" points=${one.points.map((point) => `${x.at(point.x)},${y.at(point.y)}`).join(" ")} />`}
        ${one.points.map((point) => html`${one.isLine === false && html`<line class="whisker" x1=${x.at(point.x)} x2=${x.at(point.x)} y1=${y.at(point.low ?? point.y)} y2=${y.at(point.high ?? point.y)} />`}
          <${Mark} isSquare=${one.mark === "square"} left=${x.at(point.x)} top=${y.at(point.y)} isRead=${stop?.x === point.x} />`)}
      </g>`)}
    </g>`;
}

/** @param {{isSquare: boolean, left: number, top: number, isRead: boolean}} props */
const Mark = ({ isSquare, left, top, isRead }) => {
  const size = isRead ? 5 : 3.5;
  return isSquare
    ? html`<rect class="point" x=${left - size} y=${top - size} width=${2 * size} height=${2 * size} />`
    : html`<circle class="point" cx=${left} cy=${top} r=${size} />`;
};

/** @param {Point[]} points @param {(value: number) => number} x @param {(value: number) => number} y */
function band(points, x, y) {
  const known = points.filter((point) => typeof point.low === "number" && typeof point.high === "number");
  if (!known.length) return "";
  const upper = known.map((point) => `${x(point.x)},${y(point.high ?? point.y)}`);
  const lower = known.map((point) => `${x(point.x)},${y(point.low ?? point.y)}`).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}

/** @param {Point} point */
const valueOf = (point) => (typeof point.low === "number" ? `${number(point.y)} (${number(point.low)} to ${number(point.high)})` : number(point.y));
