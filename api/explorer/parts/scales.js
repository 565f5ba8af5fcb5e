/** Scales: where a value lies along an axis, and which values are marked on it. */

import { count } from "../format.js";

/** @typedef {{at: (value: number) => number, ticks: number[], say: (tick: number) => string, low: number, high: number}} Scale */
/** @typedef {(from: number, to: number) => Scale} Axis a scale between two places, in pixels */

/** Equal steps, with ends moved out to round numbers. @param {number} low @param {number} high @returns {Axis} */
export const linear = (low, high) => (from, to) => {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const step = roundStep(span / Math.max(2, Math.abs(to - from) / 70));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil((high > low ? high : low + span) / step - 1e-9), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const sayOf = sayer(step, Math.max(Math.abs(first), Math.abs(last)) * step);
  return {
    at: (value) => from + ((value / step - first) / (last - first)) * (to - from),
    ticks,
    say: (tick) => sayOf(tick).replaceAll("-", "−"),
    low: first * step,
    high: last * step,
  };
};

/** Numbers of things, from none to a great many: each tenfold takes as much room as the last. @param {number} high @returns {Axis} */
export const counts = (high) => (from, to) => {
  const size = Math.log1p(Math.max(high, 1));
  /** @param {number} value */
  const at = (value) => from + (Math.log1p(value) / size) * (to - from);
  const all = [0, 1, ...[...Array(9)].flatMap((_, i) => [2, 5, 10].map((n) => n * 10 ** i))].filter((tick) => tick <= Math.max(high, 1));
  const room = Math.abs(to - from);
  /** @type {number[]} */
  const ticks = [];
  for (const tick of all) if (!ticks.length || Math.abs(at(tick) - at(ticks[ticks.length - 1] ?? 0)) > Math.min(34, room / 6)) ticks.push(tick);
  return { at, ticks, say: (tick) => count(tick), low: 0, high: Math.max(high, 1) };
};

/** One format for all ticks of an axis, with the digits that tell its steps apart. @param {number} step @param {number} largest @returns {(tick: number) => string} */
function sayer(step, largest) {
  /** @param {number} value */
  const power = (value) => Math.floor(Math.log10(value) + 1e-9);
  const digits = Math.max(0, -power(step));
  if (digits <= 4 && largest < 1e6) return digits ? (tick) => tick.toFixed(digits) : count;
  return (tick) => (tick ? tick.toExponential(Math.max(0, power(largest) - power(step))).replace("+", "") : "0");
}

/** 1, 2 or 5 times a power of ten, no less than asked. @param {number} least */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((n) => n * power >= least * 0.999) ?? 10);
}
