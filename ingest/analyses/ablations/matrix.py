"""Features, circuits and clusters in every task: set to their mean, all else left as it is; and to multiples.

The rows are what is ablated, the columns the tasks: what two tasks share shows in both columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ingest.ablation import Intervention, measure
from ingest.analyses.ablations.curves import Measured
from ingest.analyses.registry import Analysing
from ingest.analyses.studies import Study
from ingest.hooks import Hook
from ingest.progress import Bar
from ingest.recipe import AblationsSection
from ingest.recovery import recovery
from ingest.rows import ablation_row
from ingest.steering import Change, measure_change
from store.uids import dictionary_uid, feature_uid

_CLUSTERS = """
MATCH (f:Feature)-[:MEMBER_OF]->(c:Cluster) WHERE f.uid STARTS WITH $model
RETURN c.uid AS cluster, collect(f.uid) AS members
"""


@dataclass(frozen=True)
class Group:
    """What is ablated together."""

    kind: str
    """feature, circuit or cluster"""
    uid: str
    """Its own; a circuit's for the features of a circuit."""
    features: list[str]
    """Uids."""

    @property
    def ablated(self) -> dict[str, list[str]]:
        return {"Cluster": [self.uid]} if self.kind == "cluster" else {"Feature": self.features}


def measure_matrix(
    given: Analysing, said: AblationsSection, studies: list[Study], bar: Bar
) -> Iterator[tuple[Study, Measured]]:
    """What every group does to every task, task by task."""
    groups = [*_features(given, said, studies), *_circuits(given, studies), *_clusters(given, said)]
    factors: list[float | None] = [None, *dict.fromkeys(said.factors)]
    bar.of(len(studies) * len(groups) * len(factors))
    for study in studies:
        nothing = [Intervention("faithfulness", (), "kept")]
        tokens = study.subject.held_out.clean_tokens[: len(study.full)]
        empty = measure(
            given.model, given.dictionaries, study.means, tokens, study.metric, nothing, study.first_position
        )[0]
        found: Measured = []
        for factor in factors:
            kind = "steering" if factor is not None else None
            for start in range(0, len(groups), 16):
                some = groups[start : start + 16]
                stage = f"{study.circuit}-{'mean' if factor is None else factor}-{start}".replace(":", "-")
                compute = partial(_measure, given, study, some, factor)
                metrics = given.work.tensors(f"matrix-{stage}", compute)["metric"]
                for group, metric in zip(some, metrics, strict=True):
                    row = ablation_row(
                        study.circuit, kind or group.kind, len(group.features), recovery(metric, empty, study.full),
                        n_pairs=len(metric), ablated=group.uid, factor=factor,
                    )  # fmt: skip
                    found.append((row, group.ablated))
                bar.advance(len(some))
        yield study, found


def _measure(given: Analysing, study: Study, groups: list[Group], factor: float | None) -> dict[str, Tensor]:
    return {
        "metric": torch.stack(
            [
                measure_change(
                    given.model,
                    given.dictionaries,
                    study.means,
                    study.held_out,
                    study.metric,
                    Change(_indices(given, group.features), factor),
                    study.first_position,
                )
                for group in groups
            ]
        )
    }


def _indices(given: Analysing, features: list[str]) -> dict[Hook, Tensor]:
    hooks = {dictionary_uid(given.model.name, hook.name): hook for hook in given.dictionaries}
    found: dict[Hook, list[int]] = {}
    for uid in features:
        dictionary, _, index = uid.rpartition(":")
        if dictionary in hooks:
            found.setdefault(hooks[dictionary], []).append(int(index))
    return {hook: torch.tensor(sorted(indices), device=given.model.device) for hook, indices in found.items()}


def _uids(given: Analysing, study: Study) -> list[str]:
    """The features of a circuit, strongest first, each once."""
    found = []
    for node in study.features:
        assert node.hook is not None
        assert node.index is not None
        found.append(feature_uid(dictionary_uid(given.model.name, node.hook.name), node.index))
    return list(dict.fromkeys(found))


def _features(given: Analysing, said: AblationsSection, studies: list[Study]) -> Iterator[Group]:
    strongest = [uid for study in studies for uid in _uids(given, study)[: said.features]]
    for uid in sorted(set(strongest)):
        yield Group("feature", uid, [uid])


def _circuits(given: Analysing, studies: list[Study]) -> Iterator[Group]:
    for study in studies:
        yield Group("circuit", study.circuit, _uids(given, study))


def _clusters(given: Analysing, said: AblationsSection) -> list[Group]:
    rows = given.store.run(_CLUSTERS, {"model": f"{given.model.name}:"}).rows
    known = {dictionary_uid(given.model.name, hook.name) for hook in given.dictionaries}
    clusters = [
        Group("cluster", uid, sorted(members))
        for uid, members in rows
        if any(member.rpartition(":")[0] in known for member in members)
    ]
    return sorted(clusters, key=lambda group: (-len(group.features), group.uid))[: said.clusters]
