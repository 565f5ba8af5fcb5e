"""What a feature's activity looks like to a reader: contexts with the token marked, and a short label.

Knows nothing of how activations were found.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

_SHARE = 0.25
"""A token is named in a label where so much of the strongest contexts is of it."""
_NAMED = 2
"""Tokens that a label names of each kind."""
_BROKEN = "\ufffd"  # what a tokenizer writes for a part of a character


def context(tokenizer: Any, tokens: Sequence[int], position: int, value: float, before: int, after: int) -> str:
    """The text around a token, with the token marked and its activation in front: `[12.3] near the «keys» on`.

    tokens: of the whole context; its first is a start token, which is not shown.
    """
    start, stop = max(1, position - before), position + after + 1
    left = tokenizer.decode(tokens[start:position]).rstrip(_BROKEN)
    through = tokenizer.decode(tokens[start : position + 1])
    whole = tokenizer.decode(tokens[start:stop])
    token, right = through.removeprefix(left), whole.removeprefix(through).rstrip(_BROKEN)
    space = token[: len(token) - len(token.lstrip(" "))] if token.strip(" ") else ""
    return f"[{value:.3g}] {left.lstrip(_BROKEN)}{space}«{token.removeprefix(space)}»{right}"


def label(active_on: Sequence[str], promoted: Sequence[str]) -> str:
    """A short description of a feature: `on " keys" " key", promotes " are" " were"`.

    active_on: the token of each of its strongest contexts. promoted: tokens, strongest first.
    """
    same: dict[str, str] = {}  # tokens that differ in case and space only are one to a reader
    counts = Counter(same.setdefault(_key(token), token) for token in active_on)
    common = [token for token, count in counts.most_common(_NAMED) if count >= _SHARE * len(active_on)]
    on = f"on {_quoted(common)}" if common else "on various tokens" if active_on else "never active"
    distinct = list({_key(token): token for token in reversed(promoted)}.values())[::-1]
    return f"{on}, promotes {_quoted(distinct[:_NAMED])}"


def _key(token: str) -> str:
    return token.strip().lower() or token


def _quoted(tokens: Sequence[str]) -> str:
    return " ".join(f'"{"".join(c if c.isprintable() else repr(c)[1:-1] for c in token)}"' for token in tokens)
