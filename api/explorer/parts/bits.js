/** Small things that many views show. */

import { html } from "../html.js";
import { nodeName, number, token } from "../format.js";
import { at, href, twin } from "../server.js";
import { FileLink } from "./save.js";

/** A link to the JSON behind a view. @param {{path: string}} props */
export const Twin = ({ path }) => html`<${FileLink} className="twin" path=${twin(path)} name=${`${path.split(/[/?]/).filter(Boolean).slice(0, 2).join("-").replaceAll(":", "-")}.json`} isShown=${true} title="What this view shows, for programs">JSON<//>`;

/** A signed number in the colour of its sign. @param {{value: number | null | undefined}} props */
export const Signed = ({ value }) => html`<span class=${value === null || value === undefined ? "faint" : value < 0 ? "negative" : "positive"}>${number(value)}</span>`;

/** The same, as what a table's column shows. @param {number | null | undefined} value */
export const signed = (value) => html`<${Signed} value=${value} />`;

/** @param {{kind: string}} props */
export const Kind = ({ kind }) => html`<span class=${`kind ${kind}`}>${kind}</span>`;

/** Tokens as small tags. @param {{tokens: string[] | null | undefined}} props */
export const Tokens = ({ tokens }) => (tokens?.length ? html`<span class="tokens">${tokens.map((one) => html`<span class="token">${token(one)}</span>`)}</span>` : html`<span class="faint">unknown</span>`);

/** @param {{uid: string, label?: string | null}} props */
export const FeatureLink = ({ uid, label }) => html`<a href=${at("features", uid)} title=${uid}>${label || uid.split(":").slice(1).join(":")}</a>`;

/** @param {{circuit: string, node: any}} props */
export const NodeLink = ({ circuit, node }) => html`<a href=${href(at("circuits", circuit), { node: node.uid })}>${nodeName(node)}</a>`;

/**
 * Bars of signed values that share a scale; below one, thinner, what was observed of the same.
 * @param {{items: {name: any, value: number, observed?: number | null, title?: string, about?: string | null}[]}} props
 */
export function Bars({ items }) {
  const largest = Math.max(...items.flatMap((item) => [Math.abs(item.value), Math.abs(item.observed ?? 0)]), 1e-12);
  /** @param {number} value */
  const bar = (value, isThin = false) => html`<meter class=${`${value < 0 ? "negative" : "positive"}${isThin ? " thin" : ""}`} min="0" max=${largest} value=${Math.abs(value)} aria-label=${isThin ? "observed" : "predicted"} aria-valuetext=${number(value)}></meter>`;
  const hasObserved = (/** @type {{observed?: number | null}} */ { observed }) => observed !== null && observed !== undefined;
  return html`<ol class="bars">${items.map((item) => html`<li title=${item.title ?? (hasObserved(item) ? `predicted ${number(item.value)}, observed ${number(item.observed)}` : undefined)}>
    <span class="name">${item.name}</span>
    <span class="track">${bar(item.value)}${hasObserved(item) && bar(item.observed ?? 0, true)}</span>
    <span class="number">${number(item.value)}</span>
    ${item.about && html`<span class="about faint">${item.about}</span>`}
  </li>`)}</ol>`;
}

/** A context of a feature's activation, `[5.2] the «cat» sat`, with the token marked. @param {{text: string}} props */
export function Context({ text }) {
  const found = /^\[([^\]]*)\] ([\s\S]*)$/.exec(text);
  const parts = (found?.[2] ?? text).split(/[«»]/);
  return html`<p class="context"><span class="number faint">${found?.[1] ?? ""}</span><span>${parts.map((part, i) => (i % 2 ? html`<mark>${token(part)}</mark>` : part))}</span></p>`;
}
