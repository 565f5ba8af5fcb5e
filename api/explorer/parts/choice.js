/** One of a few, by a list; where there is only one, it is said and nothing asked. */

import { html } from "../html.js";

/** @param {{label: string, help?: string, options: string[], value: string, choose: (value: string) => void}} props without a label, its help is one for who cannot see */
export const Choice = ({ label, help, options, value, choose }) => html`<label title=${help}>${label || html`<span class="hidden">${help}</span>`}
  <select value=${value} disabled=${options.length < 2} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
    ${options.map((option) => html`<option value=${option} selected=${option === value}>${option}</option>`)}
  </select>
</label>`;
