/** What stays in sight however a scene is moved: names of layers at the left, the prompt's tokens along the bottom. */

import { token } from "../format.js";
import { fitted } from "../parts/words.js";
import { shortened } from "./paint.js";

/** @typedef {import("./paint.js").View} View @typedef {import("./paint.js").Colours} Colours @typedef {import("./scene.js").Scene} Scene */

export const BOTTOM = 30;
const FONT = "12px system-ui, sans-serif";
const SMALL = "11px system-ui, sans-serif";

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {View} view @param {{width: number, height: number}} size @param {Colours} colours */
export function paintMargins(context, scene, view, size, colours) {
  paintLayers(context, scene, view, size, colours);
  context.fillStyle = colours.raised ?? "";
  context.fillRect(0, size.height - BOTTOM, size.width, BOTTOM);
  context.strokeStyle = colours.line ?? "";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, size.height - BOTTOM + 0.5);
  context.lineTo(size.width, size.height - BOTTOM + 0.5);
  context.stroke();
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colours.ink ?? "";
  let right = -Infinity;
  const roomOf = (/** @type {{width: number}} */ column) => Math.max(26, column.width * view.k - 4);
  const textOf = (/** @type {{name: string}} */ column) => shortened(token(column.name));
  for (const [i, column] of scene.columns.entries()) {
    const x = column.x * view.k + view.x;
    const room = roomOf(column);
    if (x + room < 0 || x - room > size.width) continue;
    const next = scene.columns[i + 1];
    const least = next ? Math.min(roomOf(next), context.measureText(textOf(next)).width) / 2 : 0; // what the next must have
    const free = Math.min(x - right, next ? next.x * view.k + view.x - least - x - 4 : Infinity);
    const text = fitted(textOf(column), Math.max(room, 2 * free));
    const half = context.measureText(text).width / 2;
    if (x - half < right) continue;
    context.fillText(text, x, size.height - BOTTOM / 2);
    right = x + half + 4;
  }
  context.textBaseline = "alphabetic";
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {View} view @param {{width: number, height: number}} size @param {Colours} colours */
function paintLayers(context, scene, view, size, colours) {
  context.font = SMALL;
  context.textAlign = "left";
  context.lineWidth = 4;
  context.strokeStyle = colours.paper ?? "";
  context.fillStyle = colours.faint ?? "";
  let above = Infinity;
  for (const row of scene.rows) {
    const y = row.y * view.k + view.y + 4;
    if (y > above - 13 || y > size.height - BOTTOM - 4 || y < 10) continue;
    context.strokeText(row.name, 10, y);
    context.fillText(row.name, 10, y);
    above = y;
  }
}
