/** Rows in a table that sorts by any column; the first rows at once, more on request. */

import { html, useState } from "../html.js";
import { number } from "../format.js";
import { change, queryHere } from "../routes.js";

/**
 * @typedef {{name: string, title?: string, help?: string, show?: (value: any, row: any) => any, by?: (row: any) => any, isNumber?: boolean, isSortable?: boolean, isExtra?: boolean}} Column
 * `show` makes a cell; `by` what to sort by, else the value; `isExtra` ones are left out on narrow screens.
 */

const STEP = 200;

/**
 * With `param` the order is kept in the address, as the service writes it (`-n_nodes`); with `isSorted` the rows come in it.
 * Rows of a group stand together, under the title that `groupOf` gives them. `onMore` asks for rows that are not here yet.
 * @param {{columns: Column[], rows: any[], caption: string, keyOf?: (row: any) => string, selected?: string | string[] | null, sort?: string, isDescending?: boolean,
 *   param?: string, isSorted?: boolean, groupOf?: (row: any) => string, onMore?: () => void}} props
 */
export function Table({ columns, rows, caption, keyOf, selected, sort = "", isDescending = true, param = "", isSorted = false, groupOf, onMore }) {
  const [kept, keep] = useState({ sort, isDescending });
  const asked = param && queryHere().get(param);
  const order = asked ? { sort: asked.replace(/^-/, ""), isDescending: asked.startsWith("-") } : param ? { sort, isDescending } : kept;
  /** @param {{sort: string, isDescending: boolean}} wanted */
  const setOrder = (wanted) => (param ? change({ [param]: `${wanted.isDescending ? "-" : ""}${wanted.sort}` }, { replace: true }) : keep(wanted));
  const [shown, setShown] = useState(STEP);
  const column = isSorted ? undefined : columns.find((one) => one.name === order.sort);
  const sorted = column ? sortedBy(rows, column, order.isDescending) : rows;
  const more = () => {
    setShown(shown + 5 * STEP);
    if (sorted.length < shown + 5 * STEP) onMore?.();
  };
  return html`<div class="table-frame"><table>
    <caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map((one) => html`<${Head} column=${one} order=${order} setOrder=${setOrder} rows=${rows} />`)}</tr></thead>
    <tbody>${sorted.slice(0, shown).flatMap((row, i) => [
      groupOf && groupOf(row) !== (i ? groupOf(sorted[i - 1]) : null) && html`<tr key=${groupOf(row)} class="group"><th scope="rowgroup" colspan=${columns.length}>${groupOf(row)}</th></tr>`,
      html`<tr key=${keyOf?.(row)} class=${keyOf && [selected].flat().includes(keyOf(row)) ? "selected" : undefined}>
        ${columns.map((one) => html`<td class=${classes(one, rows)}>${cell(one, row)}</td>`)}
      </tr>`,
    ])}</tbody>
  </table>
  ${(sorted.length > shown || onMore) && html`<p><button onClick=${more}>Show more: ${Math.min(shown, sorted.length)} ${onMore ? "" : `of ${sorted.length} `}rows are shown</button></p>`}
  </div>`;
}

/** @param {{column: Column, order: {sort: string, isDescending: boolean}, setOrder: (order: any) => void, rows: any[]}} props */
function Head({ column, order, setOrder, rows }) {
  const isSorted = order.sort === column.name;
  const title = column.title ?? column.name.replaceAll("_", " ");
  const numeric = isNumeric(column, rows);
  if (column.isSortable === false) return html`<th scope="col" class=${classes(column, rows)} title=${column.help}>${title}</th>`;
  return html`<th scope="col" class=${classes(column, rows)} aria-sort=${isSorted ? (order.isDescending ? "descending" : "ascending") : undefined}>
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

/** @param {Column} column @param {any[]} rows */
const classes = (column, rows) => [isNumeric(column, rows) && "number", column.isExtra && "extra"].filter(Boolean).join(" ") || undefined;

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
