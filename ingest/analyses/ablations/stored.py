"""The tasks' circuits that are stored, with the pairs that they can be measured on again."""

import json
from dataclasses import dataclass

import torch
from pydantic import ValidationError
from torch import Tensor

from ingest import gradients
from ingest.analyses.registry import Analysing
from ingest.evidence import Edge
from ingest.gradients import Metric, Values
from ingest.hooks import EMBEDDING, Hook
from ingest.nodes import METRIC, Means, Node, means_of
from ingest.progress import console
from ingest.recipe import Recipe, TaskSection
from ingest.subject import Subject, metric_of, subject_of
from ingest.tasks.pairs import pairs_sha256
from store.uids import dictionary_uid

_CIRCUITS = """
MATCH (c:Circuit)-[:OF_MODEL]->(m:Model) WHERE m.uid = $model AND c.aggregation = 'task'
MATCH (c)-[:FOR_TASK]->(t:Task) MATCH (c)-[:PRODUCED_BY]->(r:Run) MATCH (c)-[:USES]->(d:Dictionary)
RETURN c.uid AS circuit, t.uid AS task, t.name AS name, t.sha256 AS sha256, r.params AS params,
       collect(DISTINCT d.sha256) AS dictionaries
ORDER BY circuit
"""
_NODES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(n:CircuitNode) WHERE c.uid = $circuit
OPTIONAL MATCH (n)-[:INSTANCE_OF]->(f:Feature)
RETURN n.uid AS uid, n.kind AS kind, n.position AS position, n.index AS index, n.effect AS effect, f.uid AS feature
"""
_EDGES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(s:CircuitNode) WHERE c.uid = $circuit
MATCH (s)-[e:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, e.weight AS weight
"""
_MEASURED = "MATCH (c:Circuit)<-[:TESTS]-(a:Ablation) WHERE c.uid = $circuit RETURN a.uid AS uid"


@dataclass(frozen=True)
class Study:
    """One circuit, what it was computed on, and the held-out pairs that it is measured on."""

    circuit: str
    task: str
    name: str
    features: list[Node]
    """Strongest first."""
    uids: dict[Node, str]
    edges: list[Edge]
    """Strongest first, of tokens, features and the metric."""
    measured: set[str]
    """Uids of the ablations that are stored."""
    subject: Subject
    means: dict[Hook, Means]
    prompts: Values
    """What stands at each hook in the prompts that attribution saw, [prompts, pos, d]."""
    held_out: Values
    """The same in the held-out clean prompts, [pairs, pos, d]."""
    metric: Metric
    full: Tensor
    """The metric on the held-out pairs with nothing ablated, [pairs]."""

    @property
    def first_position(self) -> int:
        return self.subject.first_position


def open_studies(given: Analysing, pairs: int) -> list[Study]:
    """A study of each of the model's task circuits; one that can't be measured again is told and left out."""
    studies = []
    for circuit, task, name, sha256, params, used in given.store.run(_CIRCUITS, {"model": given.model.name}).rows:
        recipe = _recipe_of(given, json.loads(params))
        if recipe is None:
            console.print(f"{circuit} is left out: {given.where} does not name the file of its pairs")
            continue
        if unknown := set(used) - {dictionary.sha256 for dictionary in given.dictionaries.values()}:
            console.print(f"{circuit} is left out: {len(unknown)} of its dictionaries are not those of {given.where}")
            continue
        subject = subject_of(recipe, given.where, given.model, given.dictionaries)
        if pairs_sha256(subject.train.pairs) != sha256:
            console.print(f"{circuit} is left out: its pairs can't be made again (they were others then)")
            continue
        studies.append(_study(given, circuit, task, name, subject, pairs))
    return studies


def _recipe_of(given: Analysing, said: dict[str, object]) -> Recipe | None:
    """The recipe that a circuit was made by, as far as it says which pairs; None where these were a file's."""
    task = said.get("task")
    if not isinstance(task, dict):
        return None
    if task.get("generator") is None:
        same = given.recipe.task.file is not None and task.get("name") in (None, given.recipe.task.name)
        return given.recipe.model_copy(update={"seed": said["seed"]}) if same else None
    try:
        section = TaskSection.model_validate(task)
    except ValidationError:
        return None
    return given.recipe.model_copy(update={"task": section, "seed": said["seed"]})


def _study(given: Analysing, circuit: str, task: str, name: str, subject: Subject, pairs: int) -> Study:
    at = {dictionary_uid(given.model.name, hook.name): hook for hook in given.dictionaries}
    nodes: dict[str, tuple[Node, float]] = {}
    for uid, kind, position, index, effect, feature in given.store.run(_NODES, {"circuit": circuit}).rows:
        if kind == "feature":
            nodes[uid] = Node("feature", at[feature.rpartition(":")[0]], position, index), effect
        elif kind == "token":
            nodes[uid] = Node("token", EMBEDDING, position), effect
        elif kind == "metric":
            nodes[uid] = METRIC, 0.0
    edges = given.store.run(_EDGES, {"circuit": circuit}).rows
    known = [(nodes[s][0], nodes[t][0], w) for s, t, w in edges if s in nodes and t in nodes]
    uids = {node: uid for uid, (node, _) in nodes.items()}
    known.sort(key=lambda edge: (-abs(edge[2]), uids[edge[0]], uids[edge[1]]))
    features = [uid for uid, (node, _) in nodes.items() if node.kind == "feature"]
    features.sort(key=lambda uid: (-abs(nodes[uid][1]), uid))
    hooks = [EMBEDDING, *given.dictionaries]
    train, answers = subject.train, metric_of(subject.train)
    sides = [
        gradients.hook_values(given.model, tokens, hooks, answers)[0]
        for tokens in (train.clean_tokens, train.patch_tokens)
    ]
    prompts = {hook: torch.cat([side[hook] for side in sides]) for hook in hooks}
    metric = metric_of(subject.held_out)[slice(0, pairs)]
    held_out, full = gradients.hook_values(given.model, subject.held_out.clean_tokens[:pairs], hooks, metric)
    return Study(
        circuit, task, name, [nodes[uid][0] for uid in features], uids, [(s, t) for s, t, _ in known],
        {uid for (uid,) in given.store.run(_MEASURED, {"circuit": circuit}).rows}, subject,
        {hook: means_of(dictionary, prompts[hook]) for hook, dictionary in given.dictionaries.items()},
        prompts, held_out, metric, full,
    )  # fmt: skip
