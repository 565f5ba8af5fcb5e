/** Draws a scene: edges below, nodes above, names where there is room. */

import { token } from "../format.js";
import { grouped } from "../parts/groups.js";

/**
 * @typedef {import("./scene.js").Scene} Scene @typedef {import("./scene.js").Spot} Spot @typedef {import("./scene.js").Link} Link
 * @typedef {{x: number, y: number, k: number}} View where the scene's origin is on the canvas, and how large it is
 * @typedef {Record<string, string>} Colours by name: ink, faint, paper, line, accent, positive, negative, and each kind
 * @typedef {{nodes: Set<string> | null, links: Set<string> | null}} Lit what stands out; null for everything
 */

const WIDTHS = 6;
const CURVED = 1200;
const AT_ONCE = 1200;
const NAMED_FROM = 0.4;
const FULL_SIZE = 0.75;
const LEAST_LIT = 2; // pixels
const OUTPUT_LINES = 3; // names of outputs stand over each other
const THIN = 0.7;
const THICK = 5;

/** @param {{source: string, target: string}} edge */
export const keyOf = (edge) => `${edge.source} ${edge.target}`;

/**
 * Stops after every few edges, so that whoever draws can let the page do something else in between.
 * @param {CanvasRenderingContext2D} context moved and scaled already
 * @param {Scene} scene @param {View} view @param {Colours} colours @param {Lit} lit
 * @returns {Generator<void, void>}
 */
