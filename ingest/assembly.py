"""Turns what was found into the schema's rows, and writes them as one bundle: the task's circuit, and one a pair."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ingest.ablation import Intervention
from ingest.hooks import Hook
from ingest.nodes import Node
from ingest.pipeline import Found
from ingest.pruning import Graph, features_of, graph_of, prune
from ingest.recipe import Recipe
from ingest.recovery import Recovery, areas, recovery
from ingest.rows import Row, Rows, ablation_row, add_features, add_model, write_rows
from ingest.steps.evidence import Observed
from ingest.steps.faithfulness import sizes_of
from ingest.subject import Subject
from ingest.tasks.pairs import pairs_sha256
from store.bundle import Bundle
from store.schema import TABLES
from store.uids import circuit_node_uid, circuit_uid, dictionary_uid, feature_uid, prompt_uid, short_hash, slug

_EVIDENCE = {column.name for table in TABLES.values() for column in table.columns if column.evidence}


@dataclass(frozen=True)
class Draft:
    """One circuit before it has uids."""

    name: str
    aggregation: str
    graph: Graph
    clean_metric: float
    patch_metric: float
    faithfulness: float | None
    observed_pairs: int | None
    areas: tuple[float, float] | None = None
    """CPR and CMD"""


def write_circuits(recipe: Recipe, subject: Subject, found: Found, run: Row, out: Path) -> Bundle:
    """Writes the bundle `out`/TASK-HASH. run: the row of the Run that made it, without its uid."""
    rows: Rows = defaultdict(list)
    model = subject.model
    add_model(rows, recipe, model, subject.dictionaries.values())
    task = f"task:{slug(subject.task_name)}:{pairs_sha256(subject.train.pairs)[:8]}"
    rows["Task"].append(
        {
            "uid": task,
            "name": subject.task_name,
            "metric": subject.metric_words,
            "n_pairs": len(subject.train.pairs),
            "sha256": pairs_sha256(subject.train.pairs),
        }
    )
    inputs = [model.revision, *(dictionary.sha256 for dictionary in subject.dictionaries.values())]
    inputs += [pairs_sha256(pairs.pairs) for pairs in (subject.train, subject.held_out)]
    said = [run[key] for key in ("command", "params", "versions", "seed")]
    run_uid = f"run:{slug(subject.task_name)}:{short_hash([*said, *inputs])}"
    run = {"uid": run_uid, **run}
    rows["Run"].append(run)
    drafts = [_task_draft(recipe, subject, found)]
    if recipe.prompts.circuits:
        drafts += [_prompt_draft(recipe, subject, found, pair) for pair in range(len(found.metric_clean))]
    used: set[Node] = set()
    for number, draft in enumerate(drafts):
        pair = number - 1 if draft.aggregation == "prompt" else None
        uid = _circuit(rows, recipe, subject, found, draft, pair)
        used |= set(draft.graph.nodes)
        rows["PRODUCED_BY.Circuit-Run"].append({"source": uid, "target": run_uid})
        rows["FOR_TASK.Circuit-Task"].append({"source": uid, "target": task})
        if pair is not None:
            _prompt(rows, uid, subject, pair)
    add_features(rows, model, subject.dictionaries, _used(used))
    return write_rows(rows, run, out)


def _task_draft(recipe: Recipe, subject: Subject, found: Found) -> Draft:
    draft = _draft(
        recipe,
        found,
        subject.task_name,
        "task",
        [found.effects.mean(0), found.activations.mean(0), found.weights.mean(0)],
        found.observed,
        float(found.metric_clean.mean()),
        float(found.metric_patch.mean()),
    )
    return replace(draft, faithfulness=_faithfulness_of(found, features_of(draft.graph)), areas=_areas(recipe, found))


def _prompt_draft(recipe: Recipe, subject: Subject, found: Found, pair: int) -> Draft:
    return _draft(
        recipe,
        found,
        subject.train.pairs[pair].clean_prefix,
        "prompt",
        [found.effects[pair], found.activations[pair], found.weights[pair]],
        found.observed[pair : pair + 1],
        float(found.metric_clean[pair]),
        float(found.metric_patch[pair]),
    )


def _draft(
    recipe: Recipe,
    found: Found,
    name: str,
    aggregation: str,
    columns: list[Tensor],
    observed: Observed,
    clean: float,
    patch: float,
) -> Draft:
    """columns: effects, activations and weights. observed: in the draft's pairs."""
    effects, activations, weights = columns
    seen = (observed.nodes.nanmean(0), observed.edges.nanmean(0))
    graph = graph_of(found.nodes, found.edges, effects, activations, weights, seen)
    graph = prune(graph, recipe.pruning, patch - clean, found.densities)
    return Draft(name, aggregation, graph, clean, patch, None, observed.pairs or None)


