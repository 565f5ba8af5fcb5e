"""Sets pairs aside that attribution never sees."""

import random
from collections.abc import Callable, Hashable, Sequence

from ingest.tasks.pairs import Pair


def held_out_split(pairs: Sequence[Pair], share: float = 0.5, seed: int = 0) -> tuple[list[Pair], list[Pair]]:
    """Split pairs into (train, held-out), held-out being about `share` of them.

    Pairs that have a changed word in common (a word of only one of the two prompts: "keys", "key") stay on one side,
    so a held-out pair turns on words that attribution never saw turn anything. Where that would leave a side empty,
    as when every pair changes the same word, only equal prompts are kept together.
    """
    for groups in (_groups(pairs, _changed_words), _groups(pairs, _prompts)):
        if len(groups) > 1:
            return _divide(groups, share, seed)
    return list(pairs), []


def _changed_words(pair: Pair) -> frozenset[str]:
    clean, patch = pair.clean_prefix.lower().split(), pair.patch_prefix.lower().split()
    return frozenset(set(clean) ^ set(patch))


def _prompts(pair: Pair) -> frozenset[str]:
    return frozenset({pair.clean_prefix, pair.patch_prefix})


def _groups(pairs: Sequence[Pair], marks: Callable[[Pair], frozenset[str]]) -> list[list[Pair]]:
    """Pairs that share a mark, directly or through others, in one group; groups in the order of their first pair."""
    parent: dict[Hashable, Hashable] = {}

    def root(of: Hashable) -> Hashable:
        while parent.setdefault(of, of) != of:
            parent[of] = parent[parent[of]]
            of = parent[of]
        return of

    for number, pair in enumerate(pairs):
        for mark in marks(pair):
            parent[root(mark)] = root(number)
    groups: dict[Hashable, list[Pair]] = {}
    for number, pair in enumerate(pairs):
        groups.setdefault(root(number), []).append(pair)
    return list(groups.values())


def _divide(groups: list[list[Pair]], share: float, seed: int) -> tuple[list[Pair], list[Pair]]:
    random.Random(seed).shuffle(groups)
    wanted = share * sum(map(len, groups))
    held_out = [groups[0]]
    for group in groups[1:-1]:
        if sum(map(len, held_out)) + len(group) / 2 < wanted:
            held_out.append(group)
    train = [group for group in groups if not any(group is other for other in held_out)]
    return [pair for group in train for pair in group], [pair for group in held_out for pair in group]
