"""What a method says of two dictionaries: which feature continues as which."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Method = Literal["sae_match", "feature_flow", "correlation"]
_ROWS = 1024


@dataclass(frozen=True)
class Matches:
    """Features of one dictionary matched with features of a later one; one entry a match, [matches] each."""

    source: Tensor
    target: Tensor
    score: Tensor
    rank: Tensor
    """1 for the best match of the source."""
    reverse_rank: Tensor
    """1 for the best match of the target."""

    def best(self, n_sources: int) -> Tensor:
        """The best match of each source feature, −1 where it has none. [n_sources]"""
        return _first(self.source, self.target, self.rank, n_sources)

    def best_source(self, n_targets: int) -> Tensor:
        """The best match of each target feature, −1 where it has none. [n_targets]"""
        return _first(self.target, self.source, self.reverse_rank, n_targets)

    def tensors(self, name: str) -> dict[str, Tensor]:
        return {f"{name}.{key}": value for key, value in vars(self).items()}

    @staticmethod
    def of(tensors: dict[str, Tensor], name: str) -> "Matches":
        """What `tensors` gave."""
        fields = ("source", "target", "score", "rank", "reverse_rank")
        return Matches(*(tensors[f"{name}.{field}"] for field in fields))


def _first(one: Tensor, other: Tensor, rank: Tensor, n: int) -> Tensor:
    found = torch.full((n,), -1, dtype=torch.long)
    first = (rank == 1).nonzero().flatten().flip(0)  # of equally good ones, the first stays
    found[one[first]] = other[first]
    return found


def best_of_both(similarity: Tensor) -> Matches:
    """Each source's best target and each target's best source, many to one either way.

    similarity: [n_sources, n_targets], −inf where two features can't be matched.
    """
    n, m = similarity.shape
    forwards, backwards = similarity.max(dim=1), similarity.max(dim=0)
    pairs = torch.cat([
        (torch.arange(n) * m + forwards.indices.cpu())[forwards.values.cpu() > -torch.inf],
        (backwards.indices.cpu() * m + torch.arange(m))[backwards.values.cpu() > -torch.inf],
    ])  # fmt: skip
    pairs = torch.unique(pairs)
    source, target = pairs // m, pairs % m
    score = similarity[source, target].cpu()

    def better(rows: Callable[[slice], Tensor]) -> Tensor:
        parts = [slice(start, start + _ROWS) for start in range(0, len(pairs), _ROWS)]
        counts = [(rows(s) > score[s, None].to(similarity.device)).sum(1).cpu() for s in parts]
        return torch.cat([torch.zeros(0, dtype=torch.long), *counts])

    rank = 1 + better(lambda s: similarity[source[s]])
    reverse_rank = 1 + better(lambda s: similarity[:, target[s]].T)
    return Matches(source, target, score, rank, reverse_rank)
