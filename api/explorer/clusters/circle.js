/** Clusters on a circle, and what they do to each other between them: where all of it is drawn. */

/**
 * @typedef {{uid: string, name: string, size: number, layer: number, x: number, y: number, radius: number, angle: number, within: any}} Spot
 * @typedef {{source: Spot, target: Spot, row: any, path: string, head: string, width: number}} Arrow
 * @typedef {{spots: Spot[], arrows: Arrow[], hidden: number, radius: number}} Circle
 */

/** Arrows that are drawn, at most: the strongest. */
const MOST = 60;
const WIDEST = 13;

/**
 * The earliest cluster on top, later ones clockwise.
 * @param {{uid: string, name: string, size: number, layer: number}[]} clusters @param {any[]} rows of cluster_graph
 * @returns {Circle}
 */
export function circleOf(clusters, rows) {
  const radius = Math.min(230, 96 + 9 * clusters.length);
  const largest = Math.max(...clusters.map((one) => one.size));
  const within = new Map(rows.filter((row) => row.source === row.target).map((row) => [row.source, row]));
  const spots = [...clusters].sort((a, b) => a.layer - b.layer || a.uid.localeCompare(b.uid)).map((cluster, i, all) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / all.length;
    const size = 7 + (clusters.length > 16 ? 11 : 19) * Math.sqrt(cluster.size / largest);
    return { ...cluster, angle, x: radius * Math.cos(angle), y: radius * Math.sin(angle), radius: size, within: within.get(cluster.uid) };
  });
  const of = new Map(spots.map((spot) => [spot.uid, spot]));
  const between = rows.filter((row) => row.source !== row.target && of.has(row.source) && of.has(row.target));
  const heaviest = Math.max(...rows.map((row) => row.abs_weight), 1e-12);
  const arrows = between.slice(0, MOST).map((row) => {
    const [source, target] = [/** @type {Spot} */ (of.get(row.source)), /** @type {Spot} */ (of.get(row.target))];
    return { source, target, row, ...arrow(source, target, thickness(row.abs_weight, heaviest)) };
  });
  return { spots, arrows, hidden: between.length - arrows.length, radius };
}

/** Weights differ a hundredfold: widths go with their root. @param {number} weight @param {number} heaviest */
export const thickness = (weight, heaviest) => 1 + (WIDEST - 1) * Math.sqrt(weight / heaviest);

/** Bent to its left, so that there and back lie side by side. @param {Spot} from @param {Spot} to @param {number} width */
function arrow(from, to, width) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bend = 0.16 * length;
  const control = { x: (from.x + to.x) / 2 - (bend * dy) / length, y: (from.y + to.y) / 2 + (bend * dx) / length };
  const start = towards(from, control, from.radius + 7);
  const size = 5 + 0.9 * width;
  const tip = towards(to, control, to.radius + 7);
  const end = towards(to, control, to.radius + 7 + size);
  const [nx, ny] = [(tip.y - end.y) / size, (end.x - tip.x) / size];
  const half = 3 + 0.75 * width;
  return {
    width,
    path: `M${at(start)}Q${at(control)} ${at(end)}`,
    head: `${at(tip)} ${at({ x: end.x + half * nx, y: end.y + half * ny })} ${at({ x: end.x - half * nx, y: end.y - half * ny })}`,
  };
}

/** @param {{x: number, y: number}} from @param {{x: number, y: number}} to @param {number} far */
function towards(from, to, far) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: from.x + (far * (to.x - from.x)) / length, y: from.y + (far * (to.y - from.y)) / length };
}

/** @param {{x: number, y: number}} place */
const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
