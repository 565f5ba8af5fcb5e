/** The circuit's graph on the page: a canvas, what is under the pointer, and the buttons around it. */

import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { nodeName, number, percent } from "../format.js";
import { useKeys } from "../keys.js";
import { saveFile, SaveButtons } from "../parts/save.js";
import { colour, onColours } from "../theme.js";
import { drawing } from "./drawing.js";
import { isConfirmed } from "./scene.js";
import { Stage } from "./stage.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./paint.js").Lit} Lit @typedef {import("./stage.js").Found} Found */

const LONG = 80; // letters of a name
const COLOURS = { ink: "--ink", faint: "--faint", paper: "--paper", raised: "--raised", line: "--line", accent: "--accent", positive: "--positive", negative: "--negative",
  feature: "--feature", error: "--error", token: "--token-kind", logit: "--logit", metric: "--metric", head: "--head", mlp: "--mlp", cluster: "--accent" };

const colours = () => Object.fromEntries(Object.entries(COLOURS).map(([name, property]) => [name, colour(property)]));

/** @param {{scene: Scene, lit: Lit, pinned: string | null, name: string, summary: string, pick: (uid: string | null, how?: {replace: boolean}) => void}} props */
export function Graph({ scene, lit, pinned, name, summary, pick }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const stage = useRef(/** @type {Stage | null} */ (null));
  const picked = useRef(pick);
  picked.current = pick;
  const [pointed, setPointed] = useState(/** @type {{found: Found, x: number, y: number} | null} */ (null));
  useEffect(() => {
    const made = new Stage(/** @type {HTMLCanvasElement} */ (canvas.current), colours(), {
      onPoint: (found, x, y) => setPointed(found && { found, x, y }),
      onPick: (uid) => {
        setPointed(null);
        picked.current(uid);
      },
    });
    stage.current = made;
    const stop = onColours(() => made.recolour(colours()));
    return () => {
      stop();
      made.leave();
    };
  }, []);
  useEffect(() => stage.current?.show(scene), [scene]);
  useEffect(() => stage.current?.light(lit), [lit]);
  useEffect(() => {
    if (pinned) stage.current?.reveal(pinned);
  }, [pinned, scene]);
  const step = (/** @type {number} */ dx, /** @type {number} */ dy) => pick(stage.current?.neighbour(pinned, dx, dy) ?? null, { replace: pinned !== null });
  useKeys([
    { key: "ArrowUp", does: "pin the next node above", run: () => step(0, -1) },
    { key: "ArrowDown", does: "pin the next node below", run: () => step(0, 1) },
    { key: "ArrowLeft", does: "pin the next node to the left", run: () => step(-1, 0) },
    { key: "ArrowRight", does: "pin the next node to the right", run: () => step(1, 0) },
    { key: "Escape", does: "unpin", run: () => pick(null) },
    { key: "+", does: "nearer", run: () => stage.current?.zoom(1.3) },
    { key: "-", does: "farther", run: () => stage.current?.zoom(1 / 1.3) },
    { key: "f", does: "all of it", run: () => stage.current?.fit() },
  ], [pinned, scene]);
  const caption = () => [`${name.length > LONG ? `${name.slice(0, LONG)}…` : name}: ${summary}`, `${legend(scene)}. Circuitstore`];
  const save = useMemo(() => ({
    png: () => void stage.current?.toPNG(caption()).then((blob) => blob && saveFile(`${name}.png`, blob)),
    svg: () => saveFile(`${name}.svg`, new Blob([drawing(stage.current?.scene ?? scene, colours(), lit, caption())], { type: "image/svg+xml" })),
  }), [scene, lit, name, summary]);
  const spot = pinned ? scene.byUid.get(pinned) : null;
  return html`<div class="graph">
    <canvas ref=${canvas} role="application" tabindex="0" aria-label=${`The graph of ${name}: ${summary}. Arrow keys go from node to node.`}></canvas>
    <p class="hidden" aria-live="polite">${spot && `Pinned: ${nodeName(spot.node)}`}</p>
    <div class="graph-tools">
      <button title="Nearer (+)" aria-label="Nearer" onClick=${() => stage.current?.zoom(1.3)}>+</button>
      <button title="Farther (-)" aria-label="Farther" onClick=${() => stage.current?.zoom(1 / 1.3)}>−</button>
      <button title="All of it (f)" onClick=${() => stage.current?.fit()}>Fit</button>
      <${SaveButtons} ...${save} />
    </div>
    ${pointed && html`<${Tip} ...${pointed} />`}
  </div>`;
}

/** What a picture of it needs be told with. @param {Scene} scene */
function legend(scene) {
  const kinds = new Set(scene.spots.map((spot) => spot.node.kind));
  const shapes = Object.entries(SHAPES).filter(([kind]) => kinds.has(kind)).map(([kind, shape]) => `${shape}: ${kind}`);
  const dashed = scene.links.some((link) => link.isDashed) ? ["dashed: not confirmed"] : [];
  return ["Blue edges: positive", "orange: negative", ...dashed, ...shapes].join(", ");
}

/** @type {Record<string, string>} */
const SHAPES = { feature: "disc", cluster: "ringed disc", error: "diamond", token: "green box", logit: "ochre box", metric: "dark box", head: "square", mlp: "triangle" };

/** @param {{found: Found, x: number, y: number}} props */
function Tip({ found, x, y }) {
  const place = { left: `${x + 14}px`, top: `${y + 14}px` };
  if (found.spot) {
    const { node } = found.spot;
    return html`<div class="tip" style=${place}><strong>${nodeName(node)}</strong>${node.label && html`<br />${node.label}`}
      <${Pairs} pairs=${[["predicted effect", node.effect], ["observed", node.observed_effect], ["activation", node.activation], ["influence", node.influence]]} /></div>`;
  }
  if (!found.link) return null;
  const { edge, from, to } = found.link;
  const state = edge.confirmedShare !== undefined ? `${percent(edge.confirmedShare)} of its edges' weight is confirmed` : edge.observed === null ? "not measured" : isConfirmed(edge) ? "confirmed" : "less than half of what was predicted";
  return html`<div class="tip" style=${place}><strong>${nodeName(from.node)} → ${nodeName(to.node)}</strong>
    <${Pairs} pairs=${[["predicted weight", edge.weight], ["observed", edge.observed]]} />${state}${edge.ambiguous ? "; the file left open which node is meant" : ""}</div>`;
}

/** @param {{pairs: [string, number | null][]}} props */
const Pairs = ({ pairs }) => html`<dl>${pairs.filter(([, value]) => value !== null).map(([name, value]) => html`<dt>${name}</dt><dd class="number">${number(value)}</dd>`)}</dl>`;
