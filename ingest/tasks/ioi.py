"""Indirect object identification: pairs of our own, from a documented template (Wang et al. 2023).

    "When Mary and James went to the store, James gave a key to" → " Mary"   against
    "When Mary and James went to the store, Mary gave a key to"  → " James"

Clean and patch differ in nothing but which of the two names is said again (S2 of that paper), so what is right for one
is the other's wrong answer, and the metric is the difference of the two names' logits. In half of the pairs the name
said again on the clean side is the first one (BABA of that paper), in half the second (ABBA). Names of men and women
are mixed. The verbs, too, are others in held-out pairs. The words are in `words`.
"""

from itertools import permutations

from ingest.tasks.pairs import Pair
from ingest.tasks.turns import in_turn, random_for
from ingest.tasks.words import GIVING, GOING, MEN, PLACES, THINGS, WOMEN, Split

POSITIONS = tuple("When name1 and name2 going to the place comma S2 giving a thing last".split())
"""The last is the "to" after which the answer is read."""


def ioi(n: int, seed: int, split: Split) -> list[Pair]:
    """n different pairs, the same ones for the same seed, no two with the same names in the same order.

    Raises ModelError where there are fewer.
    """
    rng = random_for("ioi", seed, split)
    cells: list[list[Pair]] = []
    for first_again in (True, False):
        cell = []
        for first, second in permutations([*MEN[split], *WOMEN[split]], 2):
            going, place = rng.choice(GOING[split]), rng.choice(PLACES[split])
            giving, thing = rng.choice(GIVING[split]), rng.choice(THINGS[split])
            start, end = f"When {first} and {second} {going} to the {place},", f"{giving} a {thing} to"
            again, other = (first, second) if first_again else (second, first)
            cell.append(Pair(f"{start} {again} {end}", f"{start} {other} {end}", f" {other}", f" {again}"))
        cells.append(cell)
    return in_turn(n, rng, "ioi", split, cells)
