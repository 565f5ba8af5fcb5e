/** A feature's lineage as a ribbon: a column a dictionary, ties as thick as two features are alike. */

import { html } from "../html.js";
import { number, percent, token } from "../format.js";
import { legendOf } from "../parts/axes.js";
import { fitted } from "../parts/words.js";
import { at } from "../server.js";

/** @typedef {import("./chain.js").Chain} Chain @typedef {import("./chain.js").Link} Link @typedef {import("./chain.js").Stop} Stop */

const [BAR, TEXT, NARROWEST, MARGIN] = [7, 126, 132, 4];

/** What the ways to match are called. @type {Record<string, string>} */
export const MATCHED = { sae_match: "matched by weights, one to one", feature_flow: "by weights, the nearest", correlation: "by activations" };

const PROVEN = { confirmed: "confirmed by switching the earlier one off", unconfirmed: "not confirmed", untested: "not tested" };

/**
 * @param {{chain: Chain, methods: string[], width: number, middle: string, told: Link | null, tell: (link: Link | null) => void}} props
 * `told`: the tie whose figures are shown.
 */
export function Ribbon({ chain, methods, width, middle, told, tell }) {
  const steps = Math.max(1, chain.columns.length - 1);
  const step = Math.max(NARROWEST, (width - TEXT - 2 * MARGIN) / steps);
  const full = Math.max(width, step * steps + TEXT + 2 * MARGIN);
  const { placed, height: above } = legendOf(/** @type {any} */ ([
    ...methods.map((method) => ({ name: MATCHED[method], look: `${method} confirmed` })),
    ...Object.entries(PROVEN).map(([look, name]) => ({ name, look })),
  ]), width);
  /** @param {Stop} stop */
  const x = (stop) => MARGIN + stop.column * step;
  return html`<svg class="ribbon" width=${full} height=${above + 8 + chain.height} role="group" aria-label="Matches of the feature in other layers">
    ${placed.map(({ name, look, x: left, row }) => html`<g transform=${`translate(${left + MARGIN} ${row * 20 + 12})`}>
      <rect class=${`tie ${look}`} x="0" y="-6" width="18" height="11" /><text class="entry" x="24" y="4">${name}</text>
    </g>`)}
    <g transform=${`translate(0 ${above + 8})`}>
      ${chain.columns.map((column, i) => html`<g class="column">
        <line x1=${MARGIN + i * step} x2=${MARGIN + i * step} y1="20" y2=${chain.height} />
        <text x=${MARGIN + i * step} y="12"><title>${column.dictionary}</title>Layer ${column.layer}</text>
      </g>`)}
      ${chain.links.map((link) => html`<path class=${`tie ${link.method} ${certainty(link)} ${told && told !== link ? "dimmed" : ""}`}
        d=${drawn(x(link.source) + BAR, link.from, x(link.target), link.to, link.thick)} tabindex="0" role="img" aria-label=${sentence(link)}
        onMouseEnter=${() => tell(link)} onFocus=${() => tell(link)} onMouseLeave=${() => tell(null)} onBlur=${() => tell(null)} />`)}
      ${lowest(chain.links).map((link) => html`<${Acts} link=${link} left=${x(link.source) + BAR} right=${x(link.target)} />`)}
      ${chain.stops.map((stop) => html`<a href=${at("features", stop.uid)} class=${stop.uid === middle ? "stop here" : "stop"} aria-current=${stop.uid === middle ? "page" : undefined}>
        <title>${stop.label ?? stop.uid}</title>
        <rect class="hit" x=${x(stop) - 2} y=${stop.y - 34} width=${Math.min(step, TEXT + 10)} height="32" />
        <rect x=${x(stop)} y=${stop.y} width=${BAR} height=${stop.height} rx="2" />
        <text class="name" x=${x(stop)} y=${stop.y - 19}>${stop.name}</text>
        <text class="promoted" x=${x(stop)} y=${stop.y - 6}>${fitted(stop.tokens.map((one) => token(one).replace(/^·/, "")).join(" "), (stop.column === steps ? TEXT : step) - 12, 11.5)}</text>
      </a>`)}
    </g>
  </svg>`;
}

/** Whether the one acts on the other in circuits, below the tie, at the end that is lower: there is room. @param {{link: Link, left: number, right: number}} props */
function Acts({ link, left, right }) {
  const slope = link.to - link.from;
  const [x, y, anchor] = Math.abs(slope) < 12 ? [(left + right) / 2, Math.max(link.from, link.to), "middle"] : slope > 0 ? [right - 5, link.to, "end"] : [left + 5, link.from, "start"];
  const weight = link.acts.mean_weight;
  return html`<text class=${`acts ${weight < 0 ? "negative" : "positive"}`} x=${x} y=${y + link.thick + 14} text-anchor=${anchor}>acts ${number(weight)}</text>`;
}

/** What a tie says, in words. @param {Link} link */
export function sentence(link) {
  const { source, target, method, score, kind } = link;
  return `${source.name} to ${target.name}, ${MATCHED[method]}: similarity ${number(score)}${kind ? `, ${kind}` : ""}; ${proof(link)}; ${deed(link)}`;
}

/** @param {Link} link */
export const proof = ({ source, target, deactivation, control, confirmed }) => (deactivation === null
  ? "not tested, as the two are not active together"
  : `without ${source.name}, ${target.name} loses ${percent(deactivation)} of its activation and another feature there ${percent(control)}: ${confirmed ? "confirmed" : "not confirmed"}`);

/** @param {Link} link */
export const deed = ({ acts }) => (acts
  ? `acts on it in ${acts.n_circuits} ${acts.n_circuits === 1 ? "circuit" : "circuits"}, with a mean weight of ${number(acts.mean_weight)}`
  : "acts on it in no circuit that is stored");

/** @param {Link} link */
const certainty = ({ confirmed }) => (confirmed ? "confirmed" : confirmed === false ? "unconfirmed" : "untested");

/** Of the ties between the same two, the lowest, where the one acts on the other. @param {Link[]} links */
function lowest(links) {
  const found = new Map();
  for (const link of links) {
    const key = `${link.source.uid} ${link.target.uid}`;
    if (link.acts && (found.get(key)?.from ?? -1) < link.from) found.set(key, link);
  }
  return [...found.values()];
}

/** @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 @param {number} thick */
function drawn(x0, y0, x1, y1, thick) {
  const x = (x0 + x1) / 2;
  return `M${x0} ${y0}C${x} ${y0} ${x} ${y1} ${x1} ${y1}V${y1 + thick}C${x} ${y1 + thick} ${x} ${y0 + thick} ${x0} ${y0 + thick}Z`;
}
