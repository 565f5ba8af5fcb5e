"""Uids: readable, stable, made from meaning. Knows nothing of bundles or databases."""

import hashlib
import json
import re
import unicodedata

_OTHER = re.compile(r"[^A-Za-z0-9._:-]+")


def slug(text: str) -> str:
    """The text in lower case, in the characters that uids may have; accents fall away, the rest becomes '-'."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-:.") or "unnamed"


def short_hash(content: object) -> str:
    """content: what JSON can hold."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]


def prompt_uid(text: str, tokens: list[str]) -> str:
    """The same for everyone whose model cuts the text into the same tokens."""
    return f"prompt:{slug(text)[:80]}:{short_hash(tokens)}"


def dictionary_uid(model: str, hook: str) -> str:
    """model: the model's uid. hook: the dictionary's hook, as `blocks.13.hook_resid_post`."""
    return f"{model}:{hook}"


def feature_uid(dictionary: str, index: int) -> str:
    """dictionary: the dictionary's uid. index: the latent's row in the decoder."""
    return f"{dictionary}:{index}"


def circuit_uid(name: str, model: str, content: str) -> str:
    """name: the task's or prompt's. model: the model's uid. content: hexadecimal hash of the circuit's content."""
    return f"{slug(name)}:{model}:{content[:8]}"


def circuit_node_uid(
    circuit: str, kind: str, layer: int | None = None, index: int | None = None, position: int | None = None
) -> str:
    """circuit: the circuit's uid. What a kind of node doesn't have is None and left out at the end, '_' inside."""
    parts = ["_" if part is None else str(part) for part in (layer, index, position)]
    while parts and parts[-1] == "_":
        parts.pop()
    return ":".join([circuit, kind, *parts])
