/** The keyboard: what each key does, told by whoever does it, and shown by `?`. */

import { useEffect } from "./html.js";

/** @typedef {{key: string, does: string, run: () => void}} Key */

/** @type {Set<Key[]>} */
const active = new Set();

/** Those that work now, the view's before the page's. @returns {Key[]} */
export const keys = () => [...active].reverse().flat();

/** While a component is shown, these work. @param {Key[]} own @param {any[]} on when they change */
export function useKeys(own, on = []) {
  useEffect(() => {
    active.add(own);
    return () => void active.delete(own);
  }, on);
}

/** What arrow keys move already. */
const MOVED_BY_ARROWS = "input, .panel";

addEventListener("keydown", (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && (target.matches("input:not([type=range]):not([type=checkbox]), textarea, select") || target.isContentEditable);
  if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.key !== "Escape")) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key.startsWith("Arrow") && target instanceof Element && target.closest(MOVED_BY_ARROWS)) return;
  const found = keys().find((one) => one.key === event.key);
  if (found) {
    event.preventDefault();
    found.run();
  }
});
