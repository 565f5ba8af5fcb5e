/** A feature's matches over the layers, put together from what feature_lineage says, and placed for a drawing. */

import { featurePlace } from "../format.js";
import { mean } from "../parts/mean.js";

/**
 * @typedef {{uid: string, name: string, layer: number, label: string | null, tokens: string[], column: number, lane: number, methods: Set<string>, x: number, y: number, height: number}} Stop
 * @typedef {{source: Stop, target: Stop, method: string, score: number, kind: string | null, deactivation: number | null, control: number | null, confirmed: boolean | null,
 *   acts: any, from: number, to: number, thick: number}} Link
 * @typedef {{stops: Stop[], links: Link[], columns: {dictionary: string, layer: number, x: number}[], height: number}} Chain
 */

export const METHODS = ["sae_match", "feature_flow", "correlation"];

/** A score of 1, in pixels. */
const THICK = 17;
const GAP = 2;
const LABEL = 36;
const BETWEEN = 26;
/** What the columns' names take, above the first stops. */
const TOP = 30;

/**
 * All stops and links of a feature's chains.
 * @param {any} feature a row of /features/UID
 * @param {Record<string, any[]>} answers rows of feature_lineage, by method
 * @param {any[]} acting rows of acting_matches
 * @returns {Chain}
 */
export function chainOf(feature, answers, acting) {
  /** @type {Map<string, Stop>} */
  const stops = new Map();
  /** @param {any} row @param {string} method */
  const stopOf = (row, method) => {
    const uid = row.feature ?? row.uid;
    const stop = stops.get(uid) ?? {
      uid, name: featurePlace(uid), layer: row.layer, label: row.label, tokens: row.top_tokens ?? [], column: 0, lane: 0, methods: new Set(), x: 0, y: 0, height: 0,
    };
    stop.methods.add(method);
    stops.set(uid, stop);
    return stop;
  };
  const acts = new Map(acting.map((row) => [`${row.source} ${row.target}`, row]));
  /** @type {Link[]} */
  const links = [];
  for (const [method, rows] of Object.entries(answers)) {
    stopOf(feature, method);
    for (const row of rows) {
      const before = previous(row, rows, feature);
      const [source, target] = row.direction === "forwards" ? [before, row] : [row, before];
      const [a, b] = [stopOf(source, method), stopOf(target, method)];
      const { score, kind, deactivation, control, confirmed } = row;
      const thick = Math.max(1.5, THICK * Math.abs(score));
      links.push({ source: a, target: b, method, score, kind, deactivation, control, confirmed, acts: acts.get(`${a.uid} ${b.uid}`), from: 0, to: 0, thick });
    }
  }
  return placed([...stops.values()], links, feature.uid);
}

/** What a match of the chain continues: one hop nearer to the feature; of several, the one whose product fits. @param {any} row @param {any[]} rows @param {any} feature */
function previous(row, rows, feature) {
  if (row.hops === 1) return feature;
  const near = rows.filter((one) => one.direction === row.direction && one.hops === row.hops - 1);
  /** @param {any} one */
  const misfit = (one) => Math.abs(one.product * row.score - row.product);
  return near.reduce((best, one) => (misfit(one) < misfit(best) ? one : best), near[0] ?? feature);
}

/** @param {Stop[]} stops @param {Link[]} links @param {string} middle uid of the feature asked for @returns {Chain} */
function placed(stops, links, middle) {
  const dictionaries = new Map(stops.map((stop) => [dictionaryOf(stop.uid), stop.layer]));
  const columns = [...dictionaries].map(([dictionary, layer]) => ({ dictionary, layer, x: 0 })).sort((a, b) => a.layer - b.layer || a.dictionary.localeCompare(b.dictionary));
  for (const stop of stops) stop.column = columns.findIndex((one) => one.dictionary === dictionaryOf(stop.uid));
  const centre = columns.findIndex((one) => one.dictionary === dictionaryOf(middle));
  const outwards = columns.map((_, i) => i).sort((a, b) => Math.abs(a - centre) - Math.abs(b - centre));
  for (const column of outwards) {
    const here = stops.filter((stop) => stop.column === column);
    const lane = new Map(here.map((stop) => [stop, mean(links.flatMap((link) => nearerOf(link, stop, centre))) ?? 0]));
    here.sort((a, b) => (lane.get(a) ?? 0) - (lane.get(b) ?? 0) || b.methods.size - a.methods.size || a.uid.localeCompare(b.uid));
    let y = TOP;
    here.forEach((stop, i) => {
      stop.lane = i;
      stop.height = Math.max(10, thickness(links.filter((link) => link.source === stop)), thickness(links.filter((link) => link.target === stop)));
      stop.y = y + LABEL;
      y = stop.y + stop.height + BETWEEN;
    });
  }
  for (const stop of stops) {
    stack(links.filter((link) => link.source === stop), stop, "from", "target");
    stack(links.filter((link) => link.target === stop), stop, "to", "source");
  }
  return { stops, links, columns, height: Math.max(...stops.map((stop) => stop.y + stop.height)) + BETWEEN };
}

/** @param {string} uid */
const dictionaryOf = (uid) => uid.replace(/:[^:]*$/, "");

/** @param {Link} link @param {Stop} stop @param {number} centre */
function nearerOf(link, stop, centre) {
  const other = link.source === stop ? link.target : link.target === stop ? link.source : null;
  return other && Math.abs(other.column - centre) < Math.abs(stop.column - centre) ? [other.lane] : [];
}

/** @param {Link[]} links */
const thickness = (links) => links.reduce((sum, link) => sum + link.thick + GAP, -GAP);

/** Bands side by side along a stop, those above first. @param {Link[]} links @param {Stop} stop @param {"from" | "to"} end @param {"source" | "target"} other */
function stack(links, stop, end, other) {
  links.sort((a, b) => a[other].y - b[other].y || METHODS.indexOf(a.method) - METHODS.indexOf(b.method));
  let y = stop.y + (stop.height - thickness(links)) / 2;
  for (const link of links) {
    link[end] = y;
    y += link.thick + GAP;
  }
}
