/** Rows in a table that sorts by any column; the first rows at once, more on request. */

import { html, useState } from "../html.js";
import { number } from "../format.js";

/**
 * @typedef {{name: string, title?: string, help?: string, show?: (value: any, row: any) => any, by?: (row: any) => any, isNumber?: boolean, isSortable?: boolean}} Column
 * `show` makes a cell; `by` what to sort by, else the value.
 */

const STEP = 200;

/**
 * @param {{columns: Column[], rows: any[], caption: string, keyOf?: (row: any) => string, selected?: string | null, sort?: string, isDescending?: boolean}} props
 */
export function Table({ columns, rows, caption, keyOf, selected, sort = "", isDescending = true }) {
  const [order, setOrder] = useState({ sort, isDescending });
  const [shown, setShown] = useState(STEP);
  const column = columns.find((one) => one.name === order.sort);
  const sorted = column ? sortedBy(rows, column, order.isDescending) : rows;
  return html`<div class="table-frame"><table>
    <caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map((one) => html`<${Head} column=${one} order=${order} setOrder=${setOrder} rows=${rows} />`)}</tr></thead>
    <tbody>${sorted.slice(0, shown).map((row) => html`<tr key=${keyOf?.(row)} class=${keyOf && keyOf(row) === selected ? "selected" : undefined}>
      ${columns.map((one) => html`<td class=${isNumeric(one, rows) ? "number" : undefined}>${cell(one, row)}</td>`)}
    </tr>`)}</tbody>
  </table>
  ${sorted.length > shown && html`<p><button onClick=${() => setShown(shown + 5 * STEP)}>Show more: ${shown} of ${sorted.length} rows are shown</button></p>`}
  </div>`;
}

/** @param {{column: Column, order: {sort: string, isDescending: boolean}, setOrder: (order: any) => void, rows: any[]}} props */
function Head({ column, order, setOrder, rows }) {
  const isSorted = order.sort === column.name;
  const title = column.title ?? column.name.replaceAll("_", " ");
  const numeric = isNumeric(column, rows);
  if (column.isSortable === false) return html`<th scope="col" title=${column.help}>${title}</th>`;
  return html`<th scope="col" class=${numeric ? "number" : undefined} aria-sort=${isSorted ? (order.isDescending ? "descending" : "ascending") : undefined}>
    <button class="quiet" title=${column.help} onClick=${() => setOrder({ sort: column.name, isDescending: isSorted ? !order.isDescending : numeric })}>
      ${title}<span aria-hidden="true">${isSorted ? (order.isDescending ? " ↓" : " ↑") : ""}</span>
    </button>
  </th>`;
}

/** @param {Column} column @param {any} row */
function cell(column, row) {
  const value = row[column.name];
  if (column.show) return column.show(value, row);
  if (typeof value === "number") return number(value);
  if (value === null || value === undefined) return html`<span class="faint">–</span>`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {Column} column @param {any[]} rows */
const isNumeric = (column, rows) => column.isNumber ?? typeof rows.find((row) => row[column.name] !== null && row[column.name] !== undefined)?.[column.name] === "number";

/** Those without a value come last, whichever way. @param {any[]} rows @param {Column} column @param {boolean} isDescending */
function sortedBy(rows, column, isDescending) {
  const by = column.by ?? ((row) => row[column.name]);
  const sign = isDescending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a) ?? null, by(b) ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
}
