"""When features are active: one pass over a corpus, for all dictionaries at once.

Of each feature are kept how often it is active, and its largest activations, so that memory does not grow with the
corpus. Knows nothing of texts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial, reduce

import torch
from torch import Tensor

from ingest.corpus import Corpus, hook_values
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.progress import Bar
from ingest.work import Work

_PART = 64  # contexts that are read again, at most, after a kill


@dataclass(frozen=True)
class Activity:
    """What a corpus showed of one dictionary's features.

    active: tokens on which each is active, [features]. The others: its largest activation in a context, in which
    context, and at which position of it, for the contexts where it is largest, largest first, [features, contexts];
    of equal ones the earlier context stands first. An activation of 0 says that there was none.
    """

    active: Tensor
    values: Tensor
    contexts: Tensor
    positions: Tensor

    def strongest(self, n: int) -> "Activity":
        """With no more than so many contexts."""
        order = self.values.sort(dim=1, descending=True, stable=True).indices[:, :n]
        kept = (one.gather(1, order) for one in (self.values, self.contexts, self.positions))
        return Activity(self.active, *kept)

    def then(self, later: "Activity", n: int) -> "Activity":
        """Together with what later contexts showed."""
        both = (torch.cat([getattr(part, name) for part in (self, later)], dim=1) for name in _BY_CONTEXT)
        return Activity(self.active + later.active, *both).strongest(n)


_BY_CONTEXT = ("values", "contexts", "positions")
_FIELDS = ("active", *_BY_CONTEXT)


def seen(f: Tensor, first_context: int, n: int) -> Activity:
    """What activations show, f: [contexts, pos − 1, features], start tokens left out, in the n strongest contexts."""
    values, positions = f.max(dim=1)  # the first of equal ones
    contexts = torch.arange(first_context, first_context + len(f), device=f.device, dtype=torch.int32)
    found = Activity(
        (f > 0).sum((0, 1)),
        values.T.contiguous(),
        contexts.expand(f.shape[2], -1),
        (positions + 1).T.int().contiguous(),
    )
    return found.strongest(n)


def activities(
    model: LanguageModel,
    dictionaries: Mapping[Hook, Dictionary],
    corpus: Corpus,
    n: int,
    rows: int,
    work: Work,
    bar: Bar,
) -> dict[Hook, Activity]:
    """The activity of all features over a corpus, in the n strongest contexts each. rows: contexts of a batch."""
    bar.of(len(corpus.tokens))
    found: dict[Hook, Activity] = {}
    for s in slices(len(corpus.tokens), _PART):
        kept = work.tensors(f"activity-{s.start}", partial(_part, model, dictionaries, corpus, s, n, rows))
        for hook in dictionaries:
            part = Activity(*(kept[f"{hook.name}.{name}"] for name in _FIELDS))
            found[hook] = found[hook].then(part, n) if hook in found else part
        bar.advance(s.stop - s.start)
    return found


@torch.no_grad()
def _part(
    model: LanguageModel, dictionaries: Mapping[Hook, Dictionary], corpus: Corpus, s: slice, n: int, rows: int
) -> dict[str, Tensor]:
    found: dict[Hook, list[Activity]] = {hook: [] for hook in dictionaries}
    for batch, values in hook_values(model, corpus.tokens[s], list(dictionaries), rows):
        for hook, dictionary in dictionaries.items():
            found[hook].append(seen(dictionary.encode(values[hook]), s.start + batch.start, n))
    joined = {hook: _joined(parts, n) for hook, parts in found.items()}
    return {f"{hook.name}.{name}": getattr(one, name) for hook, one in joined.items() for name in _FIELDS}


def _joined(parts: Iterable[Activity], n: int) -> Activity:
    return reduce(lambda earlier, later: earlier.then(later, n), parts)
