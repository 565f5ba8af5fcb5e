/** An answer: as a picture where its rows are paths or edges, as a table, and as files. */

import { html } from "../html.js";
import { count } from "../format.js";
import { columnsOf } from "../parts/cells.js";
import { EdgePicture, edgesOf } from "../parts/edge-picture.js";
import { arePaths, HOW, PathPicture } from "../parts/path-picture.js";
import { FileLink } from "../parts/save.js";
import { Section } from "../parts/section.js";
import { Empty } from "../parts/states.js";
import { Table } from "../parts/table.js";
import { change } from "../routes.js";
import { twin } from "../server.js";

const WIDE = 5;

/**
 * @param {{name: string, answer: import("../server.js").Answer, helps?: Record<string, string>, path?: string, limit?: number, isTable: boolean, filledBy?: string}} props
 * `path` where the answer can be had as a file; `limit`: rows asked for; `filledBy`: the command that stores what it shows.
 */
export function Results({ name, answer, helps, path, limit, isTable, filledBy }) {
  const { columns, rows, truncated } = answer;
  if (!rows.length) {
    return html`<${Empty} title="Nothing is found">Nothing that is stored fits these values: loosen them${filledBy ? html`, or store more with <code>${filledBy}</code>` : ""}.<//>`;
  }
  const isPath = arePaths(columns);
  const graph = isPath ? null : edgesOf(columns, rows);
  const isDrawn = isPath || Boolean(graph?.edges.length);
  const tools = html`
    ${isDrawn && html`<span class="segments" role="group" aria-label="Shown as">
      <button aria-pressed=${!isTable} onClick=${() => change({ view: null }, { replace: true })}>picture</button><button aria-pressed=${isTable} onClick=${() => change({ view: "table" }, { replace: true })}>table</button>
    </span>`}
    ${path && html`<span class="files">${["csv", "ndjson", "arrow"].map((format) => html`<${FileLink} path=${twin(path, format)} name=${`${name}.${format}`}>${format === "arrow" ? "Arrow" : format.toUpperCase()}<//>`)}</span>`}`;
  const title = `${count(rows.length)} ${rows.length === 1 ? "row" : "rows"}`;
  const said = truncated ? "The service cut this answer short: it has a limit of rows. Narrow the question down to see the rest." : limit === rows.length ? "As many rows as were asked for: there may be more. Raise the limit to see." : "";
  if (isPath && !isTable) return html`<${Section} title=${title} tools=${tools} lead=${`${HOW} ${said}`}><${PathPicture} paths=${rows} /><//>`;
  if (graph && isDrawn && !isTable) {
    const how = `${graph.isLayered ? "Edges lead upwards. " : ""}Blue ones are above zero, orange ones below${graph.by && `, and the wider the larger their ${graph.by.replaceAll("_", " ")}`}. ${said}`;
    return html`<${EdgePicture} about=${{ title, name, how, tools }} edges=${graph.edges} names=${graph.names} />`;
  }
  if (rows.length === 1 && columns.length > WIDE) return html`<${Section} title=${title} tools=${tools} lead=${said}><${Record} columns=${columnsOf(columns, helps)} row=${rows[0]} /><//>`;
  return html`<${Section} title=${title} tools=${tools} lead=${said}><${Table} caption=${`Answer to ${name}`} rows=${rows} columns=${columnsOf(columns, helps)} param="by" /><//>`;
}

/** One row with many columns, from top to bottom. @param {{columns: import("../parts/table.js").Column[], row: any}} props */
const Record = ({ columns, row }) => html`<div class="table-frame"><table class="record"><tbody>
  ${columns.map((column) => html`<tr><th scope="row" title=${column.help}>${column.name.replaceAll("_", " ")}</th><td>${column.show?.(row[column.name], row)}</td><td class="faint extra">${column.help}</td></tr>`)}
</tbody></table></div>`;
