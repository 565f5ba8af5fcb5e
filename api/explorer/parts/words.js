/** How wide text is in a picture, and how it is made to fit. */

/** @type {CanvasRenderingContext2D | null} */
let ruler = null;

/** In pixels. @param {string} text @param {number} [size] */
export function widthOf(text, size = 12) {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return text.length * size * 0.55;
  ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return ruler.measureText(text).width;
}

/** As much of it as there is room for, and dots for the rest. @param {string} text @param {number} room @param {number} [size] */
export function fitted(text, room, size = 12) {
  if (widthOf(text, size) <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (widthOf(`${text.slice(0, middle)}…`, size) <= room) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low).trimEnd()}…` : "";
}

/** It in lines that fit; what has no blanks is cut. @param {string} text @param {number} room @param {number} [size] @returns {string[]} */
export function wrapped(text, room, size = 12) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && widthOf(longer, size) <= room) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, room, size));
  }
  return lines;
}
