/** One of a few, by a list; where there is only one, it is said and nothing asked. */

import { html } from "../html.js";

/** @typedef {string | {value: string, title: string}} Option */

/**
 * @param {{label: string, help?: string, options: Option[], value: string, choose: (value: string) => void, onNear?: () => void}} props
 * without a label, its help is one for who cannot see; `onNear` may bring more options
 */
export const Choice = ({ label, help, options, value, choose, onNear }) => html`<label title=${help} onPointerEnter=${onNear} onFocusIn=${onNear}>${label || html`<span class="hidden">${help}</span>`}
  <select value=${value} disabled=${options.length < 2 && !onNear} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
    ${options.map((option) => (typeof option === "string" ? { value: option, title: option } : option)).map((one) => html`<option value=${one.value} selected=${one.value === value}>${one.title}</option>`)}
  </select>
</label>`;
