"""Takes pairs from several cells in turn, so that whatever is balanced between the cells stays so for any number."""

import random
from collections.abc import Sequence
from itertools import islice

from ingest.tasks.pairs import Pair
from ingest.tasks.words import Split
from store.errors import ModelError


def random_for(name: str, seed: int, split: Split) -> random.Random:
    """The generator of random numbers that belongs to a task, a seed and a split."""
    return random.Random(f"{name} {split} {seed}")


def in_turn(n: int, rng: random.Random, name: str, split: Split, cells: Sequence[list[Pair]]) -> list[Pair]:
    """n pairs, one of each cell in turn, each cell shuffled: the first k of them are as balanced as k allows.

    cells: of equal size, without a pair that stands twice. Raises ModelError where they hold fewer than n.
    """
    for cell in cells:
        rng.shuffle(cell)
    available = sum(map(len, cells))
    if not 0 < n <= available:
        raise ModelError(f"{name}: {n} pairs asked for, and its {split} split has 1 to {available}")
    turns = (pair for turn in zip(*cells, strict=True) for pair in turn)
    return list(islice(turns, n))
