"""Greater-than: pairs of our own, from a documented template (Hanna et al. 2023).

    "The war lasted from 1764 to 17" → "8"   against   "The war lasted from 1724 to 17" → "3"

A war ends after it began. Clean and patch differ in nothing but the decade in which it began. The answer to the later
beginning is a decade after it, the answer to the earlier one is the decade after that, which lies before the later
beginning: there it is impossible, so the metric is high only where the beginning was compared. (The later answer is
possible for both, but farther away from the earlier. So each prompt has one answer, where that paper adds up the
probabilities of all years.) In half of the pairs the clean side is the later. An answer is one digit, the decade:
SmolLM2's tokenizer makes a token of each digit. For a tokenizer that takes two digits together, as GPT-2's, this is
another task, and no good one. No year stands in both splits, and no event; the digits do.
"""

from itertools import product

from ingest.tasks.pairs import Pair
from ingest.tasks.turns import in_turn, random_for
from ingest.tasks.words import EVENTS, LASTING, Split

POSITIONS = tuple("The event lasting from space digit1 digit2 decade year to space digit1 last".split())

_DECADES = [(a, b, end) for a in range(1, 7) for b in range(a + 2, 9) for end in range(b + 1, 10)]
"""The earlier beginning, the later one, and the answer to the later one; the other answer is one after the earlier."""

_YEARS = {Split.TRAIN: (1, 3, 5, 7, 9), Split.HELD_OUT: (2, 4, 6, 8)}


def greater_than(n: int, seed: int, split: Split) -> list[Pair]:
    """n different pairs, the same ones for the same seed. Raises ModelError where there are fewer."""
    rng = random_for("greater-than", seed, split)
    cells: list[list[Pair]] = [[], []]
    for cell, late_first in zip(cells, (True, False), strict=True):
        for event, (early, late, end) in product(EVENTS[split], _DECADES):
            lasting, century, year = rng.choice(LASTING[split]), rng.choice((16, 17, 18)), rng.choice(_YEARS[split])
            one, other = (
                (f"The {event} {lasting} from {century}{decade}{year} to {century}", str(answer))
                for decade, answer in ((late, end), (early, early + 1))
            )
            clean, patch = (one, other) if late_first else (other, one)
            cell.append(Pair(clean[0], patch[0], clean[1], patch[1]))
    return in_turn(n, rng, "greater-than", split, cells)
