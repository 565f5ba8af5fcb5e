"""Subject–verb agreement: pairs of our own, from documented templates.

    simple      "The keys"                        → " are"    against   "The key"                        → " is"
    across_pp   "The keys near the cabinet"       → " are"    against   "The key near the cabinet"       → " is"
    within_rc   "The key that the farmers"        → " have"   against   "The key that the farmer"        → " has"
    across_rc   "The keys that the farmer knows"  → " are"    against   "The key that the farmer knows"  → " is"

The four structures are those of Marks et al. 2024, Sparse Feature Circuits, section 3.2 (there from Finlayson et al.
2021). Clean and patch differ in nothing but the number of the noun that the verb agrees with, the *subject*; within a
relative clause that is the clause's own. The other noun, if there is one, is the *distractor*. Half of the pairs are
plural on the clean side, half of either half have a plural distractor, and each verb to predict comes equally often.
The words are in `words`.
"""

from collections.abc import Sequence
from itertools import product

from ingest.tasks.pairs import Pair
from ingest.tasks.turns import in_turn, random_for
from ingest.tasks.words import (
    CLAUSE_VERBS,
    DISTRACTORS,
    PEOPLE,
    PREPOSITIONS,
    SUBJECTS,
    VERBS,
    Split,
    plural,
)

SIMPLE_POSITIONS = ("The", "subject")
ACROSS_PP_POSITIONS = ("The", "subject", "preposition", "the", "distractor")
WITHIN_RC_POSITIONS = ("The", "distractor", "that", "the", "subject")
ACROSS_RC_POSITIONS = ("The", "subject", "that", "the", "distractor", "verb")


def simple(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The keys" against "The key"; see `_take` for the arguments."""
    return _take(n, seed, split, "agreement-simple", SUBJECTS[split], [["The {}"]])


def across_pp(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The keys near the cabinet" against "The key near the cabinet"; see `_take` for the arguments."""
    frames = [
        [f"The {{}} {word} the {noun}" for word, noun in product(PREPOSITIONS, nouns)]
        for nouns in _by_number(DISTRACTORS[split])
    ]
    return _take(n, seed, split, "agreement-across-pp", SUBJECTS[split], frames)


def within_rc(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The key that the farmers" against "The key that the farmer"; see `_take` for the arguments."""
    frames = [[f"The {noun} that the {{}}" for noun in nouns] for nouns in _by_number(SUBJECTS[split])]
    return _take(n, seed, split, "agreement-within-rc", PEOPLE[split], frames)


def across_rc(n: int, seed: int, split: Split) -> list[Pair]:
    """Pairs such as "The keys that the farmer knows" against "The key that the farmer knows".

    The clause's verb agrees with its own subject, the distractor. See `_take` for the arguments.
    """
    verbs = zip(*CLAUSE_VERBS[split], strict=True)
    frames = [
        [f"The {{}} that the {noun} {verb}" for noun, verb in product(nouns, forms)]
        for nouns, forms in zip(_by_number(PEOPLE[split]), reversed([*verbs]), strict=True)
    ]
    return _take(n, seed, split, "agreement-across-rc", SUBJECTS[split], frames)


def _by_number(nouns: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    return nouns, [plural(noun) for noun in nouns]


def _take(
    n: int, seed: int, split: Split, name: str, subjects: Sequence[str], frames: Sequence[Sequence[str]]
) -> list[Pair]:
    """n different pairs, the same ones for the same seed; the first k of them are as balanced as k allows.

    frames: prompts with {} for the subject, one list for each number of the distractor. A frame is not filled with a
    noun that it has already.
    Raises ModelError where there are fewer than n different pairs.
    """
    cells = [
        [
            _pair(noun, frame, verbs, plural_first)
            for noun, frame in product(subjects, some)
            if not {noun, plural(noun)} & set(frame.split())
        ]
        for verbs, some, plural_first in product(VERBS, frames, (True, False))
    ]
    return in_turn(n, random_for(name, seed, split), name, split, cells)


def _pair(noun: str, frame: str, verbs: tuple[str, str], plural_first: bool) -> Pair:
    many, one = (frame.format(plural(noun)), f" {verbs[0]}"), (frame.format(noun), f" {verbs[1]}")
    clean, patch = (many, one) if plural_first else (one, many)
    return Pair(clean[0], patch[0], clean[1], patch[1])
