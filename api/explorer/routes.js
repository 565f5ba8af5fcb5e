/** Which view stands at which address. Addresses are those of the service: programs find the data there. */

import { useEffect, useState } from "./html.js";

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
  [/^\/queries\/([^/]+)$/, "question", () => import("./views/question.js")],
];

const CHANGED = "circuitstore-navigated";

/** @param {string} address path and query @returns {Route} */
export function routeOf(address) {
  const url = new URL(address, "http://explorer");
  for (const [pattern, view] of VIEWS) {
    const found = pattern.exec(url.pathname);
    if (found) return { view, uid: decodeURIComponent(found[1] ?? ""), query: url.searchParams, path: url.pathname };
  }
  return { view: "", uid: "", query: url.searchParams, path: url.pathname };
}

/** The module of a view, fetched when it is first shown. @param {string} view */
export const moduleOf = (view) => VIEWS.find(([, name]) => name === view)?.[2]();

/** Go to an address; with `replace`, without a step for the browser's Back. @param {string} address */
export function go(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event(CHANGED));
  if (!replace) scrollTo(0, 0);
}

/**
 * Change some of the address's parameters and keep the others; null or "" takes one out.
 * @param {Record<string, any>} changes
 */
export function change(changes, { replace = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  go(text ? `${location.pathname}?${text}` : location.pathname, { replace });
}

/** Where the page is, for a component that changes with it. @returns {Route} */
export function useRoute() {
  const [address, setAddress] = useState(location.pathname + location.search);
  useEffect(() => {
    const look = () => setAddress(location.pathname + location.search);
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
    if (!link || !isPlain || event.defaultPrevented || link.hasAttribute("target") || link.hasAttribute("download")) return;
    const url = new URL(link.getAttribute("href") ?? "", location.href); // of drawings, too: their links have no such property
    if (url.origin !== location.origin || url.searchParams.has("format") || !routeOf(url.pathname).view) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
