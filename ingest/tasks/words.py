"""The words that the tasks are made of.

Each is one token, with the space before it, in the tokenizers of SmolLM2 and of GPT-2, in every form that is used. No
word of a train list stands in a held-out list, of whatever kind: what is measured on held-out pairs was never seen by
attribution, in any role. Only function words and the verbs to predict (are, is, …) are the same in both.
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

PEOPLE = {
    Split.TRAIN: (
        "author farmer student boy guest player artist writer parent soldier engineer officer visitor leader customer "
        "singer brother daughter judge poet mother pilot dancer hunter queen knight"
    ).split(),
    Split.HELD_OUT: (
        "teacher doctor girl friend worker scientist actor king driver lawyer patient expert neighbor manager "
        "president sister son nurse prisoner father professor captain chef athlete musician priest"
    ).split(),
}
"""Those of the subjects who know, like and see others."""

CLAUSE_VERBS = {
    Split.TRAIN: (("know", "knows"), ("see", "sees")),
    Split.HELD_OUT: (("like", "likes"), ("love", "loves")),
}
"""Plural and singular, of relative clauses."""

PREPOSITIONS = ("near", "behind", "beside", "by", "above", "under")

VERBS = (("are", "is"), ("were", "was"), ("have", "has"))
"""Plural and singular."""

MEN = {
    Split.TRAIN: (
        "James Robert William Richard Thomas Daniel Anthony Steven Andrew Kevin George Edward Jason Ryan Nicholas "
        "Jonathan Larry Scott Samuel Gregory Patrick Dennis Henry Nathan Walter Roger Philip Luke Oliver Simon"
    ).split(),
    Split.HELD_OUT: (
        "John Michael David Joseph Charles Matthew Paul Brian Timothy Jeffrey Jacob Eric Stephen Justin Benjamin "
        "Alexander Jack Jerry Adam Peter Arthur Albert Bruce Alan Louis Victor Harry Martin Carl Keith"
    ).split(),
}

WOMEN = {
    Split.TRAIN: (
        "Mary Linda Susan Sarah Nancy Margaret Sandra Emily Carol Melissa Stephanie Laura Kathleen Angela Anna Nicole "
        "Katherine Christine Catherine Rachel Maria Diane Joyce Christina Olivia Julia Alice Jane Lucy Sophie"
    ).split(),
    Split.HELD_OUT: (
        "Patricia Jennifer Elizabeth Barbara Jessica Karen Lisa Betty Ashley Dorothy Michelle Amanda Deborah Rebecca "
        "Sharon Amy Helen Ruth Samantha Emma Janet Heather Julie Victoria Joan Hannah Martha Teresa Ann Claire"
    ).split(),
}

PLACES = {
    Split.TRAIN: "school garden store hotel farm library theater castle village river".split(),
    Split.HELD_OUT: "church hospital park office station museum market beach temple lake".split(),
}

THINGS = {
    Split.TRAIN: "key book picture box cup lamp map card plane clock".split(),
    Split.HELD_OUT: "letter ball flower bottle coin toy bag painting poster stone".split(),
}

GOING = {Split.TRAIN: ("went", "walked"), Split.HELD_OUT: ("came", "drove")}

GIVING = {Split.TRAIN: ("gave", "sent"), Split.HELD_OUT: ("handed", "offered")}

LOSING = {Split.TRAIN: ("lost", "found"), Split.HELD_OUT: ("kept", "bought")}

WORKS = {
    Split.TRAIN: "movie song book picture speech".split(),
    Split.HELD_OUT: "show story film play concert".split(),
}

GOOD = {
    Split.TRAIN: "wonderful great beautiful excellent brilliant lovely".split(),
    Split.HELD_OUT: "amazing fantastic perfect good superb delightful".split(),
}

BAD = {
    Split.TRAIN: "terrible bad horrible poor dull weak".split(),
    Split.HELD_OUT: "awful boring dreadful ugly miserable stupid".split(),
}

EVENTS = {
    Split.TRAIN: "war siege reign trial journey project rebellion dispute".split(),
    Split.HELD_OUT: "conflict campaign struggle program revolution marriage crisis dynasty".split(),
}

LASTING = {Split.TRAIN: ("lasted", "ran"), Split.HELD_OUT: ("continued", "extended")}

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
