"""What clusters are called: the tokens that their members promote, and those of other clusters do not."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

_TOKENS = 4


def names(members: Sequence[Sequence[int]], tokens: Sequence[Sequence[str]]) -> list[str]:
    """A name for each cluster, as `are were themselves`.

    A token weighs by its ranks among its members' top tokens, Σ 1 / rank, and the less the more clusters have it
    (tf–idf). members: features of each cluster. tokens: top tokens of each feature, strongest first.
    """
    shown: dict[str, str] = {}
    weights: list[dict[str, float]] = []
    for cluster in members:
        weight: dict[str, float] = defaultdict(float)
        for feature in cluster:
            for rank, token in enumerate(tokens[feature], 1):
                if word := _word(token):
                    weight[shown.setdefault(word.lower(), word)] += 1 / rank / len(cluster)
        weights.append(weight)
    clusters_with = Counter(word for weight in weights for word in weight)
    found = []
    for weight in weights:
        rarity = {word: w * math.log((1 + len(members)) / clusters_with[word]) for word, w in weight.items()}
        found.append(" ".join(sorted(rarity, key=lambda word: (-rarity[word], word))[:_TOKENS]) or "no tokens")
    return found


def _word(token: str) -> str:
    """A token as it can stand in a name; empty where nothing of it can be shown."""
    word = token.strip()
    return word if word.isprintable() and "\ufffd" not in word else ""
