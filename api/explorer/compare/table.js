/** All parts of two circuits in a table, or those that stand in both, or in one alone. */

import { count } from "../format.js";
import { html } from "../html.js";
import { FeatureLink, NodeLink, signed } from "../parts/bits.js";
import { saveCSV, SaveButtons } from "../parts/save.js";
import { Section } from "../parts/section.js";
import { Table } from "../parts/table.js";
import { change, useRoute } from "../routes.js";
import { sizeOf, sums, valueOf } from "./parts.js";

/** @typedef {import("./parts.js").Part} Part */

/** @param {{compared: import("./parts.js").Compared, names: {left: string, right: string}}} props */
export function PartTable({ compared: { parts, measure }, names }) {
  const wanted = useRoute().query.get("in") ?? "";
  const all = sums(parts);
  const shown = parts.filter((part) => !wanted || part.where === wanted).map((part) => {
    const [left, right] = [valueOf(part.left, measure), valueOf(part.right, measure)];
    return { ...part, leftValue: left, rightValue: right, size: sizeOf(part, measure), difference: (right ?? 0) - (left ?? 0) };
  });
  const show = measure === "effect" ? signed : undefined;
  const columns = [
    { name: "name", title: "part", by: (/** @type {Part} */ part) => part.layer * 1e7 + part.index, isNumber: false, show: (/** @type {any} */ _, /** @type {Part} */ part) => html`<${PartLink} part=${part} />` },
    { name: "layer", isNumber: true },
    ...(parts.some((part) => part.label) ? [{ name: "label", title: "what it is", isSortable: false }] : []),
    { name: "where", title: "in", show: (/** @type {Part["where"]} */ where) => ({ both: "both", left: "left only", right: "right only" })[where] },
    { name: "leftValue", title: `${measure}, left`, isNumber: true, help: names.left, show, by: (/** @type {any} */ row) => row.leftValue === null ? null : Math.abs(row.leftValue) },
    { name: "rightValue", title: `${measure}, right`, isNumber: true, help: names.right, show, by: (/** @type {any} */ row) => row.rightValue === null ? null : Math.abs(row.rightValue) },
    { name: "difference", isNumber: true, help: "Right less left; what one lacks counts as nothing", by: (/** @type {any} */ row) => Math.abs(row.difference) },
  ];
  const choices = [["", `all ${count(parts.length)}`], ["both", `both ${count(all.both)}`], ["left", `left only ${count(all.left)}`], ["right", `right only ${count(all.right)}`]];
  const tools = html`<div class="segments" role="group" aria-label="Show">
      ${choices.map(([where, title]) => html`<button aria-pressed=${wanted === where} onClick=${() => change({ in: where }, { replace: true })}>${title}</button>`)}
    </div>
    <${SaveButtons} csv=${() => saveCSV("parts.csv", ["name", "kind", "feature", "layer", "label", "where", "leftValue", "rightValue", "difference"], shown)} />`;
  return html`<${Section} title="Part by part" tools=${tools}
    lead=${measure === "effect" ? "Predicted effects on the metric, summed over positions." : "Weights of all edges that leave a part, summed over positions."}>
    <${Table} columns=${columns} rows=${[...shown].sort((a, b) => b.size - a.size)} caption="Parts of both circuits" keyOf=${(/** @type {Part} */ part) => part.key} param="sort" />
  <//>`;
}

/** @param {{part: Part}} props */
function PartLink({ part }) {
  if (part.feature) return html`<${FeatureLink} uid=${part.feature} label=${part.name} />`;
  const uid = (part.left ?? part.right)?.node ?? "";
  return html`<${NodeLink} circuit=${uid.split(":").slice(0, 3).join(":")} node=${{ uid, kind: part.kind, layer: part.layer, index: part.index }} />`;
}
