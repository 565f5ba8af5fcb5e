"""What a prompt pair is, and pairs from JSON Lines. Knows nothing of tokens."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from store.errors import ModelError


@dataclass(frozen=True)
class Pair:
    """Two prompts that differ in one respect, each with the answer that is right for it.

    The answers keep the space they start with: " are", not "are".
    """

    clean_prefix: str
    patch_prefix: str
    clean_answer: str
    patch_answer: str


FIELDS = tuple(field.name for field in fields(Pair))


def read_pairs(path: Path) -> list[Pair]:
    """Read pairs from JSON Lines: one object a line with the four fields of `Pair`; others are ignored.

    Raises ModelError, naming file and line, where a line is no such object, and where there is no line at all.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file of prompt pairs") from None
    except (OSError, UnicodeDecodeError) as reason:
        raise ModelError(f"{path}: can't be read as UTF-8 text: {reason}") from reason
    pairs = [_pair(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]
    if not pairs:
        raise ModelError(f"{path}: holds no prompt pair; a pair is one JSON object a line with {', '.join(FIELDS)}")
    return pairs


def pairs_sha256(pairs: Iterable[Pair]) -> str:
    """A hash of the pairs and their order: the identity of a task's data."""
    text = json.dumps([astuple(pair) for pair in pairs], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _pair(line: str, where: str) -> Pair:
    try:
        given = json.loads(line)
    except json.JSONDecodeError as reason:
        raise ModelError(f"{where}: not JSON ({reason.msg}, column {reason.colno}); each line is one object") from None
    if not isinstance(given, dict):
        raise ModelError(f"{where}: not a JSON object; each line is one object with {', '.join(FIELDS)}")
    for name in FIELDS:
        if name not in given:
            raise ModelError(f'{where}: the field "{name}" is missing; a pair has {", ".join(FIELDS)}')
        if not isinstance(given[name], str) or not given[name].strip():
            raise ModelError(f'{where}: the field "{name}" must be text that is not blank, not {given[name]!r}')
    return Pair(**{name: given[name] for name in FIELDS})
