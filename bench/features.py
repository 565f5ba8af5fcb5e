"""What features are, over a corpus: one pass for all dictionaries against one for each, which keeps every activation.

The plain way runs the model up to each dictionary's hook in turn, keeps all that the dictionary makes of the corpus,
and sorts it for each feature. Both give the same densities and largest activations. What both keep in memory is said.
"""

import argparse
import tempfile
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from bench.demo_world import RECIPE
from bench.report import compare, heading, seconds
from ingest.analyses.features.activity import Activity, Reading, activities
from ingest.corpus import Corpus, hook_values, open_corpus, ordinary
from ingest.dictionaries import Dictionary
from ingest.gradients import Values
from ingest.hooks import Hook
from ingest.models import LanguageModel
from ingest.progress import step
from ingest.recipe import read_recipe
from ingest.subject import open_model_and_dictionaries
from ingest.work import Work

READING = Reading(contexts=16, strongest=12, max_norm=10)


@dataclass(frozen=True)
class Plain:
    """Of one dictionary: tokens on which each feature is active, and its strongest ones, largest first."""

    active: Tensor
    values: Tensor
    kept: int
    """Bytes."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--contexts", type=int, default=16, help="contexts of 256 tokens")
    given = options.parse_args()
    heading(f"Features over {given.contexts} contexts of 256 tokens, six dictionaries of 4,096")
    recipe = read_recipe(RECIPE.with_name("features.toml"))
    assert recipe.corpus is not None
    model, dictionaries = open_model_and_dictionaries(recipe, str(RECIPE), "cpu")
    corpus = open_corpus(recipe.corpus.file, given.contexts, model)
    ours: dict[Hook, Activity] = {}
    plain: dict[Hook, Plain] = {}
    _once(model, dictionaries, Corpus(corpus.tokens[:1]))  # in vain: the first pass is slower
    mine = seconds(lambda: ours.update(_once(model, dictionaries, corpus)))
    counted = _ordinary(model, dictionaries, corpus)  # beforehand: a plain pass would not look for sinks
    theirs = seconds(lambda: plain.update(_plainly(model, dictionaries, corpus, counted)))
    compare("one pass, a running few of each feature", mine, "a pass a dictionary, all kept and sorted", theirs)
    kept = sum(getattr(one, f.name).nbytes for one in ours.values() for f in fields(one))
    print(
        f"  kept of the corpus: {kept / 2**20:.0f} MiB, whatever its length, against "
        f"{max(one.kept for one in plain.values()) / 2**20:.0f} MiB"
    )
    same = all(torch.equal(ours[hook].active, plain[hook].active) for hook in dictionaries)
    apart = max(float((ours[hook].values[:, 0] - plain[hook].values[:, 0]).abs().max()) for hook in dictionaries)
    print(f"  {'the same' if same else 'OTHER'} densities; largest activations differ by {apart:.2g} at most")


def _once(model: LanguageModel, dictionaries: dict[Hook, Dictionary], corpus: Corpus) -> dict[Hook, Activity]:
    with tempfile.TemporaryDirectory() as folder, step("one pass") as bar:
        return activities(model, dictionaries, corpus, READING, Work(Path(folder), "bench", "bench"), bar)


@torch.no_grad()
def _plainly(
    model: LanguageModel, dictionaries: dict[Hook, Dictionary], corpus: Corpus, counted: Tensor
) -> dict[Hook, Plain]:
    found = {}
    for hook, dictionary in dictionaries.items():
        encode = partial(_encoded, dictionary, hook)
        f = torch.cat([encode(values) for _, values in hook_values(model, corpus.tokens, [hook], READING.contexts)])
        flat = (f * counted[..., None]).flatten(0, 1)
        values = flat.sort(dim=0, descending=True).values[: READING.strongest]
        found[hook] = Plain((flat > 0).sum(0), values.T, flat.nbytes)
    return found


def _encoded(dictionary: Dictionary, hook: Hook, values: Values) -> Tensor:
    return dictionary.encode(values[hook])


@torch.no_grad()
def _ordinary(model: LanguageModel, dictionaries: dict[Hook, Dictionary], corpus: Corpus) -> Tensor:
    passes = hook_values(model, corpus.tokens, list(dictionaries), READING.contexts)
    return torch.cat([ordinary(values, READING.max_norm) for _, values in passes])


if __name__ == "__main__":
    main()