export function* paintScene(context, scene, view, colours, lit) {
  paintRows(context, scene, colours);
  yield* paintLinks(context, scene.links, view.k, colours, lit);
  for (const spot of scene.spots) {
    const isLit = !lit.nodes || lit.nodes.has(spot.node.uid);
    const r = lit.nodes && isLit ? Math.max(spot.r, (2 * LEAST_LIT) / view.k) : spot.r;
    paintSpot(context, { ...spot, r }, colours, isLit);
  }
  paintNames(context, scene, view.k, colours, lit);
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {Colours} colours */
function paintRows(context, scene, colours) {
  context.strokeStyle = colours.line ?? "";
  context.lineWidth = 1;
  context.beginPath();
  for (const row of scene.rows) {
    context.moveTo(0, row.y + 24);
    context.lineTo(scene.width, row.y + 24);
  }
  context.stroke();
}

/**
 * Edges of one sign, width and line are one stroke: that is much faster than one by one.
 * @param {CanvasRenderingContext2D} context @param {Link[]} links @param {number} k @param {Colours} colours @param {Lit} lit
 */
function* paintLinks(context, links, k, colours, lit) {
  const largest = Math.max(...links.slice(-1).map((link) => Math.abs(link.weight)), 1e-12);
  const isCurved = links.length <= CURVED;
  const strokes = grouped(links, (link) => {
    const width = Math.round((WIDTHS - 1) * (Math.abs(link.weight) / largest) ** 0.6);
    const isLit = !lit.links || lit.links.has(keyOf(link.edge));
    return `${Number(isLit)}${width}${link.weight < 0 ? "-" : "+"}${link.isDashed ? "d" : "s"}`;
  });
  let painted = 0;
  for (const [key, stroke] of [...strokes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const share = Number(key[1]) / (WIDTHS - 1);
    context.strokeStyle = (key[2] === "-" ? colours.negative : colours.positive) ?? "";
    const isLit = key[0] === "1";
    const width = (THIN + (THICK - THIN) * share) / Math.max(1, k ** 0.5);
    context.lineWidth = isLit && lit.links ? Math.max(width, (LEAST_LIT * (0.5 + share)) / k) : width;
    context.globalAlpha = !isLit ? Math.min(0.07, 12 / links.length) : lit.links ? 0.45 + 0.5 * share : Math.min(0.9, 0.22 + 0.7 * share + 20 / (links.length + 40));
    context.setLineDash(key[3] === "d" ? [5, 4] : []);
    for (let i = 0; i < stroke.length; i += AT_ONCE) {
      context.beginPath();
      for (const { from, to } of stroke.slice(i, i + AT_ONCE)) {
        context.moveTo(from.x, from.y);
        if (isCurved) context.quadraticCurveTo(...bend(from, to), to.x, to.y);
        else context.lineTo(to.x, to.y);
      }
      context.stroke();
      painted += Math.min(AT_ONCE, stroke.length - i);
      if (painted >= AT_ONCE) {
        painted = 0;
        yield;
      }
    }
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/** Where an edge is pulled to: edges that pass over others in one column bow out. @param {Spot} from @param {Spot} to @returns {[number, number]} */
export function bend(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  return [from.x + dx / 2 - dy * 0.1, from.y + dy / 2 + dx * 0.04];
}

/** @param {CanvasRenderingContext2D} context @param {Spot} spot @param {Colours} colours @param {boolean} isLit */
function paintSpot(context, spot, colours, isLit) {
  const { node, x, y, r } = spot;
  context.globalAlpha = isLit ? 1 : 0.18;
  context.fillStyle = colours[node.kind] ?? colours.faint ?? "";
  context.strokeStyle = colours.paper ?? "";
  context.lineWidth = 1.5;
  context.beginPath();
  outline(context, node.kind, x, y, r);
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}

/** The shape of a kind, so that colour is not all that tells kinds apart. @param {CanvasRenderingContext2D | Path2D} path @param {string} kind @param {number} x @param {number} y @param {number} r */
export function outline(path, kind, x, y, r) {
  switch (kind) {
    case "error":
      corners(path, [[x, y - r], [x + r, y], [x, y + r], [x - r, y]]);
      break;
    case "token":
    case "logit":
    case "metric":
      path.roundRect(x - 1.3 * r, y - r * 0.8, 2.6 * r, 1.6 * r, 3);
      break;
    case "head":
      path.rect(x - r * 0.85, y - r * 0.85, 1.7 * r, 1.7 * r);
      break;
    case "mlp":
      corners(path, [[x, y - r], [x + r, y + r * 0.75], [x - r, y + r * 0.75]]);
      break;
    case "cluster":
      path.arc(x, y, r + 4, 0, 2 * Math.PI);
      path.moveTo(x + r, y);
      path.arc(x, y, r, 0, 2 * Math.PI);
      break;
    default:
      path.moveTo(x + r, y);
      path.arc(x, y, r, 0, 2 * Math.PI);
  }
}

/** @param {CanvasRenderingContext2D | Path2D} path @param {[number, number][]} points */
function corners(path, points) {
  points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.closePath();
}

/**
 * Names under the nodes that have room: the strongest first, none over another. Far off, those of outputs, and of what
 * stands out, alone.
 * @param {CanvasRenderingContext2D} context @param {Scene} scene @param {number} k @param {Colours} colours @param {Lit} lit
 */
function paintNames(context, scene, k, colours, lit) {
  const isFar = k < NAMED_FROM;
  const size = k < FULL_SIZE ? 10 / k : 10;
  context.font = `${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.lineWidth = 0.3 * size;
  context.strokeStyle = colours.paper ?? "";
  context.fillStyle = colours.ink ?? "";
  const named = scene.spots.filter(({ node }) => (lit.nodes ? lit.nodes.has(node.uid) : !isFar || node.kind === "logit"));
  for (const { text, x, y } of placedNames(named, size)) {
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
}

/**
 * Names of nodes where they have room, those of outputs in some lines over each other. @param {Spot[]} spots @param {number} size of the text
 * @returns {{text: string, x: number, y: number}[]}
 */
export function placedNames(spots, size) {
  /** @type {Map<string, [number, number][]>} */
  const lines = new Map();
  const placed = [];
  for (const spot of spots) {
    const text = nameOf(spot);
    const half = text.length * 0.27 * size;
    const isOutput = spot.node.kind === "logit";
    const line = [...Array(isOutput ? OUTPUT_LINES : 1).keys()].find((one) => !(lines.get(`${spot.y} ${one}`) ?? []).some(([left, right]) => spot.x - half < right && spot.x + half > left));
    if (!text || line === undefined) continue;
    const key = `${spot.y} ${line}`;
    lines.set(key, [...(lines.get(key) ?? []), [spot.x - half, spot.x + half]]);
    const y = isOutput ? spot.y - spot.r - (0.3 + 1.15 * line) * size : spot.y + spot.r + 1.1 * size;
    placed.push({ text, x: spot.x, y });
  }
  return placed;
}

/** @param {Spot} spot */
function nameOf({ node }) {
  if (node.kind === "error" || node.kind === "token") return ""; // tokens stand along the bottom
  if (node.kind === "logit") return shortened(token(node.token ?? node.label ?? ""));
  if (node.kind === "metric") return "metric";
  if (node.kind === "head") return `${node.layer}.${node.index ?? ""}`;
  if (node.kind === "cluster") return shortened(node.label ?? "");
  return node.kind === "feature" ? String(node.index ?? "") : node.kind;
}

/** No name is drawn longer. @param {string} text */
export const shortened = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);

