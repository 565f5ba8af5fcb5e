"""When features are active: one pass over a corpus, for all dictionaries at once.

Of each feature are kept how often it is active, and its largest activations, so that memory does not grow with the
corpus. Knows nothing of texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ingest.corpus import Corpus, hook_values, ordinary
from ingest.dictionaries import Dictionary, places
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.progress import Bar
from ingest.work import Work

_PART = 64  # contexts that are read again, at most, after a kill


@dataclass(frozen=True)
class Activity:
    """What a corpus showed of one dictionary's features.

    tokens: how many counted, []. active: on how many of them each feature was active, [features]. The others: its
    largest activation in a context, in which context, and at which position of it, for the contexts where it is
    largest, largest first, [features, contexts]; of equal ones the earlier context stands first. An activation of 0
    says that there was none.
    """

    tokens: Tensor
    active: Tensor
    values: Tensor
    contexts: Tensor
    positions: Tensor

    def strongest(self, n: int) -> "Activity":
        """With no more than so many contexts."""
        order = self.values.sort(dim=1, descending=True, stable=True).indices[:, :n]
        kept = (one.gather(1, order) for one in (self.values, self.contexts, self.positions))
        return Activity(self.tokens, self.active, *kept)

    def then(self, later: "Activity", n: int) -> "Activity":
        """Together with what later contexts showed."""
        both = (torch.cat([getattr(part, name) for part in (self, later)], dim=1) for name in _BY_CONTEXT)
        return Activity(self.tokens + later.tokens, self.active + later.active, *both).strongest(n)


_BY_CONTEXT = ("values", "contexts", "positions")
_FIELDS = ("tokens", "active", *_BY_CONTEXT)


def seen(f: Tensor, counted: Tensor, first_context: int, n: int) -> Activity:
    """What activations show in the n strongest contexts.

    f: [contexts, pos − 1, features], start tokens left out. counted: which tokens count, [contexts, pos − 1].
    """
    f = f * counted[..., None]
    values, positions = f.max(dim=1)  # the first of equal ones
    contexts = torch.arange(first_context, first_context + len(f), device=f.device, dtype=torch.int32)
    found = Activity(
        counted.sum(),
        (f > 0).sum((0, 1)),
        values.T.contiguous(),
        contexts.expand(f.shape[2], -1),
        (positions + 1).T.int().contiguous(),
    )
    return found.strongest(n)


@dataclass(frozen=True)
class Reading:
    """How a corpus is read.

    contexts: of a batch. strongest: contexts that are kept of each feature. max_norm: see `ordinary`.
    """

    contexts: int
    strongest: int
    max_norm: float


def activities(
    model: LanguageModel,
    dictionaries: Mapping[Hook, Dictionary],
    corpus: Corpus,
    reading: Reading,
    work: Work,
    bar: Bar,
) -> dict[Hook, Activity]:
    """The activity of all features over a corpus."""
    bar.of(len(corpus.tokens))
    found: dict[Hook, Activity] = {}
    for s in slices(len(corpus.tokens), _PART):
        kept = work.tensors(f"activity-{s.start}", partial(_part, model, dictionaries, corpus, s, reading))
        for hook in dictionaries:
            part = Activity(*(kept[f"{hook.name}.{name}"] for name in _FIELDS))
            found[hook] = found[hook].then(part, reading.strongest) if hook in found else part
        bar.advance(s.stop - s.start)
    return found


@torch.no_grad()
def _part(
    model: LanguageModel, dictionaries: Mapping[Hook, Dictionary], corpus: Corpus, s: slice, reading: Reading
) -> dict[str, Tensor]:
    found: dict[Hook, Activity] = {}
    n = reading.strongest
    hooks = places(dictionaries.values())
    for batch, values in hook_values(model, corpus.tokens[s], hooks, reading.contexts):
        counted = ordinary(values, reading.max_norm)
        for hook, dictionary in dictionaries.items():
            one = seen(dictionary.encode(values[dictionary.reads]), counted, s.start + batch.start, n)
            found[hook] = found[hook].then(one, n) if hook in found else one
    return {f"{hook.name}.{name}": getattr(one, name) for hook, one in found.items() for name in _FIELDS}
