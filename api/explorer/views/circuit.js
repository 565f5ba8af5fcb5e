/** One circuit: its graph, and beside it what is pinned, its paths, or how to read it. */

import { Controls } from "../circuit/controls.js";
import { Graph } from "../circuit/graph.js";
import { clustered } from "../circuit/grouping.js";
import { NodePanel } from "../circuit/node-panel.js";
import { Overview } from "../circuit/overview.js";
import { keyOf } from "../circuit/paint.js";
import { pathsAt, PathsPanel } from "../circuit/paths-panel.js";
import { sceneOf } from "../circuit/scene.js";
import { FEW, settingsOf } from "../circuit/settings.js";
import { count, nodeName, number, toldApart, token } from "../format.js";
import { html, useMemo } from "../html.js";
import { Twin } from "../parts/bits.js";
import { Empty, Failed, Shown } from "../parts/states.js";
import { change } from "../routes.js";
import { at, href, isExported, useAnswer } from "../server.js";
import { style } from "../style.js";

/** @typedef {import("../circuit/scene.js").Node} Node @typedef {import("../circuit/scene.js").Edge} Edge */

const MOST = { nodes: 2000, edges: 5000 };
/** Of a circuit larger than this, its strongest part is loaded. */

const LONG = 200;
/** Tokens of a prompt that are shown above the graph. */

style("circuit");

