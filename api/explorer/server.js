/** What the service answers: asked once, kept while it may be shown again, given up once nobody waits for it. */

import { useEffect, useRef, useState } from "./html.js";

/** @typedef {Record<string, any>} Row */
/** @typedef {{columns: string[], rows: Row[], truncated: boolean, next?: string | null}} Answer */
/** @typedef {{answer: any, error: Problem | null, isSlow: boolean}} Asked */

/** @typedef {{answer: Promise<any>, waiting: number, isThere: boolean, stop: () => void}} Question `waiting`: how many components */

const KEPT = 60;
export const SLOW_MS = 300;
const LEFT_MS = 50; // a view that takes another's place may want the same
const KEY = "circuitstore-key";
export const GONE = "The service does not answer: it may have been stopped. Start it with `circuitstore serve`.";

/** @type {Map<string, Question>} */
const questions = new Map();

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

/** The question for the JSON at a path; its answer may be a Problem. @param {string} path @returns {Question} */
function ask(path) {
  const kept = questions.get(path);
  if (kept) {
    questions.delete(path); // and put last again: the first is the one to go
    questions.set(path, kept);
    return kept;
  }
  const leaving = new AbortController();
  const answer = embedded(path) ?? fetched(path, { signal: leaving.signal });
  const asked = { answer, waiting: 0, isThere: false, stop: () => leaving.abort() };
  answer.then(() => (asked.isThere = true), () => forget(path, asked));
  questions.set(path, asked);
  if (questions.size > KEPT) questions.delete(questions.keys().next().value ?? "");
  return asked;
}

/** @param {string} path @param {Question} asked */
function forget(path, asked) {
  if (questions.get(path) === asked) questions.delete(path);
}

/** Somebody waits no longer: what nobody waits for need not be answered. @param {string} path @param {Question} asked */
function leave(path, asked) {
  asked.waiting -= 1;
  setTimeout(() => {
    if (asked.waiting || asked.isThere) return;
    forget(path, asked);
    asked.stop();
  }, LEFT_MS);
}

/** Forget what was answered: it may be another now. */
export const askAnew = () => questions.clear();

const RENEWED = "circuitstore-renewed";

/** Show all of the view again, from what the service answers now. */
export function renew() {
  askAnew();
  dispatchEvent(new Event(RENEWED));
}

/** How often that was done, for a component that begins anew with it. */
export function useRenewals() {
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const count = () => setTimes((before) => before + 1);
    addEventListener(RENEWED, count);
    return () => removeEventListener(RENEWED, count);
  }, []);
  return times;
}

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
  renew();
}

/** Whether a key is sent with all that is asked: a plain link has none. */
export const hasKey = () => heldKey !== "";

/** What is at a path, as it comes. Throws Problem. @param {string} path */
export const download = async (path) => (await responded(path)).blob();

/** Send something. Throws Problem. @param {string} path @param {any} body @param {AbortSignal} signal @returns {Promise<any>} */
export const send = (path, body, signal) =>
  fetched(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal });

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
    const question = ask(path);
    question.waiting += 1;
    question.answer
      .then((answer) => tell({ answer }), (error) => tell({ error: asProblem(error) }))
      .finally(() => clearTimeout(slow));
    return () => {
      isWanted = false;
      clearTimeout(slow);
      leave(path, question);
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
