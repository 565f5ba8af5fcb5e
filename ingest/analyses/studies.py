"""The tasks' circuits that are stored, with the pairs that they can be measured on again."""

import json
from dataclasses import dataclass
from functools import cached_property

import torch
from pydantic import ValidationError
from torch import Tensor

from ingest import gradients
from ingest.analyses.registry import Analysing
from ingest.dictionaries import places
from ingest.gradients import Metric, Values
from ingest.hooks import EMBEDDING, Hook
from ingest.nodes import METRIC, Means, Node, means_of
from ingest.progress import console
from ingest.pruning import Edge, EdgeValue, Graph, NodeValue
from ingest.recipe import Recipe, TaskSection
from ingest.subject import Subject, metric_of, subject_of
from ingest.tasks.pairs import pairs_sha256
from store.errors import NotFoundError
from store.uids import dictionary_uid

_CIRCUITS = """
MATCH (c:Circuit)-[:OF_MODEL]->(m:Model) WHERE m.uid = $model AND c.aggregation = 'task'
MATCH (c)-[:FOR_TASK]->(t:Task) MATCH (c)-[:PRODUCED_BY]->(r:Run) MATCH (c)-[:USES]->(d:Dictionary)
RETURN c.uid AS circuit, t.uid AS task, t.name AS name, c.patch_metric - c.clean_metric AS whole,
       t.sha256 AS sha256, r.params AS params, collect(DISTINCT d.sha256) AS dictionaries
ORDER BY circuit
"""
_NODES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(n:CircuitNode) WHERE c.uid = $circuit
OPTIONAL MATCH (n)-[:INSTANCE_OF]->(f:Feature)
RETURN n.uid AS uid, n.kind AS kind, n.layer AS layer, n.position AS position, n.`index` AS `index`,
       n.effect AS effect, n.observed_effect AS observed, f.uid AS feature, f.density AS density
