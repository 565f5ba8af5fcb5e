/** A scene as SVG: for papers, and where a picture must scale. */

import { xmlSafe } from "../parts/save.js";
import { wrapped } from "../parts/words.js";
import { bend, keyOf, outline, placedNames } from "./paint.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./paint.js").Colours} Colours */

const MARGIN = 60;
const SIZE = 10; // of names

/** @param {Scene} scene @param {Colours} colours @param {import("./paint.js").Lit} lit @param {string[]} caption lines below it; the first is its title */
export function drawing(scene, colours, lit, caption) {
  const largest = Math.max(...scene.links.map((link) => Math.abs(link.weight)), 1e-12);
  const links = scene.links.map(({ edge, from, to, weight, isDashed }) => {
    const share = (Math.abs(weight) / largest) ** 0.6;
    const colour = weight < 0 ? colours.negative : colours.positive;
    const dashes = isDashed ? ' stroke-dasharray="5 4"' : "";
    return `<path d="M${point(from.x, from.y)}Q${point(...bend(from, to))} ${point(to.x, to.y)}" stroke="${colour}" stroke-width="${(0.7 + 4.3 * share).toFixed(2)}" stroke-opacity="${!lit.links || lit.links.has(keyOf(edge)) ? Math.min(0.9, 0.3 + 0.7 * share).toFixed(2) : 0.06}"${dashes}/>`;
  });
  const spots = scene.spots.map((spot) => {
    const { node, x, y, r } = spot;
    const path = new Outline();
    outline(/** @type {any} */ (path), node.kind, x, y, r);
    const opacity = !lit.nodes || lit.nodes.has(node.uid) ? 1 : 0.18;
    return `<g fill="${colours[node.kind] ?? colours.faint}" opacity="${opacity}"><path d="${path.text}"/></g>`;
  });
  const names = placedNames(scene.spots.filter((spot) => !lit.nodes || lit.nodes.has(spot.node.uid)), SIZE)
    .map(({ text, x, y }) => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escaped(text)}</text>`);
  const rows = scene.rows.map((row) => `<text class="row" x="-${MARGIN - 6}" y="${row.y + 4}" text-anchor="start">${escaped(row.name)}</text>`);
  const below = (scene.rows[0]?.y ?? 0) + 60;
  const columns = scene.columns.map((column) => `<text x="${column.x}" y="${below}" font-size="12">${escaped(column.name)}</text>`);
  const lines = caption.flatMap((line) => wrapped(line, scene.width + MARGIN));
  const told = lines.map((line, i) => `<text x="-${MARGIN - 6}" y="${below + 30 + 18 * i}" text-anchor="start" font-size="12">${escaped(line)}</text>`);
  const box = [-MARGIN, -scene.height - 40, scene.width + MARGIN + 20, scene.height + 130 + 18 * lines.length];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(" ")}" width="${box[2]}" height="${box[3]}" font-family="sans-serif" font-size="${SIZE}" text-anchor="middle" fill="${colours.ink}">
<title>${escaped(caption[0] ?? "")}</title>
<rect x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" fill="${colours.paper}"/>
<g fill="none">${links.join("\n")}</g>
<g stroke="${colours.paper}" stroke-width="1.5">${spots.join("\n")}</g>
${names.join("\n")}
${rows.join("\n")}
${columns.join("\n")}
${told.join("\n")}
</svg>`;
}

/** Takes what a canvas takes, and writes it as a path's text. */
class Outline {
  text = "";

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.text += `M${point(x, y)}`;
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.text += `L${point(x, y)}`;
  }

  closePath() {
    this.text += "Z";
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  rect(x, y, w, h) {
    this.text += `M${point(x, y)}h${w.toFixed(1)}v${h.toFixed(1)}h-${w.toFixed(1)}Z`;
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  roundRect(x, y, w, h) {
    this.rect(x, y, w, h);
  }

  /** Whole circles are all that is drawn. @param {number} x @param {number} y @param {number} r */
  arc(x, y, r) {
    this.text += `M${point(x + r, y)}A${r.toFixed(1)} ${r.toFixed(1)} 0 1 1 ${point(x - r, y)}A${r.toFixed(1)} ${r.toFixed(1)} 0 1 1 ${point(x + r, y)}`;
  }
}

/** @param {number} x @param {number} y */
const point = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** @param {string} text */
const escaped = (text) => xmlSafe(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
