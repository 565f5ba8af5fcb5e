"""What dictionaries say of a corpus: the values at their hooks, and their features' activations as sparse matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from ingest.corpus import Corpus
from ingest.dictionaries import Dictionary
from ingest.gradients import Values
from ingest.hooks import EMBEDDING, Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.progress import Bar


@dataclass(frozen=True)
class Activity:
    """Values at hooks while the model reads a corpus, start tokens included: [contexts, pos, d] each."""

    values: Values
    counts: Tensor
    """Which tokens count, [contexts, pos]: no start token, no attention sink."""

    def codes(self, dictionary: Dictionary, contexts: int) -> csr_array:
        """Activations on the tokens that count, `contexts` contexts at a time; the others are empty rows.

        [contexts · pos, n_features]
        """
        x = self.values[dictionary.hook]
        parts = []
        for s in slices(len(x), contexts):
            f = dictionary.encode(x[s].to(dictionary.W_enc.device)) * self.counts[s, :, None].to(x.device)
            parts.append(_sparse(f.flatten(0, 1).cpu()))
        total = sum(part.shape[0] for part in parts)
        bounds = np.cumsum([0, *(part.nnz for part in parts)])
        starts = [part.indptr[:-1] + offset for part, offset in zip(parts, bounds[:-1], strict=True)]
        return csr_array(
            (
                np.concatenate([part.data for part in parts]),
                np.concatenate([part.indices for part in parts]),
                np.concatenate([*starts, bounds[-1:]]),
            ),
            shape=(total, dictionary.n_features),
        )

    def counting(self) -> np.ndarray:
        """The numbers of the tokens that count, among all."""
        found: np.ndarray = self.counts.flatten().nonzero().flatten().numpy()
        return found


def start_of(hook: Hook) -> Hook:
    """The residual hook from which a run that changes `hook` can start."""
    if hook.boundary is not None:
        return hook
    below = hook.layer - 1
    return Hook(f"blocks.{below}.hook_resid_post", below, "resid", hook.layer) if hook.layer else EMBEDDING


def stop_of(hook: Hook) -> int:
    """The boundary up to which a run must go to compute what stands at `hook`."""
    return hook.layer + 1 if hook.boundary is None else hook.boundary


@torch.no_grad()
def read(model: LanguageModel, corpus: Corpus, hooks: Iterable[Hook], rows: int, bar: Bar) -> Values:
    """The value at each hook, `rows` contexts at a time: [contexts, pos, d]."""
    hooks = list(hooks)
    stop = max(stop_of(hook) for hook in hooks)
    parts: dict[Hook, list[Tensor]] = {hook: [] for hook in hooks}
    bar.of(len(corpus.tokens))

    def keep(hook: Hook, x: Tensor) -> Tensor:
        parts[hook].append(x.float().cpu())
        return x

    edits = {hook: (lambda x, hook=hook: keep(hook, x)) for hook in hooks}
    for s in slices(len(corpus.tokens), rows):
        model.run(model.embed(corpus.tokens[s]), 0, stop, edits)
        bar.advance(s.stop - s.start)
    return {hook: torch.cat(found) for hook, found in parts.items()}


def without_sinks(values: Values, hooks: Iterable[Hook], largest_norm: float) -> Tensor:
    """Which tokens count: [contexts, pos].

    Left out are start tokens, and tokens whose norm at one of the hooks is more than `largest_norm` times the median
    there: attention sinks (Sun et al. 2024, Massive Activations), of which dictionaries make nothing, while one of
    them outweighs thousands of others in a correlation or a variance.
    """
    counts: Tensor | None = None
    for hook in hooks:
        norm = values[hook].norm(dim=-1)
        usual = norm <= largest_norm * norm[:, 1:].median()
        counts = usual if counts is None else counts & usual
    assert counts is not None
    counts = counts.clone()
    counts[:, 0] = False
    return counts


def _sparse(f: Tensor) -> csr_array:
    rows, columns = f.nonzero(as_tuple=True)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows.numpy(), minlength=len(f)))])
    return csr_array((f[rows, columns].numpy(), columns.numpy(), indptr), shape=tuple(f.shape))
