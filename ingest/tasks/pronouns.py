"""Gendered pronouns: pairs of our own, from a documented template.

    "Then Mary lost the key because" → " she"   against   "Then James lost the key because" → " he"

Clean and patch differ in nothing but the name; half of the pairs have a woman's name on the clean side. The verbs and
the things are others in held-out pairs, too. The words are in `words`. (After Mathwin et al. 2023, Identifying a
preliminary circuit for predicting gendered pronouns in GPT-2 small.)
"""

from itertools import product

from ingest.tasks.pairs import Pair
from ingest.tasks.turns import in_turn, random_for
from ingest.tasks.words import LOSING, MEN, THINGS, WOMEN, Split

POSITIONS = ("Then", "name", "losing", "the", "thing", "last")


def pronouns(n: int, seed: int, split: Split) -> list[Pair]:
    """n different pairs, the same ones for the same seed, no two with the same two names on the same sides.

    Raises ModelError where there are fewer.
    """
    rng = random_for("gendered-pronoun", seed, split)
    cells: list[list[Pair]] = [[], []]
    for cell, woman_first in zip(cells, (True, False), strict=True):
        for woman, man in product(WOMEN[split], MEN[split]):
            rest = f"{rng.choice(LOSING[split])} the {rng.choice(THINGS[split])} because"
            she, he = (f"Then {woman} {rest}", " she"), (f"Then {man} {rest}", " he")
            clean, patch = (she, he) if woman_first else (he, she)
            cell.append(Pair(clean[0], patch[0], clean[1], patch[1]))
    return in_turn(n, rng, "gendered-pronoun", split, cells)
