"""The words that the agreement tasks are made of.

Each is one token, with the space before it, in the tokenizers of SmolLM2 and of GPT-2: the singular, the plural,
the verbs and the prepositions. No noun stands in two of the four lists, so what is measured on held-out pairs was
never seen by attribution, neither as a subject nor as a distractor.
"""

from enum import StrEnum


class Split(StrEnum):
    """Attribution sees the one, faithfulness is measured on the other."""

    TRAIN = "train"
    HELD_OUT = "held-out"


SUBJECTS = {
    Split.TRAIN: (
        "key author farmer student boy dog bird book picture guest player artist writer parent soldier engineer "
        "officer visitor leader customer singer cow box cup plane clock brother daughter judge poet wolf elephant "
        "dolphin mother pilot dancer hunter boat map lamp card machine truck knight queen"
    ).split(),
    Split.HELD_OUT: (
        "teacher doctor girl cat horse letter car friend worker scientist actor king driver lawyer patient expert "
        "neighbor manager president bear bag ball toy ship coin flower painting sister son nurse prisoner rabbit "
        "lion monkey whale snake father professor captain chef athlete musician poster bottle stone bike priest"
    ).split(),
}

DISTRACTORS = {
    Split.TRAIN: (
        "cabinet house window river bridge building school garden field hotel store farm mountain castle bed shop "
        "gate street library theater valley stream village pool kitchen mirror tent column stair train"
    ).split(),
    Split.HELD_OUT: (
        "table door road lake wall church hospital tree park office station forest tower desk chair fence temple "
        "market museum hill pond beach town city statue bedroom curtain cave roof bus"
    ).split(),
}

PREPOSITIONS = ("near", "behind", "beside", "by", "above", "under")

VERBS = (("are", "is"), ("were", "was"), ("have", "has"))
"""Plural and singular."""

_IRREGULAR = {
    "beach": "beaches",
    "box": "boxes",
    "bus": "buses",
    "church": "churches",
    "city": "cities",
    "library": "libraries",
    "wolf": "wolves",
}


def plural(noun: str) -> str:
    return _IRREGULAR.get(noun, f"{noun}s")
