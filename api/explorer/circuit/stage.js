/**
 * A scene on a canvas: moved, zoomed, pointed at.
 *
 * What takes long to draw is drawn once, on a larger canvas than is seen, and that picture is moved while the reader
 * moves it; when they stop, it is drawn anew. So panning is as fast for twenty thousand edges as for twenty.
 */

import { BOTTOM, paintMargins } from "./margins.js";
import { bend, keyOf, paintScene } from "./paint.js";
import { wrapped } from "../parts/words.js";
import { LARGEST as LARGEST_NODE, spread } from "./scene.js";

/** @typedef {import("./scene.js").Scene} Scene @typedef {import("./scene.js").Spot} Spot @typedef {import("./scene.js").Link} Link
 * @typedef {import("./paint.js").View} View @typedef {import("./paint.js").Lit} Lit @typedef {import("./paint.js").Colours} Colours
 * @typedef {{spot?: Spot, link?: Link}} Found */

const MANY = 1200; // edges: more take longer to draw than a frame lasts
const STILL_MS = 120;
const BEYOND = 0.3; // how much more than is seen is drawn, on each side
const LEFT = 64; // names of layers
const TOP = 62; // buttons, and names of outputs
const [SMALLEST, LARGEST] = [0.08, 4];
const NEAR = 5;
const [SHARP, LINE] = [2.5, 20]; // of saved pictures
const [WIDEST, HIGHEST, MOST_GROWN] = [3, 2, 1.6]; // how far a scene is spread to fill the canvas

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {Colours} colours @param {{onPoint: (found: Found | null, x: number, y: number) => void, onPick: (uid: string | null) => void}} told */
  constructor(canvas, colours, told) {
    this.canvas = canvas;
    this.colours = colours;
    this.told = told;
    /** @type {Scene | null} as it came */
    this.given = null;
    /** @type {Scene | null} as it is drawn, spread over the canvas */
    this.scene = null;
    this.spread = { wider: 1, higher: 1, larger: 1 };
    /** @type {Lit} */
    this.lit = { nodes: null, links: null };
    /** @type {View} */
    this.view = { x: 0, y: 0, k: 1 };
    this.picture = document.createElement("canvas");
    /** @type {View | null} where the picture was drawn for */
    this.drawnFor = null;
    /** @type {{picture: HTMLCanvasElement, view: View, started: number, steps: Generator<void, void>} | null} the next picture, half done */
    this.coming = null;
    this.isOld = true;
    this.frame = 0;
    this.still = 0;
    this.isTouched = false; // by the reader: until then all of it is kept in sight
    this.leaving = new AbortController();
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(canvas);
    this.#listen();
  }

  leave() {
    this.leaving.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.still);
  }

  /** @param {Scene} scene */
  show(scene) {
    this.given = scene;
    if (this.isTouched) this.scene = spread(scene, this.spread);
    else this.#fit();
    this.#anew();
  }

  /** @param {Lit} lit */
  light(lit) {
    this.lit = lit;
    this.#anew();
  }

  /** @param {Colours} colours */
  recolour(colours) {
    this.colours = colours;
    this.#anew();
  }

  /** All of it in sight, from now on. */
  fit() {
    this.isTouched = false;
    this.#fit();
    this.#anew();
  }

  #fit() {
    const { width, height } = this.#size();
    if (!this.given || !width) return;
    const room = [width - LEFT - 40, height - BOTTOM - TOP - 40];
    const lacks = (room[0] * this.given.height) / (room[1] * this.given.width || 1);
    const [wider, higher] = [Math.min(WIDEST, Math.max(1, lacks)), Math.min(HIGHEST, Math.max(1, 1 / lacks))];
    const [w, h] = [this.given.width * wider, this.given.height * higher];
    const k = Math.min(1.6, Math.max(SMALLEST, Math.min(room[0] / w, room[1] / h)));
    this.spread = { wider, higher, larger: Math.max(1, Math.min(1 / k, roomFor(this.given, wider, higher), MOST_GROWN)) };
    this.scene = spread(this.given, this.spread);
    this.view = { k, x: LEFT + (width - LEFT - w * k) / 2, y: (height - BOTTOM + TOP + h * k) / 2 - 30 * k };
  }

  /** @param {number} dx @param {number} dy in pixels */
  pan(dx, dy) {
    this.isTouched = true;
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.#moved();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] what stays where it is; else the middle */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const k = Math.min(LARGEST, Math.max(SMALLEST, this.view.k * factor));
    const by = k / this.view.k;
    this.isTouched = true;
    this.view = { k, x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by };
    this.#moved();
  }

  /** Move a node into sight, if it is not. @param {string} uid */
  reveal(uid) {
    const spot = this.scene?.byUid.get(uid);
    if (!spot) return;
    const { width, height } = this.#size();
    const [x, y] = [spot.x * this.view.k + this.view.x, spot.y * this.view.k + this.view.y];
    if (x < LEFT || x > width - 20 || y < 20 || y > height - BOTTOM - 20) this.pan(width / 2 - x, height / 2 - y);
  }

  /** The nearest node in a direction, for the arrow keys. @param {string | null} uid @param {number} dx @param {number} dy @returns {string | null} */
  neighbour(uid, dx, dy) {
    const spots = this.scene?.spots ?? [];
    const from = uid ? this.scene?.byUid.get(uid) : null;
    if (!from) return spots[spots.length - 1]?.node.uid ?? null;
    let best = null;
    let least = Infinity;
    for (const spot of spots) {
      const [x, y] = [spot.x - from.x, spot.y - from.y];
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (along > 1 && along + 2.5 * aside < least) [least, best] = [along + 2.5 * aside, spot.node.uid];
    }
    return best ?? uid;
  }

  /** What is seen, as a picture for print, with a caption below. @param {string[]} caption @returns {Promise<Blob | null>} */
  toPNG(caption) {
    const { width, height } = this.#size();
    const lines = caption.flatMap((line) => wrapped(line, width - 20));
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SHARP * width, SHARP * (height + LINE * (lines.length + 1))];
    const context = canvas.getContext("2d");
    if (!context || !this.scene) return Promise.resolve(null);
    context.scale(SHARP, SHARP);
    context.fillStyle = this.colours.paper ?? "";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    context.translate(this.view.x, this.view.y);
    context.scale(this.view.k, this.view.k);
    for (const _ of paintScene(context, this.scene, this.view, this.colours, this.lit)); // all at once
    context.restore();
    paintMargins(context, this.scene, this.view, { width, height }, this.colours);
    context.textAlign = "left";
    context.fillStyle = this.colours.ink ?? "";
    lines.forEach((line, i) => context.fillText(line, 10, height + LINE * (i + 1)));
    return new Promise((done) => canvas.toBlob(done));
  }

  #size() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  /** Whole pixels, or moved pictures would blur. @returns {[number, number]} */
  #beyond() {
    return [Math.round(BEYOND * this.canvas.width), Math.round(BEYOND * this.canvas.height)];
  }

  #resize() {
    const { width, height } = this.#size();
    const ratio = Math.min(2, devicePixelRatio);
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    if (!this.isTouched) this.#fit();
    this.#anew();
  }

  #anew() {
    this.isOld = true;
    this.coming = null;
    this.#moved();
  }

  #moved() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    clearTimeout(this.still);
    const context = this.canvas.getContext("2d");
    if (!this.scene || !context || !this.canvas.width) return;
    const isMoved = this.drawnFor !== null && (this.drawnFor.x !== this.view.x || this.drawnFor.y !== this.view.y || this.drawnFor.k !== this.view.k);
    const isMany = this.scene.links.length > MANY;
    if (this.isOld || this.coming || (isMoved && !isMany)) this.#goOn();
    else if (isMoved) this.still = setTimeout(() => this.#anew(), STILL_MS);
    const ratio = this.canvas.width / this.canvas.clientWidth;
    if (!this.drawnFor) return;
    const drawn = this.drawnFor;
    const by = this.view.k / drawn.k;
    const { width, height } = this.#size();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.colours.paper ?? "";
    context.fillRect(0, 0, width, height);
    const [beyondX, beyondY] = this.#beyond().map((pixels) => pixels / ratio);
    const [left, top] = [this.view.x - (drawn.x + beyondX) * by, this.view.y - (drawn.y + beyondY) * by];
    context.drawImage(this.picture, left, top, (this.picture.width / ratio) * by, (this.picture.height / ratio) * by);
    paintMargins(context, this.scene, this.view, { width, height }, this.colours);
  }

  /** Draws the next picture, or some more of it; what is seen meanwhile is the one before. */
  #goOn() {
    const coming = (this.coming ??= this.#begin());
    this.isOld = false;
    if (!coming) return;
    if (!coming.steps.next().done) {
      this.#moved();
      return;
    }
    this.picture = coming.picture;
    this.drawnFor = coming.view;
    this.coming = null;
    performance.measure("circuit drawn", { start: coming.started }); // for who measures the page: bench/explorer.py
    if (coming.view !== this.view) this.still = setTimeout(() => this.#anew(), STILL_MS);
  }

  #begin() {
    const started = performance.now();
    const picture = document.createElement("canvas");
    const ratio = this.canvas.width / this.canvas.clientWidth;
    const [beyondX, beyondY] = this.#beyond();
    [picture.width, picture.height] = [this.canvas.width + 2 * beyondX, this.canvas.height + 2 * beyondY];
    const context = picture.getContext("2d");
    if (!context || !this.scene) return null;
    const { view } = this;
    context.setTransform(ratio, 0, 0, ratio, beyondX, beyondY);
    context.translate(view.x, view.y);
    context.scale(view.k, view.k);
    return { picture, view, started, steps: paintScene(context, this.scene, view, this.colours, this.lit) };
  }

  /** @param {number} x @param {number} y @returns {Found | null} */
  #at(x, y) {
    if (!this.scene || y > this.canvas.clientHeight - BOTTOM) return null;
    const [sx, sy] = [(x - this.view.x) / this.view.k, (y - this.view.y) / this.view.k];
    const near = NEAR / this.view.k;
    for (const spot of this.scene.spots) if (Math.hypot(spot.x - sx, spot.y - sy) < spot.r + near) return { spot };
    let best = null;
    let least = near;
    for (const link of this.scene.links) {
      if (this.lit.links && !this.lit.links.has(keyOf(link.edge))) continue;
      const away = distance(link, sx, sy, least);
      if (away < least) [least, best] = [away, link];
    }
    return best ? { link: best } : null;
  }

  #listen() {
    const { canvas } = this;
    const { signal } = this.leaving;
    /** @type {{x: number, y: number, moved: number} | null} */
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = { x: event.offsetX, y: event.offsetY, moved: 0 };
      canvas.setPointerCapture(event.pointerId);
    }, { signal });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = [event.offsetX, event.offsetY];
      if (held) {
        held.moved += Math.abs(x - held.x) + Math.abs(y - held.y);
        this.pan(x - held.x, y - held.y);
        Object.assign(held, { x, y });
        this.told.onPoint(null, x, y);
      } else {
        const found = this.#at(x, y);
        canvas.classList.toggle("pointing", Boolean(found));
        this.told.onPoint(found, x, y);
      }
    }, { signal });
    canvas.addEventListener("pointerup", (event) => {
      if (held && held.moved < 4) this.told.onPick(this.#at(event.offsetX, event.offsetY)?.spot?.node.uid ?? null);
      held = null;
    }, { signal });
    for (const lost of ["pointercancel", "lostpointercapture"]) canvas.addEventListener(lost, () => (held = null), { signal });
    canvas.addEventListener("pointerleave", () => this.told.onPoint(null, 0, 0), { signal });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.shiftKey) this.pan(-event.deltaY, 0);
      else this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), event.offsetX, event.offsetY);
    }, { signal, passive: false });
  }
}

