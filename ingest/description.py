"""What a feature is, seen from its decoder.

The order of tokens must not depend on which other features are asked for: two bundles that describe one feature have
to agree. Products of large matrices differ in their last bits with their shape, so they only choose candidates here,
which are then compared one by one, in double precision.
"""

import torch
from torch import Tensor

from ingest.memory import slices
from ingest.models import LanguageModel

N_TOKENS = 8
_MORE = 24  # candidates beyond those asked for: many tokens that no text had share one row of the unembedding
_ROWS = 64  # features whose logits, over the whole vocabulary, stand at once


def promoted_tokens(model: LanguageModel, rows: Tensor, n: int = N_TOKENS) -> list[tuple[list[str], list[str]]]:
    """The tokens that each decoder row promotes and suppresses most: through the final norm and the unembedding.

    rows: [features, d_model]. Returns (promoted, suppressed) for each, strongest first.
    """
    return token_texts(model, promoted_ids(model, rows, n))


def token_texts(model: LanguageModel, ids: Tensor) -> list[tuple[list[str], list[str]]]:
    """Token ids as texts: [features, 2, n], as `promoted_ids` gives them."""
    texts = {token: model.tokenizer.decode([token]) for token in set(ids.flatten().tolist())}
    return [([texts[i] for i in up], [texts[i] for i in down]) for up, down in ids.tolist()]


@torch.no_grad()
def promoted_ids(model: LanguageModel, rows: Tensor, n: int = N_TOKENS) -> Tensor:
    """The same as token ids, [features, 2, n]: promoted, suppressed. Of equal ones the smaller id stands first."""
    return torch.cat([_ids(model, rows[s], n) for s in slices(len(rows), _ROWS)]).cpu()


def _ids(model: LanguageModel, rows: Tensor, n: int) -> Tensor:
    zero = torch.zeros_like(rows[:1])  # what a bias of the norm would promote anyway
    out = (model.final_norm(rows.to(model.dtype)) - model.final_norm(zero.to(model.dtype))).float()
    unembedding = model.unembedding.T.float()
    logits = out @ unembedding.T
    ends = []
    for sign in (1, -1):
        near = (sign * logits).topk(min(n + _MORE, logits.shape[1])).indices.sort().values
        exact = (unembedding[near].double() * out[:, None].double()).sum(-1)
        order = (sign * exact).sort(descending=True, stable=True).indices[:, :n]
        ends.append(near.gather(1, order))
    return torch.stack(ends, dim=1)
