/** Whether two circuits use what they share in the same way: each shared part's value in the one against that in the other. */

import { html } from "../html.js";
import { Scatter } from "../parts/scatter.js";
import { sums, valueOf } from "./parts.js";
import { at } from "../server.js";

/** @param {{compared: import("./parts.js").Compared, names: {left: string, right: string}}} props */
export function Agreement({ compared: { parts, measure }, names }) {
  if (sums(parts).both < 2) return null;
  const spots = parts.filter((part) => part.where === "both").map((part) => ({
    x: valueOf(part.left, measure) ?? 0, y: valueOf(part.right, measure) ?? 0, kind: part.kind, name: `${part.name} ${part.label}`, href: part.feature ? at("features", part.feature) : undefined,
  }));
  const said = measure === "effect" ? "effect" : "weight of edges";
  const about = {
    title: "The shared, one by one", name: "shared-parts", csv: { columns: ["name", "kind", "x", "y"], rows: spots },
    how: html`On the dashed line a part does as much in both circuits.`,
  };
  return html`<${Scatter} about=${about} spots=${spots} x=${`${said}, ${names.left}`} y=${`${said}, ${names.right}`} said=${["left", "right"]} />`;
}
