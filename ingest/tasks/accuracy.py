"""How well a model does a task, before anything is attributed. Knows nothing of dictionaries."""

from dataclasses import dataclass

import torch

from ingest.gradients import Metric, hook_values
from ingest.memory import slices
from ingest.models import LanguageModel
from ingest.tasks.alignment import Aligned

_ROWS = 64  # of a batch: fits wherever attribution does


@dataclass(frozen=True)
class Accuracy:
    """Over all prompts, the clean and the patch side of each pair."""

    n_pairs: int
    accuracy: float
    """Share of prompts on which the right answer has a larger logit than the other."""
    logit_difference: float
    """Mean of logit(right answer) − logit(other answer)."""


def accuracy(model: LanguageModel, aligned: Aligned) -> Accuracy:
    """What a model makes of these pairs."""
    sides = (
        (aligned.clean_tokens, Metric(aligned.clean_answers, aligned.patch_answers)),
        (aligned.patch_tokens, Metric(aligned.patch_answers, aligned.clean_answers)),
    )
    parts = [
        hook_values(model, tokens[s], [], metric[s])[1] for tokens, metric in sides for s in slices(len(tokens), _ROWS)
    ]
    difference = torch.cat(parts).double()
    return Accuracy(len(aligned.pairs), float((difference > 0).double().mean()), float(difference.mean()))
