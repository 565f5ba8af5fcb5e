"""What a feature's activity looks like to a reader: contexts with the token marked, and a short label.

Knows nothing of how activations were found.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_SHARE = 0.25
"""A token is named in a label where so much of the strongest contexts is of it."""
_NAMED = 2
"""Tokens that a label names of each kind."""
_BROKEN = "\ufffd"  # what a tokenizer writes for a part of a character


@dataclass(frozen=True)
class Text:
    """A context as text, without its start token. begins: where in it each token begins; at last, where it ends."""

    text: str
    begins: Sequence[int]

    @classmethod
    def of(cls, tokenizer: Any, tokens: Sequence[int]) -> "Text":
        """A token of which a character is only begun begins where that character does."""
        whole = tokenizer.decode(tokens[1:])
        ends = [len(tokenizer.decode(tokens[1:n]).rstrip(_BROKEN)) for n in range(1, len(tokens))]
        return cls(whole, [0, *(min(end, len(whole)) for end in ends), len(whole)])

    def token(self, position: int) -> tuple[int, int]:
        """Where the token stands: with the whole of a character of which it is a part."""
        start = self.begins[position]
        return start, next((end for end in self.begins[position + 1 :] if end > start), len(self.text))

    def around(self, position: int, before: int, after: int) -> str:
        """The text around a token, with the token marked: `near the «keys» on`."""
        start, stop = self.token(position)
        token = self.text[start:stop]
        start += len(token) - len(token.lstrip(" ")) if token.strip(" ") else 0  # its space stays outside
        first, last = (
            self.begins[max(1, position - before)],
            self.begins[min(position + after + 1, len(self.begins) - 1)],
        )
        return f"{self.text[first:start]}«{self.text[start:stop]}»{self.text[stop : max(stop, last)]}"


def label(active_on: Sequence[str], promoted: Sequence[str]) -> str:
    """A short description of a feature: `on " keys" " key", promotes " are" " were"`.

    active_on: the token of each of its strongest contexts. promoted: tokens, strongest first.
    """
    distinct = _distinct(active_on)
    counts = Counter(distinct[_key(token)] for token in active_on)
    common = [token for token, count in counts.most_common(_NAMED) if count >= _SHARE * len(active_on)]
    if common:
        on = f"on {_quoted(common)}"
    elif distinct:
        on = f"on tokens such as {_quoted(distinct.values())}"
    else:
        on = "never active"
    return f"{on}, promotes {_quoted(_distinct(promoted).values())}"


def _distinct(tokens: Sequence[str]) -> dict[str, str]:
    """The first of those that differ in case and space only: they are one to a reader."""
    first: dict[str, str] = {}
    for token in tokens:
        first.setdefault(_key(token), token)
    return first


def _key(token: str) -> str:
    return token.strip().lower() or token


def _quoted(tokens: Iterable[str]) -> str:
    """The first few, with what can't be seen written out."""
    shown = ("".join(c if c.isprintable() else repr(c)[1:-1] for c in token) for token in islice(tokens, _NAMED))
    return " ".join(f'"{token}"' for token in shown)
