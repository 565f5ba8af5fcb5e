/** What is known of a feature by itself, whatever circuit it stands in: where it is active, what it promotes. */

import { html } from "../html.js";
import { featurePlace, number, percent } from "../format.js";
import { at, useAnswer } from "../server.js";
import { style } from "../style.js";
import { Context, Tokens } from "./bits.js";
import { Shown } from "./states.js";

style("feature-card");

/** @param {{uid: string, isTitled?: boolean}} props with a title that leads to the feature's own page, unless `isTitled` is false */
export function FeatureCard({ uid, isTitled = true }) {
  const asked = useAnswer(at("features", uid));
  return html`<section class="feature-card" aria-label="The feature">
    ${isTitled ? html`<h2><a href=${at("features", uid)} title=${uid}>Feature ${featurePlace(uid)}</a></h2>` : html`<h2 class="hidden">By itself</h2>`}
    <${Shown} asked=${asked}>${(/** @type {any} */ answer) => html`<${Known} feature=${answer.rows[0]} />`}<//>
  </section>`;
}

/** @param {{feature: any}} props */
function Known({ feature }) {
  const { label, top_tokens: promoted, bottom_tokens: suppressed, examples, density, max_activation: largest } = feature;
  const isBare = !label && !promoted?.length && !examples?.length && density === null;
  if (isBare) return html`<${Bare} />`;
  return html`
    ${label && html`<p class="label">${label}</p>`}
    <dl class="figures">
      <div title="Share of a corpus's tokens on which it is active"><dt>Active on</dt><dd>${density === null ? "–" : `${percent(density)} of tokens`}</dd></div>
      <div title="Largest activation seen in a corpus"><dt>Largest activation</dt><dd>${number(largest)}</dd></div>
    </dl>
    <h3>Most active on</h3>
    ${examples?.length ? examples.map((/** @type {string} */ one) => html`<${Context} text=${one} />`) : html`<p class="faint">${density === 0 ? "Never active in the corpus." : "No contexts are stored."}</p>`}
    <h3>Promotes</h3>
    <${Tokens} tokens=${promoted} />
    <h3>Suppresses</h3>
    <${Tokens} tokens=${suppressed} />
  `;
}

/** Of imported circuits only the features' numbers are known. */
const Bare = () => html`<p class="faint">
  Only its number is known: what it was imported from has no contexts, no tokens and no label for it.
  Where its dictionary can be loaded, <code>circuitstore features RECIPE</code> finds them.
</p>`;
