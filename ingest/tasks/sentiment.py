"""Sentiment: pairs of our own, from a documented template.

    "The movie was wonderful, so I was very" → " happy"   against
    "The movie was terrible, so I was very"  → " disappointed"

Clean and patch differ in nothing but the adjective; half of the pairs have a good one on the clean side. The words are
in `words`. (After Tigges et al. 2023, Linear representations of sentiment in large language models.)
"""

from itertools import product

from ingest.tasks.pairs import Pair
from ingest.tasks.turns import in_turn, random_for
from ingest.tasks.words import BAD, GOOD, WORKS, Split

POSITIONS = ("The", "work", "was", "adjective", "comma", "so", "I", "was", "last")


def sentiment(n: int, seed: int, split: Split) -> list[Pair]:
    """n different pairs, the same ones for the same seed. Raises ModelError where there are fewer."""
    cells: list[list[Pair]] = [[], []]
    for work, good, bad in product(WORKS[split], GOOD[split], BAD[split]):
        happy = f"The {work} was {good}, so I was very", " happy"
        disappointed = f"The {work} was {bad}, so I was very", " disappointed"
        for cell, (clean, patch) in zip(cells, ((happy, disappointed), (disappointed, happy)), strict=True):
            cell.append(Pair(clean[0], patch[0], clean[1], patch[1]))
    return in_turn(n, random_for("sentiment", seed, split), "sentiment", split, cells)
