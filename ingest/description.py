"""What a feature is, seen from its decoder."""

import torch
from torch import Tensor

from ingest.models import LanguageModel


@torch.no_grad()
def promoted_tokens(model: LanguageModel, rows: Tensor, n: int = 8) -> list[tuple[list[str], list[str]]]:
    """The tokens that each decoder row promotes and suppresses most: through the final norm and the unembedding.

    rows: [features, d_model]. Returns (promoted, suppressed) for each, strongest first.
    """
    logits = model.logits(rows.to(model.dtype)).float()
    logits -= model.logits(torch.zeros_like(rows[:1]).to(model.dtype)).float()  # what a bias would promote anyway
    texts: list[tuple[list[str], list[str]]] = []
    for row in logits:
        ends = [row.topk(n, largest=largest).indices.tolist() for largest in (True, False)]
        promoted, suppressed = ([model.tokenizer.decode([token]) for token in tokens] for tokens in ends)
        texts.append((promoted, suppressed))
    return texts
