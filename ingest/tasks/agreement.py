"""Subject–verb agreement: pairs of our own, from documented templates.

    simple      "The keys"                    → " are"   against   "The key"                    → " is"
    across_pp   "The keys near the cabinet"   → " are"   against   "The key near the cabinet"   → " is"

Clean and patch differ in nothing but the subject's number. Half of the pairs are plural on the clean side; across a
prepositional phrase, half of either half have a plural distractor; each verb comes equally often. The words are in
`words`.
"""

import random
from collections.abc import Iterable
from itertools import islice, product

from ingest.tasks.pairs import Pair
from ingest.tasks.words import DISTRACTORS, PREPOSITIONS, SUBJECTS, VERBS, Split, plural
from store.errors import ModelError

SIMPLE_POSITIONS = ("The", "subject")
ACROSS_PP_POSITIONS = ("The", "subject", "preposition", "the", "distractor")


def simple(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The keys" against "The key"; see `_take` for the arguments."""
    return _take(n, seed, split, "agreement-simple", [[""]])


def across_pp(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The keys near the cabinet" against "The key near the cabinet"; see `_take` for the arguments."""
    by_number = [DISTRACTORS[split], [plural(noun) for noun in DISTRACTORS[split]]]
    tails = [[f" {word} the {noun}" for word, noun in product(PREPOSITIONS, nouns)] for nouns in by_number]
    return _take(n, seed, split, "agreement-across-pp", tails)


def _take(n: int, seed: int, split: Split, name: str, tails: Iterable[Iterable[str]]) -> list[Pair]:
    """n different pairs, the same ones for the same seed; the first k of them are as balanced as k allows.

    tails: what follows the subject, one list for each number of the distractor.
    Raises ModelError where there are fewer than n different pairs.
    """
    rng = random.Random(f"{name} {split} {seed}")
    cells = [
        [_pair(subject, tail, verbs, plural_first) for subject, tail in product(SUBJECTS[split], ends)]
        for verbs, ends, plural_first in product(VERBS, tails, (True, False))
    ]
    for cell in cells:
        rng.shuffle(cell)
    available = sum(map(len, cells))
    if not 0 < n <= available:
        raise ModelError(f"{name}: {n} pairs asked for, and its {split} split has 1 to {available}")
    turns = (pair for turn in zip(*cells, strict=True) for pair in turn)
    return list(islice(turns, n))


def _pair(noun: str, tail: str, verbs: tuple[str, str], plural_first: bool) -> Pair:
    many, one = (f"The {plural(noun)}{tail}", f" {verbs[0]}"), (f"The {noun}{tail}", f" {verbs[1]}")
    clean, patch = (many, one) if plural_first else (one, many)
    return Pair(clean[0], patch[0], clean[1], patch[1])
