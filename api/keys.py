"""API keys, in a file that holds only their hashes.

A key is 256 random bits, so one SHA-256 is as good a hash as a slow one: there is nothing to guess. It carries its id
in front, by which it is listed and revoked. Knows nothing of HTTP.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, ValidationError

from store.disk import put
from store.errors import NotFoundError, UsageError

_PREFIX = "cs"


class Scope(StrEnum):
    """What a key may be used for."""

    read = "read"
    write = "write"
    cypher = "cypher"


class Key(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    scopes: frozenset[Scope]
    sha256: str
    created_at: datetime


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[Key] = []


class Keys:
    """The keys of a file, which others may change meanwhile: it is read anew when it has."""

    def __init__(self, path: Path | None = None) -> None:
        """path: else `keys.json` in the user's folder for configuration."""
        self.path = path or user_config_path("circuitstore") / "keys.json"
        self._stamp: object = None
        self._keys: dict[str, Key] = {}

    def all(self) -> list[Key]:
        """Raises UsageError for a file that can't be read, or that others may."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._keys = None, {}
            return []
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)
        if stamp != self._stamp:
            if found.st_mode & 0o077:
                raise UsageError(f"{self.path} may be read by others: chmod 600 {self.path}")
            try:
                read = _File.model_validate_json(self.path.read_bytes()).keys
            except ValidationError:  # whose message would quote the file
                raise UsageError(f"{self.path} holds no keys that can be read: remove it, and make them anew") from None
            self._stamp, self._keys = stamp, {key.id: key for key in read}
        return list(self._keys.values())

    def find(self, secret: str) -> Key | None:
        """The key that this is."""
        self.all()
        key = self._keys.get(secret.split("_", 2)[1] if secret.count("_") >= 2 else "")
        return key if key and hmac.compare_digest(key.sha256, _hash(secret)) else None

    def add(self, name: str, scopes: Iterable[str]) -> tuple[Key, str]:
        """A new key, and its secret, which is nowhere else. Raises UsageError for a name that is taken."""
        there = self.all()
        if any(key.name == name for key in there):
            raise UsageError(f"a key named {name!r} is there already: name this one otherwise, or revoke that one")
        ids = {key.id for key in there}
        id = next(id for id in iter(lambda: secrets.token_hex(4), None) if id not in ids)
        secret = f"{_PREFIX}_{id}_{secrets.token_urlsafe(32)}"
        now = datetime.now(UTC).replace(microsecond=0)
        key = Key(id=id, name=name, scopes=frozenset(map(Scope, scopes)), sha256=_hash(secret), created_at=now)
        self._write([*there, key])
        return key, secret

    def revoke(self, id: str) -> Key:
        """Raises NotFoundError."""
        there = self.all()
        for key in there:
            if id in (key.id, key.name):
                self._write([other for other in there if other != key])
                return key
        raise NotFoundError(f"no key has the id or name {id!r}; `circuitstore keys list` shows those there are")

    def _write(self, keys: list[Key]) -> None:
        text = _File(keys=keys).model_dump_json(indent=2)

        def write(path: Path) -> None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")

        put(self.path, write)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
