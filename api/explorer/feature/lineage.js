/** What a feature continues, and what continues it, layer by layer; and whether that was ever tested. */

import { html, useMemo, useState } from "../html.js";
import { featurePlace, number } from "../format.js";
import { Choice } from "../parts/choice.js";
import { Figure } from "../parts/figure.js";
import { Section } from "../parts/section.js";
import { Empty, Failed, Waiting } from "../parts/states.js";
import { change } from "../routes.js";
import { href, useAnswer } from "../server.js";
import { chainOf, METHODS } from "./chain.js";
import { deed, MATCHED, proof, Ribbon } from "./ribbon.js";

/** @typedef {import("./chain.js").Link} Link */

const TITLE = "Lineage across layers";
const ALL = "all ways to match";

/** @param {{feature: any, method: string}} props `method`: the only one to show, or "" */
export function Lineage({ feature, method }) {
  const path = (/** @type {string} */ one) => href("/queries/feature_lineage", { feature: feature.uid, method: one, max_hops: 8 });
  const asked = [useAnswer(path("sae_match")), useAnswer(path("feature_flow")), useAnswer(path("correlation"))];
  const acting = useAnswer(href("/queries/acting_matches", { method, limit: 10000 }));
  const [told, tell] = useState(/** @type {Link | null} */ (null));
  const answers = asked.map((one) => one.answer);
  const found = METHODS.filter((_, i) => answers[i]?.rows.length);
  const shown = found.filter((one) => !method || one === method);
  const chain = useMemo(() => {
    const rows = Object.fromEntries(shown.map((one) => [one, answers[METHODS.indexOf(one)].rows]));
    return shown.length ? chainOf(feature, rows, acting.answer?.rows ?? []) : null;
  }, [...answers, acting.answer, method, feature]);
  const error = asked.find((one) => one.error)?.error;
  const query = path(method || "sae_match");
  const tools = found.length > 0 && html`<${Choice} label="" help="How features were matched" options=${[ALL, ...found]} value=${method || ALL}
    choose=${(/** @type {string} */ to) => change({ method: to === ALL ? null : to }, { replace: true })} />`;
  if (error || !chain) {
    return html`<${Section} title=${TITLE} query=${query} tools=${tools}>
      ${error ? html`<${Failed} error=${error} />` : answers.every(Boolean) ? html`<${None} />` : asked.some((one) => one.isSlow) && html`<${Waiting} />`}
    <//>`;
  }
  const about = {
    title: TITLE, query, tools, name: `lineage-${featurePlace(feature.uid).replace(":", "-")}`,
    how: "The features of other layers that match it best, step by step. A tie is as thick as the two are alike; ways to match that disagree part.",
    csv: { columns: COLUMNS, rows: chain.links.map(rowOf) },
    below: html`<p class="told" aria-live="polite">${told ? html`<${Told} link=${told} />` : html`<span class="faint">Point at a tie, or tab to it, for its figures.</span>`}</p>`,
  };
  return html`<${Figure} about=${about}>
    ${(/** @type {number} */ width) => html`<${Ribbon} chain=${chain} methods=${shown} width=${width} middle=${feature.uid} told=${told} tell=${tell} />`}
  <//>`;
}

const None = () => html`<${Empty} title="No matches of it are stored">They are made by <code>circuitstore match RECIPE</code>, where a model has dictionaries at several layers.<//>`;

/** @param {{link: Link}} props */
const Told = ({ link }) => html`<strong>${link.source.name} → ${link.target.name}</strong> ${MATCHED[link.method]}, similarity <strong>${number(link.score)}</strong>${link.kind && `, ${link.kind}`}.
  Tested: ${proof(link)}. It ${deed(link)}.`;

const COLUMNS = ["source", "target", "method", "score", "kind", "deactivation", "control", "confirmed", "n_circuits", "mean_weight"];

/** @param {Link} link */
const rowOf = (link) => ({ ...link, source: link.source.uid, target: link.target.uid, n_circuits: link.acts?.n_circuits ?? 0, mean_weight: link.acts?.mean_weight });
