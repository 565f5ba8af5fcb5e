/** Pictures and data of a view as files. */

import { html, useState } from "../html.js";
import { asProblem, download, hasKey } from "../server.js";

/** @param {string} name @param {Blob} content */
export function saveFile(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * A link to a file of the service. Where a key is held, which no link sends, the file is fetched and saved.
 * @param {{path: string, name: string, isShown?: boolean, className?: string, title?: string, children?: any}} props `isShown`: the browser can show it, too
 */
export function FileLink({ path, name, isShown, className, title, children }) {
  const [problem, setProblem] = useState("");
  /** @param {Event} event */
  const save = (event) => {
    if (!hasKey()) return;
    event.preventDefault();
    setProblem("");
    download(path).then((content) => saveFile(name, content), (error) => setProblem(asProblem(error).message));
  };
  return html`<a class=${className} href=${path} title=${title} target=${isShown ? "_blank" : undefined} download=${isShown ? undefined : name} onClick=${save}>${children}</a>${problem && html` <span class="problem" role="alert">${problem}</span>`}`;
}

/** What XML 1.0 forbids: control characters, halves of surrogate pairs, U+FFFE and U+FFFF. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/gu;

/** Text that may stand in XML. @param {string} text */
export const xmlSafe = (text) => text.replace(FORBIDDEN, "\ufffd");

/** @param {string} name @param {string[]} columns @param {any[]} rows */
export function saveCSV(name, columns, rows) {
  /** @param {any} value */
  const cell = (value) => {
    const said = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(said) ? `'${said}` : said; // a spreadsheet would take it for a formula
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) => line.map(cell).join(","));
  saveFile(name, new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }));
}

/** A drawing as a file of its own: what the style sheet gives it is written into it. @param {SVGSVGElement} svg */
function standalone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const drawn = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(/** @type {Element} */ (drawn[i]));
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "stroke-opacity", "font-size", "font-family", "font-weight", "text-anchor", "paint-order"]) {
      element.setAttribute(name, style.getPropertyValue(name));
    }
    element.removeAttribute("class");
  });
  const { width, height } = svg.getBoundingClientRect();
  const [x, y, w, h] = [-MARGIN, -MARGIN, width + 2 * MARGIN, height + 2 * MARGIN];
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width: w, height: h, fill: groundOf(svg) })) ground.setAttribute(name, String(value));
  copy.prepend(ground);
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width: w, height: h, viewBox: `${x} ${y} ${w} ${h}` })) copy.setAttribute(name, String(value));
  return xmlSafe(new XMLSerializer().serializeToString(copy));
}

const MARGIN = 12;

/** The colour that a drawing stands on. @param {Element | null} element @returns {string} */
function groundOf(element) {
  if (!element) return "white";
  const { backgroundColor } = getComputedStyle(element);
  return /^transparent$|, 0\)$/.test(backgroundColor) ? groundOf(element.parentElement) : backgroundColor;
}

/** @param {string} name @param {SVGSVGElement} svg */
export const saveSVG = (name, svg) => saveFile(name, new Blob([standalone(svg)], { type: "image/svg+xml" }));

/** @param {string} name @param {SVGSVGElement} svg */
export async function savePNG(name, svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
  try {
    await image.decode();
  } catch {
    console.warn(`The browser cannot draw ${name}`); // as SVG it can be had all the same
    return;
  }
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.width;
  canvas.height = 2 * image.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob && saveFile(name, blob));
}

/** Buttons for it; each is left out where nothing is given for it. @param {{png?: () => void, svg?: () => void, csv?: () => void}} props */
export const SaveButtons = (props) => html`<span class="buttons" role="group" aria-label="Save as">
  ${Object.entries(props).map(([form, save]) => save && html`<button class="quiet" onClick=${save} title=${`Save as ${form.toUpperCase()}`}>${form.toUpperCase()}</button>`)}
</span>`;
