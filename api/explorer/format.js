/** Numbers, tokens and nodes as people read them. */

/** Two or three digits that matter, with a true minus. @param {number | null | undefined} value */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 1000) return count(Math.round(value));
  const text = size >= 1 ? value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0) : size >= 0.0001 ? value.toPrecision(2) : value.toExponential(1);
  return text.replaceAll("-", "−");
}

/** Of scores in one column: with two decimals. @param {number | null | undefined} value */
export const hundredths = (value) => (value === null || value === undefined ? "–" : value.toFixed(2).replace("-", "−"));

/** Whole numbers with thin spaces between thousands, at which no line ends. @param {number | null | undefined} value */
export const count = (value) => (value === null || value === undefined ? "–" : String(value).replace(/\B(?=(\d{3})+(?!\d))/g, " ").replace("-", "−"));

/** @param {number | null | undefined} value */
export const percent = (value) => (value === null || value === undefined ? "–" : `${number(100 * value)} %`);

/** A token with its blanks made visible. @param {string | null | undefined} text */
export const token = (text) => (text ?? "").replaceAll("\n", "↵").replaceAll("\t", "⇥").replace(/^ /, "·");

/** A token without the blank that it begins with. @param {string | null | undefined} text */
const bare = (text) => token(text).replace(/^·/, "");

/** Where a feature stands, `12:345` for layer and index, read off its uid. @param {string} uid */
export const featurePlace = (uid) => uid.replace(/^.*?blocks\.(\d+)\.[^:]*:(\d+)$/, "$1:$2").split(":").slice(-2).join(":");

/** @param {string} uid the last part of it, where nothing better is known */
export const short = (uid) => uid.split(":").slice(-1)[0] ?? uid;

/**
 * What a circuit node is called: `feature 12:345 @keys`, `head 9.6 @to`.
 * @param {{kind: string, layer: number, index?: number | null, position?: number | null, token?: string | null, label?: string | null, isTwin?: boolean}} node
 */
export function nodeName(node) {
  if (node.kind === "cluster") return node.label || "cluster";
  const sign = node.kind === "head" ? "." : ":"; // heads are known as 9.6
  const place = ["token", "logit", "metric"].includes(node.kind) ? "" : ` ${node.layer}${node.index === null || node.index === undefined ? "" : `${sign}${node.index}`}`;
  const at = bare(node.token) || node.position;
  if (at === null || at === undefined || at === "" || node.kind === "metric") return `${node.kind}${place}`;
  return `${node.kind}${place} @${at}${node.isTwin ? ` (${node.position})` : ""}`;
}

/** Such a name where most are features, and their number or colour says so. @param {string} name */
export const plain = (name) => name.replace(/^feature /, "");

/**
 * Nodes whose token stands at several positions are marked, so that their names say which.
 * @template {{token?: string | null, position?: number | null}} Node
 * @param {Node[]} nodes @returns {(Node & {isTwin: boolean})[]}
 */
export function toldApart(nodes) {
  const places = new Map();
  for (const { token, position } of nodes) places.set(bare(token), (places.get(bare(token)) ?? new Set()).add(position));
  return nodes.map((node) => ({ ...node, isTwin: Boolean(node.token) && places.get(bare(node.token)).size > 1 }));
}

/** A date as people write it. @param {string | null | undefined} text ISO 8601 */
export const date = (text) => (text ? new Date(text).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" }) : "–");
