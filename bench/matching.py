"""SAE Match of two dictionaries: the assignment by candidates and duals against scipy's on the full matrix.

Both start from the same distances; the costs' ratio shows that ours is no worse. Then decoder cosines, all at once
against a loop over features. `--stacked 2` puts two of the demo's dictionaries together on either side, which gives
twice the width: published dictionaries are wider than the demo's, and the dense solver's time grows with the cube.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from bench.report import compare, heading, seconds
from ingest.analyses.matching.assignment import assign
from ingest.analyses.matching.methods import cosines, distances, sae_match
from ingest.dictionaries import Dictionary, JumpReLU, from_folder
from ingest.models import open_model
from ingest.recipe import read_recipe
from ingest.weights import dictionary_folders

RECIPE = Path(__file__).parents[1] / "demo" / "agreement-across-pp.toml"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=5, help="pairs of neighbouring dictionaries, the first so many")
    options.add_argument("--stacked", type=int, default=1, help="dictionaries put together on either side")
    given = options.parse_args()
    every = _dictionaries()
    n = given.stacked
    for first in range(min(given.pairs, len(every) - n)):
        a, b = _stacked(every[first : first + n]), _stacked(every[first + 1 : first + 1 + n])
        heading(f"{a.hook.name} → {b.hook.name}, {a.n_features} features each")
        print(f"  {'SAE Match, distances and assignment':<44} {seconds(partial(sae_match, a, b))[0]:10.4f} s")
        distance = distances(a, b)[0]
        full = distance.double().numpy()
        answers: list[Any] = []
        ours = seconds(lambda: answers.append(assign(distance)))  # noqa: B023, called at once
        theirs = seconds(lambda: answers.append(linear_sum_assignment(full)))  # noqa: B023, called at once
        compare("assignment, ours", ours, "scipy.optimize.linear_sum_assignment", theirs)
        found, (rows, columns) = answers
        best = float(full[rows, columns].sum())
        print(f"  cost {found.cost:.6f}, scipy's {best:.6f}: {found.cost / best:.9f} ×, proven within {found.gap:.1e}")
        loop = seconds(partial(_cosines_by_loop, a, b, 64))
        scaled = [loop[0] * a.n_features / 64]
        compare("decoder cosines at once", seconds(partial(cosines, a, b), 3), "a loop, from 64 features", scaled)


def _dictionaries() -> list[Dictionary]:
    recipe = read_recipe(RECIPE)
    model = open_model(recipe.model.source, recipe.model.name)
    assert recipe.dictionaries.folder is not None
    folders = dictionary_folders(recipe.dictionaries.folder)
    return sorted((from_folder(folder, model) for folder in folders), key=lambda one: one.hook.depth)


def _stacked(parts: list[Dictionary]) -> Dictionary:
    """All features of some dictionaries in one, each brought to a threshold of 1."""
    scales = [one.activation.threshold for one in parts if isinstance(one.activation, JumpReLU)]
    biases = [
        one.activation.bias / s for one, s in zip(parts, scales, strict=True) if isinstance(one.activation, JumpReLU)
    ]
    bias = torch.cat(biases)
    return replace(
        parts[0],
        W_enc=torch.cat([one.W_enc / s for one, s in zip(parts, scales, strict=True)], dim=1),
        W_dec=torch.cat([one.W_dec * s[:, None] for one, s in zip(parts, scales, strict=True)]),
        activation=JumpReLU(bias, torch.ones_like(bias)),
    )


def _cosines_by_loop(a: Dictionary, b: Dictionary, features: int) -> None:
    """A feature of a with one of b at a time."""
    p, q = a.W_dec.numpy()[:features], b.W_dec.numpy()
    for u in p:
        for d in q:
            float(u @ d / (np.linalg.norm(u) * np.linalg.norm(d)))


if __name__ == "__main__":
    main()
