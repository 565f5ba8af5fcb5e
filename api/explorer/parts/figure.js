/** What every picture of numbers has around it: a title, one sentence that says how to read it, and buttons to save it. */

import { html } from "../html.js";
import { style } from "../style.js";
import { SaveButtons, saveCSV, savePNG, saveSVG } from "./save.js";
import { Section } from "./section.js";
import { useWidth } from "./width.js";

style("chart");

/**
 * What a chart is told: `name` is what its files are called, `query` the path of what it shows.
 * @typedef {{title: string, name: string, how: any, csv?: {columns: string[], rows: any[]}, query?: string, tools?: any, below?: any}} About
 */

/** `children` draws one SVG of a width. @param {{about: About, children: (width: number) => any}} props */
export function Figure({ about, children }) {
  const { title, name, how, csv, query, tools, below } = about;
  const [frame, width] = useWidth(0);
  /** @param {(file: string, svg: SVGSVGElement) => void} save @param {string} form */
  const drawing = (save, form) => () => {
    const svg = frame.current?.querySelector("svg");
    if (svg) save(`${name}.${form}`, svg);
  };
  const save = html`<${SaveButtons} png=${drawing(savePNG, "png")} svg=${drawing(saveSVG, "svg")} csv=${csv && (() => saveCSV(`${name}.csv`, csv.columns, csv.rows))} />`;
  return html`<${Section} title=${title} query=${query} lead=${how} tools=${html`${tools}${save}`}>
    <div class="drawing" ref=${frame}>${width > 0 && children(width)}</div>
    ${below}
  <//>`;
}
