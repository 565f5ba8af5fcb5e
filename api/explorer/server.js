/** What the service answers, asked once and kept while it may be shown again. */

import { useEffect, useRef, useState } from "./html.js";

/** @typedef {Record<string, any>} Row */
/** @typedef {{columns: string[], rows: Row[], truncated: boolean, next?: string | null}} Answer */
/** @typedef {{answer: any, error: Problem | null, isSlow: boolean}} Asked */

const KEPT = 60;
export const SLOW_MS = 300;
const KEY = "circuitstore-key";
export const GONE = "The service does not answer: it may have been stopped. Start it with `circuitstore serve`.";

/** @type {Map<string, Promise<any>>} */
const answers = new Map();

/** What the service refused, or could not answer, in its own words. */
export class Problem extends Error {
  /** @param {number} status @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/**
 * A path of the service with these parameters; those that are null, undefined or "" are left out.
 * @param {string} path @param {Record<string, any>} [parameters]
 */
export function href(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query.replaceAll("%3A", ":").replaceAll("%2C", ",")}` : path;
}

/** The path of one thing of a kind: what no path may hold is encoded. @param {string} kind as circuits @param {string} uid */
export const at = (kind, uid) => `/${kind}/${encodeURIComponent(uid).replaceAll("%3A", ":")}`;

/** The same data for programs: the address that a view's own is asked at. @param {string} path */
export const twin = (path, format = "json") => `${path}${path.includes("?") ? "&" : "?"}format=${format}`;

/**
 * The JSON at a path. Throws Problem.
 * @param {string} path
 * @returns {Promise<any>}
 */
export function ask(path) {
  const kept = answers.get(path);
  if (kept) {
    answers.delete(path); // and put last again: the first is the one to go
    answers.set(path, kept);
    return kept;
  }
  const asked = embedded(path) ?? fetched(path);
  answers.set(path, asked);
  asked.catch(() => answers.delete(path));
  if (answers.size > KEPT) answers.delete(answers.keys().next().value ?? "");
  return asked;
}

/** Forget what was answered: it may be another now. */
export const askAnew = () => answers.clear();

/** The key that is held, as long as the tab; where the browser stores nothing for pages, as long as the page. */
let heldKey = "";
try {
  heldKey = sessionStorage.getItem(KEY) ?? "";
} catch {
  // storage is blocked
}

/** @param {string} key */
export function setKey(key) {
  heldKey = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // storage is blocked
  }
  askAnew();
}

/** Whether a key is sent with all that is asked: a plain link has none. */
export const hasKey = () => heldKey !== "";

/** What is at a path, as it comes. Throws Problem. @param {string} path */
export const download = async (path) => (await responded(path)).blob();

/** Send something. Throws Problem. @param {string} path @param {any} body @returns {Promise<any>} */
export const send = (path, body) =>
  fetched(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/**
 * What is at a path, as a component sees it: nothing yet, then an answer or an error. `isSlow` once a spinner is due.
 * @param {string | null} path null asks nothing
 * @returns {Asked}
 */
export function useAnswer(path) {
  const [asked, setAsked] = useState(/** @type {Asked & {path: string | null}} */ ({ path: null, ...NOTHING }));
  useEffect(() => {
    if (!path) return undefined;
    let isWanted = true;
    /** @param {Partial<Asked>} told */
    const tell = (told) => isWanted && setAsked({ path, ...NOTHING, ...told });
    const slow = setTimeout(() => tell({ isSlow: true }), SLOW_MS);
    ask(path)
      .then((answer) => tell({ answer }), (error) => tell({ error: asProblem(error) }))
      .finally(() => clearTimeout(slow));
    return () => {
      isWanted = false;
      clearTimeout(slow);
    };
  }, [path]);
  return asked.path === path ? asked : NOTHING;
}

/**
 * The same, but what was shown before stays until there is another answer: for filters and sliders.
 * @param {string | null} path
 * @returns {Asked & {isOld: boolean}}
 */
export function useLatest(path) {
  const asked = useAnswer(path);
  const last = useRef(/** @type {any} */ (null));
  if (asked.answer) last.current = asked.answer;
  const isOld = path !== null && !asked.answer && !asked.error;
  return { ...asked, answer: isOld ? last.current : asked.answer, isOld };
}

/** @type {Asked} */
const NOTHING = { answer: null, error: null, isSlow: false };

/** @param {any} error */
export const asProblem = (error) => (error instanceof Problem ? error : new Problem(0, String(error?.message ?? error)));

/** @param {string} path @param {RequestInit} [how] @returns {Promise<any>} */
const fetched = async (path, how) => (await responded(path, { ...how, headers: { Accept: "application/json", ...how?.headers } })).json();

/** @param {string} path @param {RequestInit} [how] */
async function responded(path, how = {}) {
  const headers = { ...how.headers, ...(heldKey ? { "X-API-Key": heldKey } : {}) };
  let response;
  try {
    response = await fetch(path, { ...how, headers });
  } catch {
    throw new Problem(0, GONE);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Problem(response.status, said.detail ?? response.statusText);
}

/** Answers that a page holds which was exported. @type {Record<string, any> | null | undefined} */
let held;

/** @param {string} path @returns {Promise<any> | null} */
function embedded(path) {
  if (held === undefined) held = JSON.parse(document.getElementById("answers")?.textContent ?? "null");
  if (!held) return null;
  if (path in held) return Promise.resolve(held[path]);
  return Promise.reject(new Problem(404, "This page was exported: it holds its circuit, and nothing else."));
}

/** The circuit's path, where this page was exported as a file with one circuit in it; else "". */
export const exportedFrom = () => document.getElementById("answers")?.dataset.path ?? "";

export const isExported = () => exportedFrom() !== "";