def _circuit(rows: Rows, recipe: Recipe, subject: Subject, found: Found, draft: Draft, pair: int | None) -> str:
    """Adds a circuit's own rows. Returns its uid, which holds a hash of all that was predicted."""
    local = {node: _node_row(subject, node, draft.graph, pair) for node in draft.graph.nodes}
    edges: list[Row] = [
        {
            "source": local[source]["uid"],
            "target": local[target]["uid"],
            "weight": value.weight,
            "observed": value.observed,
        }
        for (source, target), value in draft.graph.edges.items()
    ]
    circuit: Row = {
        "name": draft.name,
        "method": f"{recipe.nodes.method}, {recipe.edges.formula} edges",
        "thresholds": json.dumps(recipe.pruning.model_dump()),
        "aggregation": draft.aggregation,
        "n_nodes": len(local),
        "n_edges": len(edges),
        "clean_metric": draft.clean_metric,
        "patch_metric": draft.patch_metric,
        "faithfulness": draft.faithfulness,
        "cpr": None if draft.areas is None else draft.areas[0],
        "cmd": None if draft.areas is None else draft.areas[1],
        "observed_pairs": draft.observed_pairs,
    }
    predicted = [
        {key: value for key, value in row.items() if key not in _EVIDENCE} for row in (circuit, *local.values(), *edges)
    ]
    content = short_hash(predicted)
    uid = circuit_uid(draft.name, subject.model.name, content)
    for node, row in local.items():
        row["uid"] = f"{uid}{row['uid']}"
        rows["CircuitNode"].append(row)
        rows["IN_CIRCUIT"].append({"source": row["uid"], "target": uid})
        if node.kind == "feature":
            rows["INSTANCE_OF"].append({"source": row["uid"], "target": _feature_uid(subject, node)})
    rows["ATTRIBUTES_TO"] += [edge | {end: f"{uid}{edge[end]}" for end in ("source", "target")} for edge in edges]
    rows["Circuit"].append(
        {"uid": uid, **circuit, **_example(subject, pair), "created_at": rows["Run"][0]["started_at"]}
    )
    for row in _ablations(uid, recipe, found, draft.graph) if pair is None else []:
        rows["Ablation"].append(row)
        rows["TESTS"].append({"source": row["uid"], "target": uid})
    rows["OF_MODEL.Circuit-Model"].append({"source": uid, "target": subject.model.name})
    rows["USES"] += [
        {
            "source": uid,
            "target": dictionary_uid(subject.model.name, hook.name),
            "cuts_edges": hook in found.hooks,
        }
        for hook in subject.dictionaries
    ]
    return uid


def _example(subject: Subject, pair: int | None) -> Row:
    """What goes in and is to come out: of the circuit's pair, or the first of its task."""
    shown = subject.train.pairs[pair or 0]
    return {
        "clean_prompt": shown.clean_prefix,
        "patch_prompt": shown.patch_prefix,
        "clean_answer": shown.clean_answer,
        "patch_answer": shown.patch_answer,
    }


