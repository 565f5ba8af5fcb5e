"""A corpus of token contexts, and what stands at a model's hooks while it reads them.

Knows nothing of dictionaries or of what is made of the values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ingest.gradients import Values
from ingest.hooks import Hook
from ingest.memory import slices
from ingest.models import LanguageModel
from store.errors import ModelError


@dataclass(frozen=True)
class Corpus:
    """Contexts of one length, as token ids: [contexts, pos]. The first token of each is a start token."""

    tokens: Tensor

    @property
    def n_tokens(self) -> int:
        """Tokens that count: all but the start tokens, which dictionaries never see."""
        return self.tokens[:, 1:].numel()


def open_corpus(file: Path, contexts: int, model: LanguageModel) -> Corpus:
    """The first contexts of a NumPy file of token ids, [contexts, pos]. Raises ModelError."""
    try:
        ids = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise ModelError(f"{file}: no such corpus") from None
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{file}: is no NumPy file of token ids ({error})") from None
    if ids.ndim != 2 or ids.dtype.kind not in "ui" or not ids.size or ids.shape[1] < 2:
        raise ModelError(f"{file}: holds {ids.dtype} of shape {ids.shape}; a corpus is token ids of shape "
                         "[contexts, positions], the first of each context a start token")  # fmt: skip
    tokens = torch.from_numpy(ids[:contexts].astype(np.int64))
    if int(tokens.max()) >= model.vocab_size or int(tokens.min()) < 0:
        raise ModelError(f"{file}: holds token ids that {model.name} does not have (0 … {model.vocab_size - 1})")
    return Corpus(tokens)


@torch.no_grad()
def hook_values(
    model: LanguageModel, tokens: Tensor, hooks: Sequence[Hook], rows: int, first: int = 1
) -> Iterator[tuple[slice, Values]]:
    """The value at each hook, `rows` contexts at a time, start tokens left out: [contexts, pos − 1, d].

    tokens: [contexts, pos]. The model runs no further than the deepest hook. first: the first position that is kept.
    """
    stop = max(hook.stop for hook in hooks)

    def keep(values: Values, hook: Hook, x: Tensor) -> Tensor:
        values[hook] = x[:, first:].float()
        return x

    for s in slices(len(tokens), rows):
        values: Values = {}
        model.run(model.embed(tokens[s]), 0, stop, {hook: partial(keep, values, hook) for hook in hooks})
        yield s, values


def ordinary(values: Values, max_norm: float) -> Tensor:
    """Which tokens are no attention sinks, [contexts, pos − 1], from the values at the hooks.

    A model may use an early delimiter as it uses the start token: the residual stream there is a hundred times as long
    as elsewhere (Sun et al. 2024, Massive Activations), and so is what a dictionary makes of it. Such a token is told
    by the norm of its value at any of the hooks, against the median of its context there.
    """
    long = torch.stack([norm > max_norm * norm.median(1, keepdim=True).values
                        for norm in (x.norm(dim=-1) for x in values.values())])  # fmt: skip
    return ~long.any(0)
