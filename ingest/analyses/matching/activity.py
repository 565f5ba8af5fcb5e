"""What dictionaries say of a corpus: the values at their hooks, and their features' activations as sparse matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from ingest.corpus import Corpus, hook_values, ordinary
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
        x = self.values[dictionary.reads]
        parts = []
        for s in slices(len(x), contexts):
            device = dictionary.W_enc.device
            f = dictionary.encode(x[s].to(device)) * self.counts[s, :, None].to(device)
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


def read(model: LanguageModel, corpus: Corpus, hooks: Iterable[Hook], rows: int, bar: Bar) -> Values:
    """The value at each hook, `rows` contexts at a time: [contexts, pos, d]."""
    hooks = list(hooks)
    parts: dict[Hook, list[Tensor]] = {hook: [] for hook in hooks}
    bar.of(len(corpus.tokens))
    for s, values in hook_values(model, corpus.tokens, hooks, rows, first=0):
        for hook, value in values.items():
            parts[hook].append(value.cpu())
        bar.advance(s.stop - s.start)
    return {hook: torch.cat(found) for hook, found in parts.items()}


def counting(values: Values, hooks: Iterable[Hook], max_norm: float) -> Tensor:
    """Which tokens count, [contexts, pos]: no start token, and no attention sink at one of the hooks.

    One of those outweighs thousands of others in a correlation or a variance.
    """
    usual = ordinary({hook: values[hook][:, 1:] for hook in hooks}, max_norm)
    return torch.cat([torch.zeros_like(usual[:, :1]), usual], dim=1)


def _sparse(f: Tensor) -> csr_array:
    rows, columns = f.nonzero(as_tuple=True)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows.numpy(), minlength=len(f)))])
    return csr_array((f[rows, columns].numpy(), columns.numpy(), indptr), shape=tuple(f.shape))