def _node_row(subject: Subject, node: Node, graph: Graph, pair: int | None) -> Row:
    hook = node.hook
    layer = subject.model.n_layers if hook is None else hook.layer
    index = node.index
    token = None
    if node.position is not None:
        token = subject.train.position_names[node.position]
        if pair is not None:
            token = subject.model.tokenizer.decode([int(subject.train.clean_tokens[pair, node.position])])
        if node.kind == "token" and pair is not None:
            index = int(subject.train.clean_tokens[pair, node.position])
    # Several dictionaries may stand in one block; sites other than the residual stream say so in the uid's kind.
    kind = node.kind if hook is None or hook.site == "resid" else f"{hook.site}-{node.kind}"
    row: Row = {
        "uid": circuit_node_uid("", kind, layer, index, node.position),
        "kind": node.kind,
        "layer": layer,
        "index": index,
        "position": node.position,
        "token": token,
    }
    row["influence"] = graph.influence[node]
    if node.kind != "metric":
        row["effect"] = graph.nodes[node].effect
        row["observed_effect"] = graph.nodes[node].observed
    if node.kind == "feature":
        row["activation"] = graph.nodes[node].activation
    return row


def _feature_uid(subject: Subject, node: Node) -> str:
    assert node.hook is not None
    assert node.index is not None
    return feature_uid(dictionary_uid(subject.model.name, node.hook.name), node.index)


def _used(nodes: set[Node]) -> dict[Hook, set[int]]:
    """The features among nodes, by hook."""
    used: dict[Hook, set[int]] = defaultdict(set)
    for node in nodes:
        if node.kind == "feature" and node.hook is not None and node.index is not None:
            used[node.hook].add(node.index)
    return used


def _prompt(rows: Rows, circuit: str, subject: Subject, pair: int) -> None:
    text = subject.train.pairs[pair].clean_prefix
    tokens = [subject.model.tokenizer.decode([token]) for token in subject.train.clean_tokens[pair].tolist()]
    uid = prompt_uid(text, tokens)
    if all(row["uid"] != uid for row in rows["Prompt"]):
        rows["Prompt"].append({"uid": uid, "text": text, "tokens": tokens})
    rows["FOR_PROMPT"].append({"source": circuit, "target": uid})


def _recovered(found: Found, one: Intervention, metric: Tensor) -> Recovery:
    empty = next(m for other, m in found.measurements if other.errors == one.errors and not other.nodes)
    return recovery(metric, empty, found.held_out_metric)


def _faithfulness_of(found: Found, features: set[Node]) -> float | None:
    """F of these features, errors ablated; None where it was not measured."""
    for one, metric in found.measurements:
        if one.kind in ("faithfulness", "pruning") and one.errors == "ablated" and set(one.nodes) == features:
            return _recovered(found, one, metric).share
    return None


def _areas(recipe: Recipe, found: Found) -> tuple[float, float] | None:
    """CPR and CMD of the curve that keeps error terms, where the recipe asks for it and F is defined."""
    shares = sorted({0.0, *recipe.faithfulness.shares})
    kept = [(len(o.nodes), _recovered(found, o, m).share) for o, m in found.measurements
            if (o.kind, o.errors) == ("faithfulness", "kept")]  # fmt: skip
    if shares[-1] < 1:
        return None
    by_size = dict(kept)
    n = max(by_size)
    recovered = [by_size[0], *(by_size[size] for size in sizes_of(shares[1:], n))]
    if None in recovered:
        return None
    return areas(shares, [share for share in recovered if share is not None])


def _ablations(circuit: str, recipe: Recipe, found: Found, graph: Graph) -> list[Row]:
    """A row a measurement."""
    choice = recipe.pruning.model_dump_json(exclude_defaults=True)
    rows: list[Row] = []
    for one, metric in found.measurements:
        pruned = one.kind == "pruning"
        rows.append(
            ablation_row(
                circuit,
                one.kind,
                len(graph.nodes) if pruned else len(one.nodes),
                _recovered(found, one, metric),
                n_pairs=len(metric),
                errors=one.errors,
                seed=one.seed,
                n_edges=len(graph.edges) if pruned else None,
                choice=choice if pruned else None,
            )
        )
    return rows
