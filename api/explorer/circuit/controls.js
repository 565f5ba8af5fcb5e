/** What of a circuit is drawn, and how: sliders with counts, and switches. All of it is in the address. */

import { html, useRef } from "../html.js";
import { count } from "../format.js";
import { useKeys } from "../keys.js";
import { change } from "../routes.js";

/**
 * A slider over a number from few to all, finer where there are few.
 * @param {{name: string, label: string, title: string, value: number, largest: number, shown: number, total: number}} props name: of the address's parameter
 */
function Slider({ name, label, title, value, largest, shown, total }) {
  const isMoving = useRef(false); // Back undoes a whole move, not its steps
  const steps = 100;
  const at = Math.round((steps * Math.log(Math.max(1, value))) / Math.log(Math.max(2, largest)));
  const valueAt = (/** @type {number} */ step) => Math.max(1, Math.round(Math.max(2, largest) ** (step / steps)));
  return html`<label class="slider" title=${title}>
    <span>${label} <output for=${`slider-${name}`}>${count(shown)} of ${count(total)}</output></span>
    <input id=${`slider-${name}`} type="range" min="0" max=${steps} value=${at} aria-valuetext=${`${shown} of ${total}`}
      onChange=${() => (isMoving.current = false)}
      onInput=${(/** @type {any} */ event) => {
        change({ [name]: Math.min(largest, valueAt(Number(event.target.value))) }, { replace: isMoving.current });
        isMoving.current = true;
      }} />
  </label>`;
}

/**
 * @param {{settings: import("./settings.js").Settings, counts: {nodes: number, nNodes: number, edges: number, nEdges: number},
 *   most: {nodes: number, edges: number}, clusterings: any[], hasErrors: boolean, wasObserved: boolean}} props
 */
export function Controls({ settings, counts, most, clusterings, hasErrors, wasObserved }) {
  const toggle = (/** @type {string} */ name, /** @type {string | null} */ value) => change({ [name]: value });
  useKeys([
    { key: "e", does: "errors on or off", run: () => toggle("errors", settings.hasErrors ? "off" : null) },
    { key: "o", does: "predicted or observed weights", run: () => wasObserved && toggle("weights", settings.isObserved ? null : "observed") },
  ], [settings, wasObserved]);
  return html`<div class="controls" role="group" aria-label="What is drawn">
    <${Slider} name="nodes" label="Nodes" title="How many nodes are drawn: the strongest, some outputs, and what is pinned" value=${settings.nodes} largest=${most.nodes} shown=${counts.nodes} total=${counts.nNodes} />
    <${Slider} name="edges" label="Edges" title="How many edges are drawn: the strongest between nodes that are drawn, and those of what is pinned" value=${settings.edges} largest=${most.edges} shown=${counts.edges} total=${counts.nEdges} />
    ${hasErrors && html`<button aria-pressed=${settings.hasErrors} title="What the dictionaries leave out (e)"
      onClick=${() => toggle("errors", settings.hasErrors ? "off" : null)}>Errors</button>`}
    ${wasObserved && html`<span class="buttons" role="group" aria-label="Weights">
      <button aria-pressed=${!settings.isObserved} title="What was computed (o)" onClick=${() => toggle("weights", null)}>Predicted</button>
      <button aria-pressed=${settings.isObserved} title="What cutting each edge did (o)" onClick=${() => toggle("weights", "observed")}>Observed</button>
    </span>`}
    ${settings.group && settings.opened.size > 0 && html`<button onClick=${() => change({ opened: null })}>Close clusters</button>`}
    ${clusterings.length > 0 && html`<label class="inline">Group by <select value=${settings.group}
      onChange=${(/** @type {any} */ event) => change({ group: event.target.value, opened: null })}>
      <option value="">nothing</option>
      ${settings.group && !clusterings.some((one) => one.uid === settings.group) && html`<option value=${settings.group}>what is not stored</option>`}
      ${clusterings.map((one) => html`<option value=${one.uid}>${one.title}</option>`)}
    </select></label>`}
  </div>`;
}
