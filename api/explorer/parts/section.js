/** A part of a page: its title, how to read it, and the query behind it. */

import { html } from "../html.js";
import { Twin } from "./bits.js";

/** @param {{title: string, query?: string, tools?: any, lead?: any, children?: any}} props `query`: the path of the query that it shows */
export const Section = ({ title, query, tools, lead, children }) => html`<section class="card section" aria-label=${title}>
  <header>
    <h2>${title}</h2>
    <span class="spacer"></span>
    ${tools}
    ${query?.startsWith("/queries/") && html`<a class="twin" href=${query} title="Ask the same with other parameters">query</a>`}
    ${query && html`<${Twin} path=${query} />`}
  </header>
  ${lead && html`<p class="lead">${lead}</p>`}
  ${children}
</section>`;