ORDER BY uid
"""
_EDGES = """
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(s:CircuitNode) WHERE c.uid = $circuit
MATCH (s)-[e:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, e.weight AS weight, e.observed AS observed
ORDER BY source, target
"""
_HOOKS = """
MATCH (c:Circuit)-[u:USES]->(d:Dictionary) WHERE c.uid = $circuit AND coalesce(u.cuts_edges, true)
RETURN d.hook AS hook ORDER BY hook
"""
_MEASURED = "MATCH (c:Circuit)<-[:TESTS]-(a:Ablation) WHERE c.uid = $circuit RETURN a.uid AS uid"


@dataclass(frozen=True)
class Study:
    """One circuit, what it was computed on, and the held-out pairs that it is measured on."""

    circuit: str
    task: str
    name: str
    whole: float
    """The metric's change from clean to patch, as the circuit says."""
    hooks: list[Hook]
    """Those between which its edges were taken, and must be tested."""
    graph: Graph
    uids: dict[Node, str]
    densities: dict[Node, float]
    """Of its features, as far as they are stored."""
    measured: set[str]
    """Uids of the ablations that are stored."""
    subject: Subject
    clean: Values
    """What stands at each hook in the prompts that attribution saw, [pairs, pos, d]."""
    patch: Values
    metric_clean: Tensor
    """[pairs]"""
    metric_patch: Tensor
    held_out: Values
    """The same in the held-out clean prompts, [pairs, pos, d]."""
    metric: Metric
    full: Tensor
    """The metric on the held-out pairs with nothing ablated, [pairs]."""

    @property
    def first_position(self) -> int:
        return self.subject.first_position

    @cached_property
    def prompts(self) -> Values:
        """Clean and patch prompts together, [prompts, pos, d]."""
        return {hook: torch.cat([value, self.patch[hook]]) for hook, value in self.clean.items()}

    @cached_property
    def means(self) -> dict[Hook, Means]:
        """What stands at each hook on average over the prompts."""
        return {hook: means_of(dictionary, self.prompts) for hook, dictionary in self.subject.dictionaries.items()}

    @cached_property
    def features(self) -> list[Node]:
        """Strongest first."""
        features = [node for node in self.graph.nodes if node.kind == "feature"]
        return sorted(features, key=lambda node: (-abs(self.graph.nodes[node].effect), self.uids[node]))

    @cached_property
    def edges(self) -> list[Edge]:
        """Strongest first, those of error terms left out."""
        edges = [edge for edge in self.graph.edges if "error" not in (edge[0].kind, edge[1].kind)]
        return sorted(edges, key=lambda e: (-abs(self.graph.edges[e].weight), self.uids[e[0]], self.uids[e[1]]))


def open_studies(given: Analysing, pairs: int) -> list[Study]:
    """A study of each of the model's task circuits; one that can't be measured again is told and left out.

    Raises NotFoundError where none is left.
    """
    studies = []
    rows = given.store.run(_CIRCUITS, {"model": given.model.name}).rows
    for circuit, task, name, whole, sha256, params, used in rows:
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
        studies.append(_study(given, circuit, task, name, whole, subject, pairs))
    if not studies:
        raise NotFoundError(
            f"no task's circuit of {given.model.name} is stored that can be measured again: "
            "run `circuitstore ingest` first"
        )
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


def _study(given: Analysing, circuit: str, task: str, name: str, whole: float, subject: Subject, pairs: int) -> Study:
    hooks = [EMBEDDING, *places(given.dictionaries.values())]
    train, answers = subject.train, metric_of(subject.train)
    (clean, m_clean), (patch, m_patch) = (
        gradients.hook_values(given.model, tokens, hooks, answers)
        for tokens in (train.clean_tokens, train.patch_tokens)
    )
    metric = metric_of(subject.held_out)[slice(0, pairs)]
    held_out, full = gradients.hook_values(given.model, subject.held_out.clean_tokens[:pairs], hooks, metric)
    return Study(
        circuit,
        task,
        name,
        whole,
        _hooks(given, circuit),
        *_graph(given, circuit),
        {uid for (uid,) in given.store.run(_MEASURED, {"circuit": circuit}).rows},
        subject,
        clean,
        patch,
        m_clean,
        m_patch,
        held_out,
        metric,
        full,
    )


def _hooks(given: Analysing, circuit: str) -> list[Hook]:
    names = {name for (name,) in given.store.run(_HOOKS, {"circuit": circuit}).rows}
    return [hook for hook in given.dictionaries if hook.name in names]


def _graph(given: Analysing, circuit: str) -> tuple[Graph, dict[Node, str], dict[Node, float]]:
    """A stored circuit, its nodes' uids, and the densities of its features that are known."""
    at = {dictionary_uid(given.model.name, hook.name): hook for hook in given.dictionaries}
    by_place = {(str(hook.site), hook.layer): hook for hook in given.dictionaries}
    nodes: dict[str, Node] = {}
    values: dict[Node, NodeValue] = {}
    densities: dict[Node, float] = {}
    for uid, kind, layer, position, index, effect, observed, feature, density in given.store.run(
        _NODES, {"circuit": circuit}
    ).rows:
        if kind == "feature":
            node = Node("feature", at[feature.rpartition(":")[0]], position, index)
            if density is not None:
                densities[node] = density
        elif kind == "error":
            named = uid.removeprefix(f"{circuit}:").partition(":")[0]
            site = named.removesuffix("error").removesuffix("-") or "resid"
            node = Node("error", by_place[site, layer], position)
        elif kind in ("token", "metric"):
            node = METRIC if kind == "metric" else Node("token", EMBEDDING, position)
        else:
            continue
        nodes[uid] = node
        values[node] = NodeValue(effect or 0.0, 0.0, observed)
    found = given.store.run(_EDGES, {"circuit": circuit}).rows
    edges = {
        (nodes[s], nodes[t]): EdgeValue(weight, observed)
        for s, t, weight, observed in found
        if s in nodes and t in nodes
    }
    return Graph(values, edges), {node: uid for uid, node in nodes.items()}, densities
