/** Which view stands at which address. Addresses are those of the service: programs find the data there. */

import { useEffect, useState } from "./html.js";
import { exportedFrom } from "./server.js";

/** @typedef {{view: string, uid: string, query: URLSearchParams, path: string}} Route */

/** @type {[RegExp, string, () => Promise<{default: any}>][]} */
const VIEWS = [
  [/^\/(?:circuits)?$/, "circuits", () => import("./views/circuits.js")],
  [/^\/circuits\/([^/]+)$/, "circuit", () => import("./views/circuit.js")],
  [/^\/compare$/, "compare", () => import("./views/compare.js")],
  [/^\/features\/([^/]+)$/, "feature", () => import("./views/feature.js")],
  [/^\/clusterings$/, "clusterings", () => import("./views/clusterings.js")],
  [/^\/clusterings\/([^/]+)$/, "clustering", () => import("./views/clustering.js")],
  [/^\/clusters\/([^/]+)$/, "cluster", () => import("./views/cluster.js")],
  [/^\/ablations$/, "ablations", () => import("./views/ablations.js")],
  [/^\/queries$/, "questions", () => import("./views/questions.js")],
  [/^\/queries\/cypher$/, "cypher", () => import("./views/cypher.js")],
  [/^\/queries\/([^/]+)$/, "question", () => import("./views/question.js")],
];

const CHANGED = "circuitstore-navigated";

/** @param {string} address path and query @returns {Route} */
function routeOf(address) {
  const url = new URL(address, "http://explorer");
  for (const [pattern, view] of VIEWS) {
    const found = pattern.exec(url.pathname);
    if (found) return { view, uid: decoded(found[1] ?? ""), query: url.searchParams, path: url.pathname };
  }
  return { view: "", uid: "", query: url.searchParams, path: url.pathname };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not of UTF-8: no uid is like this, and the service says so
  }
}

/** The module of a view, fetched when it is first shown. @param {string} view */
export const moduleOf = (view) => VIEWS.find(([, name]) => name === view)?.[2]();

/** An address that is shown and not written yet: a browser takes a hundred changes in half a minute, a slider makes more. */
let pending = "";
let writing = 0;
const WRITE_MS = 200;

/** Path and query of what is shown. An exported page is a file: its query stands behind a `#`, its path is one circuit's. */
export function here() {
  const path = exportedFrom();
  if (pending) return pending;
  return path ? path + (location.hash.startsWith("#?") ? location.hash.slice(1) : "") : location.pathname + location.search;
}

/** What the query of the address says. */
export const queryHere = () => routeOf(here()).query;

/** Go to an address; with `replace`, without a step for the browser's Back. @param {string} address */
export function go(address, { replace = false } = {}) {
  if (address === here()) return;
  if (replace) {
    pending = address;
    writing ||= setTimeout(write, WRITE_MS);
  } else {
    if (pending) write();
    history.pushState(null, "", written(address));
    scrollTo(0, 0);
  }
  dispatchEvent(new Event(CHANGED));
}

function write() {
  clearTimeout(writing);
  history.replaceState(null, "", written(pending));
  [pending, writing] = ["", 0];
}

/** @param {string} address */
const written = (address) => (exportedFrom() ? `#${new URL(address, "http://explorer").search}` : address);

addEventListener("popstate", () => {
  clearTimeout(writing);
  [pending, writing] = ["", 0];
});

/**
 * Change some of the address's parameters and keep the others; null or "" takes one out.
 * @param {Record<string, any>} changes
 */
export function change(changes, { replace = false } = {}) {
  const { query, path } = routeOf(here());
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  go(text ? `${path}?${text}` : path, { replace });
}

/** Where the page is, for a component that changes with it. @returns {Route} */
export function useRoute() {
  const [address, setAddress] = useState(here());
  useEffect(() => {
    const look = () => setAddress(here());
    for (const event of ["popstate", CHANGED]) addEventListener(event, look);
    return () => ["popstate", CHANGED].forEach((event) => removeEventListener(event, look));
  }, []);
  return routeOf(address);
}

/** Links within the explorer change the view; all others, and those that a key is held on, are the browser's. */
export function followLinks() {
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || exportedFrom() || link.getAttribute("href")?.startsWith("#") || event.defaultPrevented || link.hasAttribute("target") || link.hasAttribute("download")) return;
    const url = new URL(link.getAttribute("href") ?? "", location.href); // of drawings, too: their links have no such property
    if (url.origin !== location.origin || url.searchParams.has("format") || !routeOf(url.pathname).view) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