/** How much larger nodes may be drawn before two of them touch. @param {Scene} scene @param {number} wider @param {number} higher */
const roomFor = ({ apart }, wider, higher) => (Math.min(apart.x * wider, apart.y * higher) - 3) / (2 * LARGEST_NODE);

/** How far a point is from an edge as it is drawn; what is farther than `least` need not be exact. @param {Link} link @param {number} x @param {number} y @param {number} least */
function distance({ from, to }, x, y, least) {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const slack = least + Math.abs(to.y - from.y) * 0.1;
  if (x < left - slack || x > right + slack || y > Math.max(from.y, to.y) + slack || y < Math.min(from.y, to.y) - slack) return Infinity;
  const [bx, by] = bend(from, to);
  let nearest = Infinity;
  let [px, py] = [from.x, from.y];
  for (let i = 1; i <= 12; i += 1) {
    const t = i / 12;
    const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
    const [qx, qy] = [a * from.x + b * bx + c * to.x, a * from.y + b * by + c * to.y];
    const [dx, dy] = [qx - px, qy - py];
    const along = Math.min(1, Math.max(0, ((x - px) * dx + (y - py) * dy) / (dx * dx + dy * dy || 1)));
    nearest = Math.min(nearest, Math.hypot(px + along * dx - x, py + along * dy - y));
    [px, py] = [qx, qy];
  }
  return nearest;
}
