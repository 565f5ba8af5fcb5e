"""Turns pairs into tensors: token for token aligned, clean against patch and pair against pair.

Attribution compares what stands at one position, so pairs of another length are left out, and counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ingest.tasks.pairs import Pair
from store.errors import ModelError

START = "start"
"""The name of the position that the start token takes. It is an attention sink: keep it out of every circuit."""

NOT_ONE_TOKEN = "an answer is not one token"
SAME_ANSWER = "both answers are the same"
SAME_PROMPT = "both prompts are the same"
REPEATED = "the same pair stands before it"
UNEQUAL = "clean and patch differ in their number of tokens"
ANOTHER_LENGTH = "longer or shorter than most of the pairs"


class Tokenizer(Protocol):
    """The part of a Hugging Face tokenizer that is needed here."""

    def encode(self, text: str, *, add_special_tokens: bool = ...) -> list[int]: ...

    def decode(self, token_ids: list[int]) -> str: ...


@dataclass(frozen=True)
class Aligned:
    """Pairs as tensors of int64. `pairs` are those that were kept, in their order; `dropped` counts the others."""

    pairs: list[Pair]
    clean_tokens: Tensor
    """[n, pos]"""
    patch_tokens: Tensor
    """[n, pos]"""
    clean_answers: Tensor
    """[n]"""
    patch_answers: Tensor
    """[n]"""
    position_names: list[str]
    """One name a position. Names may repeat: the number is what tells positions apart."""
    dropped: Counter[str]

    @property
    def n_positions(self) -> int:
        return len(self.position_names)


@dataclass(frozen=True)
class _Tokens:
    pair: Pair
    clean: list[int]
    patch: list[int]
    clean_answer: list[int]
    patch_answer: list[int]


def align(
    pairs: Sequence[Pair],
    tokenizer: Tokenizer,
    start_token: int | None,
    *,
    source: str = "the task",
    position_names: Sequence[str] | None = None,
) -> Aligned:
    """Tokenise pairs and keep those that align: one-token answers, and prompts of the commonest length.

    start_token is put before every prompt (none for None). source names the pairs in an error. position_names are
    used where they are as many as the prompts have tokens, the start token left out; otherwise a position is named by
    its token, where all prompts have the same one there, or else by its number.
    Raises ModelError where nothing is left.
    """
    dropped: Counter[str] = Counter()
    sound: list[_Tokens] = []
    seen: set[Pair] = set()
    for pair in pairs:
        tokens = _tokens(pair, tokenizer)
        reason = REPEATED if pair in seen else _unusable(tokens)
        seen.add(pair)
        if reason:
            dropped[reason] += 1
        else:
            sound.append(tokens)
    length = _commonest([len(one.clean) for one in sound])
    kept = [one for one in sound if len(one.clean) == length]
    if len(kept) < len(sound):
        dropped[ANOTHER_LENGTH] += len(sound) - len(kept)
    if not kept:
        raise ModelError(_nothing_left(source, len(pairs), dropped))
    start = [] if start_token is None else [start_token]
    names = position_names if position_names and len(position_names) == length else _names(kept, tokenizer, len(start))
    return Aligned(
        pairs=[one.pair for one in kept],
        clean_tokens=torch.tensor([start + one.clean for one in kept]),
        patch_tokens=torch.tensor([start + one.patch for one in kept]),
        clean_answers=torch.tensor([one.clean_answer[0] for one in kept]),
        patch_answers=torch.tensor([one.patch_answer[0] for one in kept]),
        position_names=[START] * len(start) + list(names),
        dropped=dropped,
    )


def _tokens(pair: Pair, tokenizer: Tokenizer) -> _Tokens:
    texts = (pair.clean_prefix, pair.patch_prefix, pair.clean_answer, pair.patch_answer)
    return _Tokens(pair, *(tokenizer.encode(text, add_special_tokens=False) for text in texts))


def _unusable(tokens: _Tokens) -> str | None:
    if len(tokens.clean_answer) != 1 or len(tokens.patch_answer) != 1:
        return NOT_ONE_TOKEN
    if tokens.clean_answer == tokens.patch_answer:
        return SAME_ANSWER
    if len(tokens.clean) != len(tokens.patch):
        return UNEQUAL
    return SAME_PROMPT if tokens.clean == tokens.patch else None


def _commonest(lengths: list[int]) -> int:
    """The shortest of the commonest."""
    counts = Counter(lengths)
    return max(sorted(counts), key=counts.__getitem__, default=0)


def _names(kept: list[_Tokens], tokenizer: Tokenizer, offset: int) -> list[str]:
    columns = zip(*(prompt for one in kept for prompt in (one.clean, one.patch)), strict=True)
    return [_name(set(column), number, tokenizer) for number, column in enumerate(columns, start=offset)]


def _name(tokens: set[int], number: int, tokenizer: Tokenizer) -> str:
    text = tokenizer.decode([*tokens]).strip() if len(tokens) == 1 else ""
    return text or str(number)


def _nothing_left(source: str, n: int, dropped: Counter[str]) -> str:
    reasons = "; ".join(f"{reason} ({count})" for reason, count in dropped.most_common())
    return (
        f"{source}: none of the {n} pairs can be used{': ' + reasons if reasons else ''}. Each answer must be one "
        'token (mind its leading space: " are"), and the two prompts of a pair must have equally many'
    )
