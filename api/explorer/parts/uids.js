/** What a uid says of itself: what it is the uid of, and where that is shown. Knows `store/uids.py`'s forms. */

import { featurePlace, nodeName } from "../format.js";
import { at, href } from "../server.js";

/** @typedef {{uid: string, circuit: string, kind: string, layer: number, index: number | null, position: number | null}} NodeUid */

const CIRCUIT = /^[\w.-]+:[\w.-]+:[0-9a-f]{8}$/;
/** Of features of another kind of dictionary the kind says more: `mlp-feature`. */
const NODE = /^([\w.-]+:[\w.-]+:[0-9a-f]{8}):(?:[a-z-]+-)?(feature|error|token|logit|metric|head|mlp)((?::(?:-?\d+|_))*)$/;
const FEATURE = /^(?!(?:clustering|prompt|task|run):)[\w.-]+(?::[\w.-]+){1,2}:\d+$/;
const CLUSTERING = /^clustering(?::[\w.-]+){4}$/;
const CLUSTER = /^(clustering(?::[\w.-]+){4}):\d+$/;

/** A circuit node's circuit, kind and place, or null where it is no circuit node's. @param {string} uid @returns {NodeUid | null} */
export function nodeOf(uid) {
  const [, circuit, kind, place] = NODE.exec(uid) ?? [];
  if (!circuit || !kind) return null;
  const [layer, index, position] = (place ?? "").split(":").slice(1).map((part) => (part === "_" ? null : Number(part)));
  return { uid, circuit, kind, layer: layer ?? 0, index: index ?? null, position: position ?? null };
}

/** What kind of node it is, or would be in a circuit; "" of what is none. @param {string} uid */
export const kindOf = (uid) => nodeOf(uid)?.kind ?? (FEATURE.test(uid) ? "feature" : "");

/** The address of the view that shows it, or null where none does. @param {string} uid */
export function addressOf(uid) {
  const node = nodeOf(uid);
  if (node) return href(at("circuits", node.circuit), { node: uid });
  if (CLUSTER.test(uid)) return at("clusters", uid);
  if (CLUSTERING.test(uid)) return at("clusterings", uid);
  if (CIRCUIT.test(uid)) return at("circuits", uid);
  if (FEATURE.test(uid)) return at("features", uid);
  return null;
}

/** What it is called where nothing better is known: without the parts that all around it share. @param {string} uid */
export function nameOf(uid) {
  const node = nodeOf(uid);
  if (node) return nodeName(node);
  if (CLUSTER.test(uid)) return `cluster ${uid.split(":").slice(2, 4).join(" ")} ${uid.split(":")[5]}`;
  if (CLUSTERING.test(uid)) return uid.split(":").slice(2, 4).join(" ");
  if (CIRCUIT.test(uid)) return uid.split(":")[0] ?? uid;
  if (FEATURE.test(uid)) return featurePlace(uid);
  return uid;
}
