/** A feature: what it is, what it does in circuits, where it comes from and what comes of it. */

import { html } from "../html.js";
import { Ablated } from "../feature/ablations.js";
import { InCircuits } from "../feature/circuits.js";
import { InClusters } from "../feature/clusters.js";
import { Lineage } from "../feature/lineage.js";
import { Neighbours, Together } from "../feature/neighbours.js";
import { count, featurePlace } from "../format.js";
import { Twin } from "../parts/bits.js";
import { FeatureCard } from "../parts/feature-card.js";
import { Shown } from "../parts/states.js";
import { at, useAnswer } from "../server.js";
import { style } from "../style.js";

style("feature");

/** @param {{route: import("../routes.js").Route}} props */
export default function Feature({ route: { uid, query } }) {
  const asked = useAnswer(at("features", uid));
  return html`<div class="page feature-page">
    <header>
      <h1>Feature ${featurePlace(uid)}</h1>
      <${Twin} path=${at("features", uid)} />
      ${asked.answer && html`<${Lead} feature=${asked.answer.rows[0]} />`}
    </header>
    <${Shown} asked=${asked}>${(/** @type {any} */ answer) => html`<${Parts} feature=${answer.rows[0]} query=${query} />`}<//>
  </div>`;
}

/** @param {{feature: any}} props */
function Lead({ feature }) {
  const dictionary = useAnswer(at("dictionaries", feature.dictionary)).answer?.rows[0];
  if (!dictionary) return html`<p class="lead">One direction of a sparse dictionary.</p>`;
  const { hook, architecture, n_features: size, model } = dictionary;
  const kind = [architecture, size && `${count(size)} features`].filter(Boolean).join(", ");
  return html`<p class="lead">One direction of the dictionary that decomposes <code>${hook}</code> of ${model}${kind && ` (${kind})`}: what it means by itself, and what it does in circuits.</p>`;
}

/** @param {{feature: any, query: URLSearchParams}} props */
const Parts = ({ feature, query }) => html`<div class="beside">
  <aside class="card"><${FeatureCard} uid=${feature.uid} isTitled=${false} /></aside>
  <div class="sections">
    <${InCircuits} uid=${feature.uid} areAllShown=${query.get("circuits") === "all"} />
    <${Lineage} feature=${feature} method=${query.get("method") ?? ""} />
    <${Neighbours} uid=${feature.uid} />
    <${Ablated} feature=${feature} />
    <${Together} uid=${feature.uid} />
    <${InClusters} uid=${feature.uid} />
  </div>
</div>`;