/** @param {{route: import("../routes.js").Route}} props */
export default function Circuit({ route }) {
  const { uid } = route;
  const first = useAnswer(href(`${at("circuits", uid)}/graph`, { top_nodes: FEW.nodes, limit: FEW.edges }));
  const isWhole = !first.answer || (first.answer.nodes.rows.length === first.answer.n_nodes && first.answer.edges.rows.length === first.answer.n_edges);
  const whole = useAnswer(isWhole || isExported() ? null : href(`${at("circuits", uid)}/graph`, { top_nodes: MOST.nodes, limit: MOST.edges }));
  const circuit = useAnswer(at("circuits", uid));
  const graph = whole.answer ?? first.answer;
  if (first.error) return html`<${Failed} error=${first.error} />`;
  const row = circuit.answer?.rows[0] ?? { uid, name: uid.split(":")[0] };
  return html`<div class="circuit">
    <${Heading} circuit=${row} twin=${twinOf(uid, settingsOf(route.query), first.answer)} />
    <${Shown} asked=${{ answer: graph, error: null, isSlow: first.isSlow }}>
      ${(/** @type {any} */ loaded) => loaded.n_nodes === 0 ? html`<${Empty} title="This circuit has no nodes">What made it left none above its thresholds.<//>`
        : html`${whole.error && html`<p class="note" role="status">Only the strongest part is here: the rest could not be had. ${whole.error.message}</p>`}<${Body} circuit=${row} graph=${loaded} isComplete=${isWhole || Boolean(whole.answer)} query=${route.query} />`}
    <//>
  </div>`;
}

/** The part of the graph that is drawn, for programs; of clusters the nodes. @param {string} uid @param {import("../circuit/settings.js").Settings} settings @param {any} graph */
const twinOf = (uid, { nodes, edges, hasErrors, isObserved }, graph) => href(`${at("circuits", uid)}/graph`, {
  top_nodes: Math.min(nodes, MOST.nodes),
  limit: Math.min(edges, MOST.edges),
  errors: hasErrors ? null : false,
  observed: (isObserved && wasAny(graph?.edges.rows ?? [])) || null,
});

/** Whether any edge was observed. @param {Edge[]} edges */
const wasAny = (edges) => edges.some((edge) => edge.observed !== null);

/** An exported page has nowhere to lead to. @param {string} path @param {string} name */
const linked = (path, name) => (isExported() ? name : html`<a href=${path}>${name}</a>`);

/** @param {{circuit: any, twin: string}} props */
function Heading({ circuit, twin }) {
  const tokens = useTokens(circuit);
  const parts = [
    circuit.task && linked(href("/", { task: circuit.task }), circuit.task.split(":")[1] ?? circuit.task),
    circuit.model && linked(href("/", { model: circuit.model }), circuit.model),
    circuit.method,
    circuit.aggregation === "task" && "mean over the task's prompts",
  ].filter(Boolean);
  return html`<header class="circuit-head">
    <h1>${circuit.name}</h1>
    <p class="about faint">${parts.map((part, i) => html`${i > 0 && " · "}${part}`)}</p>
    <dl class="figures small">
      ${circuit.clean_metric !== null && circuit.clean_metric !== undefined && html`<div><dt title="On the clean prompts, and on the patched: how much more likely the right answer is than the other, as a difference of logits">Metric, clean → patched</dt><dd>${number(circuit.clean_metric)} → ${number(circuit.patch_metric)}</dd></div>`}
      ${circuit.faithfulness !== null && circuit.faithfulness !== undefined && html`<div><dt title="How much of the metric's change the circuit alone restores: 1 is all of it">Faithfulness</dt><dd>${number(circuit.faithfulness)}</dd></div>`}
    </dl>
    ${!isExported() && html`<${Twin} path=${twin} />`}
    ${circuit.clean_answer ? html`<${Sentence} circuit=${circuit} />`
      : tokens && html`<p class="prompt" title="The prompt">${tokens.slice(0, LONG).join("")}${tokens.length > LONG && " …"}</p>`}
  </header>`;
}

/** What it is a circuit of, by an example. @param {{circuit: any}} props */
function Sentence({ circuit }) {
  /** @param {string} text */
  const quoted = (text) => `“${token(text)}”`;
  return html`<p class="prompt">
    ${circuit.aggregation === "task" && html`<span class="faint">For example${" "}</span>`}${quoted(circuit.clean_prompt)} → ${quoted(circuit.clean_answer)}
    <span class="faint">, not</span> ${quoted(circuit.patch_answer)}<span class="faint">; patched with ${quoted(circuit.patch_prompt)} the other way round</span></p>`;
}

/** @param {{circuit: any, graph: any, isComplete: boolean, query: URLSearchParams}} props */
function Body({ circuit, graph, isComplete, query }) {
  const settings = settingsOf(query);
  const tokens = useTokens(circuit);
  const clusterings = useClusterings(circuit);
  const members = useMembers(settings.group, circuit.uid);
  const isPaths = settings.panel === "paths";
  const onlyConfirmed = query.get("confirmed") === "only";
  const paths = useAnswer(isPaths ? pathsAt(circuit.uid, settings.from, settings.to, onlyConfirmed) : null);
  /** @type {Node[]} */
  const nodes = useMemo(() => toldApart(graph.nodes.rows), [graph]);
  /** @type {Edge[]} */
  const edges = graph.edges.rows;
  const wasObserved = useMemo(() => wasAny(edges), [edges]);
  const byUid = useMemo(() => new Map(nodes.map((node) => [node.uid, node])), [nodes]);
  const isObserved = settings.isObserved && wasObserved;
  // Sums of a cluster are of all that is loaded: how much of it is drawn changes none.
  const all = useMemo(() => (members ? clustered(nodes, edges, members.clusters, members.keyOf, settings.opened) : { nodes, edges, drawnAs: new Map() }), [nodes, edges, members, query.get("opened")]);
  const drawnAs = (/** @type {string} */ uid) => all.drawnAs.get(uid) ?? uid;
  const chosen = isPaths && settings.path ? paths.answer?.rows[settings.path - 1]?.nodes ?? null : null;
  /** @type {string[] | null} */
  const path = chosen && chosen.map(drawnAs).filter((/** @type {string} */ uid, /** @type {number} */ i, /** @type {string[]} */ uids) => uid !== uids[i - 1]);
  const pin = settings.pinned && drawnAs(settings.pinned);
  const shown = useMemo(() => {
    const wanted = new Set([...(path ?? []), ...(pin ? [pin] : [])]);
    const strongest = all.nodes.filter((node) => settings.hasErrors || node.kind !== "error");
    const weak = strongest.slice(settings.nodes).filter(isOutput).sort((a, b) => (a.uid < b.uid ? -1 : 1)).slice(0, Math.floor(settings.nodes / OF_OUTPUTS));
    const few = new Set([...strongest.slice(0, settings.nodes - weak.length), ...weak]);
    const kept = strongest.filter((node) => few.has(node) || wanted.has(node.uid));
    const drawn = new Set(kept.map((node) => node.uid));
    const inPath = new Set(stepsOf(path));
    const among = all.edges.filter((edge) => drawn.has(edge.source) && drawn.has(edge.target) && (!isObserved || edge.observed !== null));
    const heavy = among.filter((edge, i) => i < settings.edges || inPath.has(keyOf(edge)) || edge.source === pin || edge.target === pin);
    return { nodes: kept, edges: heavy };
  }, [all, settings.nodes, settings.edges, settings.hasErrors, isObserved, path?.join(), pin]);
  const scene = useMemo(() => sceneOf(shown.nodes, shown.edges, { tokens, isObserved, wasObserved }), [shown, tokens, isObserved, wasObserved]);
  const lit = useMemo(() => litBy(path, pin, shown.edges), [path?.join(), pin, shown]);
  const pinned = settings.pinned ? byUid.get(settings.pinned) ?? shown.nodes.find((node) => node.uid === settings.pinned) : null;
  const counts = { nodes: shown.nodes.length, nNodes: graph.n_nodes, edges: shown.edges.length, nEdges: graph.n_edges };
  const summary = `${count(counts.nodes)} of ${count(counts.nNodes)} nodes, ${count(counts.edges)} of ${count(counts.nEdges)} edges`;
  return html`
    <${Controls} settings=${settings} counts=${counts} most=${{ nodes: nodes.length, edges: Math.max(edges.length, FEW.edges) }}
      clusterings=${clusterings} hasErrors=${nodes.some((node) => node.kind === "error")} wasObserved=${wasObserved} />
    <div class="circuit-body">
      <${Graph} scene=${scene} lit=${lit} pinned=${pin} name=${circuit.name} summary=${summary}
        pick=${(/** @type {string | null} */ node, /** @type {{replace: boolean}} */ how) => change({ node }, how)} />
      <aside class="panel">
        ${pinned ? html`<${NodePanel} key=${pinned.uid} circuit=${circuit.uid} node=${pinned} edges=${edges} nameOf=${(/** @type {string} */ one) => (byUid.has(one) ? nameIn(byUid, one) : null)} />`
          : settings.pinned ? html`<${Empty} title="This node is not among those loaded">The circuit has no node ${settings.pinned}${nodes.length < graph.n_nodes ? ", or it is a weak one of very many" : ""}. <button onClick=${() => change({ node: null })}>Unpin</button><//>`
          : isPaths ? html`<${PathsPanel} circuit=${circuit.uid} asked=${paths} from=${settings.from} to=${settings.to} chosen=${settings.path}
              nodes=${endsOf(nodes, [settings.from, settings.to])} nameOf=${(/** @type {string} */ one) => nameIn(byUid, one)} onlyConfirmed=${onlyConfirmed} wasObserved=${wasObserved} nEdges=${graph.n_edges} />`
          : html`<${Overview} circuit=${circuit} nodes=${nodes.filter((node) => settings.hasErrors || node.kind !== "error")} kinds=${[...new Set(shown.nodes.map((node) => node.kind))]} wasObserved=${wasObserved} />`}
      </aside>
    </div>
    ${isComplete && graph.edges.rows.length < graph.n_edges && graph.edges.rows.length >= MOST.edges && html`<p class="note" role="status">This circuit has ${count(graph.n_edges)} edges:
      the ${count(edges.length)} strongest are here. <a href=${href("/queries/graph_edges", { circuit: circuit.uid })}>Ask for the others.</a></p>`}
  `;
}

/** Up to this part of the nodes that are drawn may be weak outputs: what all leads to. As the service chooses them. */
const OF_OUTPUTS = 4;

/** @param {Node} node */
const isOutput = (node) => node.kind === "logit" || node.kind === "metric";

/** The prompt's tokens, where it is a prompt's circuit. @param {any} circuit @returns {string[] | null} */
function useTokens(circuit) {
  const { answer } = useAnswer(circuit.prompt ? at("prompts", circuit.prompt) : null);
  return answer?.rows[0]?.tokens ?? null;
}

/** Ways to group the nodes: clusterings of the model's features, and groups that came with the circuit. @param {any} circuit */
function useClusterings(circuit) {
  const isAsked = !isExported() && circuit.model !== undefined;
  const { answer } = useAnswer(isAsked ? href("/queries/clusterings", { model: circuit.model }) : null);
  const own = useAnswer(isAsked ? href("/queries/supernodes", { circuit: circuit.uid, limit: 1 }) : null);
  return useMemo(() => [
    ...(own.answer?.rows.length ? [{ uid: "supernodes", title: "its supernodes" }] : []),
    ...(answer?.rows ?? []).filter((/** @type {any} */ row) => row.model).map((/** @type {any} */ row) => ({ uid: row.uid, title: `${row.n_clusters} clusters: ${row.method}, ${row.basis}` })),
  ], [answer, own.answer]);
}

/** Which cluster each node is drawn with. @param {string} group @param {string} circuit */
function useMembers(group, circuit) {
  const isOwn = group === "supernodes";
  const { answer } = useAnswer(!group ? null : isOwn ? href("/queries/supernodes", { circuit, limit: 10_000 }) : href("/queries/cluster_members", { clustering: group, limit: 10_000 }));
  return useMemo(() => {
    if (!answer) return null;
    const clusters = new Map(answer.rows.map((/** @type {any} */ row) => [isOwn ? row.node : row.feature, { uid: row.cluster, name: row.name || "cluster" }]));
    return { clusters, keyOf: (/** @type {Node} */ node) => (isOwn ? node.uid : node.feature ?? "") };
  }, [answer]);
}

/** The edges of a path, as `keyOf` names them. @param {string[] | null} path */
const stepsOf = (path) => (path ?? []).slice(1).map((target, i) => keyOf({ source: path?.[i] ?? "", target }));

/** A path stands out; else a pinned node with its edges. @param {string[] | null} path @param {string | null} pinned @param {Edge[]} edges */
function litBy(path, pinned, edges) {
  if (path) return { nodes: new Set(path), links: new Set(stepsOf(path)) };
  if (!pinned) return { nodes: null, links: null };
  const own = edges.filter((edge) => edge.source === pinned || edge.target === pinned);
  return { nodes: new Set([pinned, ...own.flatMap((edge) => [edge.source, edge.target])]), links: new Set(own.map(keyOf)) };
}

/** @param {Map<string, Node>} byUid @param {string} uid */
function nameIn(byUid, uid) {
  const node = byUid.get(uid);
  return node ? nodeName(node) : uid.split(":").slice(-3).join(":");
}

/** Nodes that paths may begin or end at: the strongest, and those chosen. @param {Node[]} nodes @param {string[]} chosen */
const endsOf = (nodes, chosen) => nodes.filter((node, i) => i < 200 || chosen.includes(node.uid)).map((node) => ({ uid: node.uid, name: nodeName(node) }));
