/** A curve of faithfulness by size, as small as a word. */

import { html } from "../html.js";
import { number } from "../format.js";

/** @typedef {{n_nodes: number, faithfulness: number}} Point */

const WIDTH = 84;
const HEIGHT = 22;
const INSET = 2;

/** Sizes are spaced by their logarithm; the faint line is 1, the whole model. @param {{points: Point[]}} props from small to large */
export function Sparkline({ points }) {
  const values = points.map((point) => point.faithfulness);
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  const last = points[points.length - 1];
  if (points.length < 2 || !last) return null;
  const across = Math.log1p(last.n_nodes) || 1;
  /** @param {number} size */
  const x = (size) => INSET + ((WIDTH - 2 * INSET) * Math.log1p(size)) / across;
  /** @param {number} value */
  const y = (value) => HEIGHT - INSET - ((HEIGHT - 2 * INSET) * (value - low)) / (high - low);
  const told = points.map((point) => `${number(point.faithfulness)} with ${point.n_nodes}`).join(", ");
  return html`<svg class="sparkline" width=${WIDTH} height=${HEIGHT} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`Faithfulness by number of features: ${told}`}>
    <title>Faithfulness by number of features: ${told}. The faint line is the whole model.</title>
    <line class="whole" x1="0" x2=${WIDTH} y1=${y(1)} y2=${y(1)} />
    <polyline points=${points.map((point) => `${x(point.n_nodes).toFixed(1)},${y(point.faithfulness).toFixed(1)}`).join(" ")} />
    <circle cx=${x(last.n_nodes)} cy=${y(last.faithfulness)} r="2" />
  </svg>`;
}
