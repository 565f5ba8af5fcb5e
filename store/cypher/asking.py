"""Asks free Cypher of a store, in processes that it starts, keeps and ends. See `store.cypher.process`."""

import json
import os
import queue
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from store import errors
from store.cancel import stopped_by
from store.children import environment
from store.cypher.answer import Limits
from store.cypher.process import GRACE
from store.cypher.statement import parse
from store.database import Rows
from store.errors import CircuitstoreError, LimitError, StoreError
from store.schema import TABLES
from store.settings import StoreSettings, read_settings
from store.values import plain_ladybug

PROGRAM = "store.cypher.process"
PATIENCE = 30.0
"""Seconds in which a process must have opened its database."""
_UNKNOWN = re.compile(r"(Table|property) (\w+) (?:does not exist|for )")


class FreeCypher:
    """Free Cypher for the store of a URL. `ask` may be called from several threads."""

    def __init__(self, url: str, *, at_once: int, memory: int, settings: StoreSettings | None = None) -> None:
        """at_once: questions, and processes. memory: of each process, in bytes."""
        scheme, _, path = url.partition(":")
        settings = settings or read_settings()
        self._file = Path(path).expanduser() if scheme.lower() == "ladybug" else None
        self._told = {
            "ladybug": str(self._file) if self._file else None,
            "neo4j": {
                "url": url,
                "user": settings.neo4j_user,
                "password": settings.neo4j_password.get_secret_value(),
                "database": settings.neo4j_database,
            },
            "memory": memory,
            "patience": PATIENCE,
        }
        self._at_once = at_once
        self._free: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(at_once):
            self._free.put(None)

    def ask(self, text: str, params: Mapping[str, Any], limits: Limits) -> Rows:
        """Raises QueryError for what is refused, LimitError for what takes too much or comes when all are asking."""
        parse(text)
        question = json.dumps({"text": text, "params": dict(params), **vars(limits)}).encode() + b"\n"
        try:
            process = self._free.get_nowait()
        except queue.Empty:
            raise LimitError(f"{self._at_once} statements are being asked already: try again") from None
        try:
            stamp = _stamp(self._file)
            if process is not None and (process.stamp != stamp or not process.alive):
                process.end()
                process = None
            if process is None:
                process = _Process(self._told, stamp)
            with stopped_by(process.end):
                answer = process.ask(question, limits)
        finally:
            self._free.put(process)
        return Rows(answer["columns"], [[plain_ladybug(v) for v in row] for row in answer["rows"]], answer["truncated"])

    def close(self) -> None:
        """Ends the processes that nobody asks at the moment; the others end with this process."""
        while True:
            try:
                process = self._free.get_nowait()
            except queue.Empty:
                return
            if process is not None:
                process.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class _Process:
    """One process, which opens its database when it is first asked."""

    def __init__(self, told: Mapping[str, Any], stamp: object) -> None:
        """told: of the database. stamp: the state of its file."""
        self.stamp = stamp
        self._told = told
        self._is_open = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the service, which ends them
            bufsize=0,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: bytes, limits: Limits) -> dict[str, Any]:
        if not self._is_open:
            try:
                self._exchange(json.dumps(self._told).encode() + b"\n", PATIENCE + GRACE, 2**16)
            except CircuitstoreError:
                self.end()
                raise
            self._is_open = True
        try:
            # What a character may take in JSON, and a head.
            answer = self._exchange(question, limits.timeout + 2 * GRACE, limits.bytes + 2**20)
        except LimitError:
            self.end()  # it may hold what did not fit
            raise
        except _Ended:
            if self._process.wait() in (-signal.SIGALRM, -signal.SIGKILL):
                raise LimitError(f"the query took longer than {limits.timeout:g} s: ask for less") from None
            raise LimitError("the query ended the process that asked it: it needs more memory, or nests deeper, than "
                             "it may") from None  # fmt: skip
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()

    def _exchange(self, line: bytes, patience: float, most: int) -> dict[str, Any]:
        """Raises what the process says, and _Ended where it ended or was silent for too long."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(line)
        except (OSError, ValueError):
            raise _Ended from None
        until = time.monotonic() + patience
        parts: list[bytes] = []
        size = 0
        while not parts or not parts[-1].endswith(b"\n"):
            try:
                ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
                part = os.read(self._process.stdout.fileno(), 2**20) if ready else b""
            except (OSError, ValueError):
                part = b""
            size += len(part)
            if size > most:
                raise LimitError(f"the answer has more than {most} bytes: return less")
            if not part:
                if time.monotonic() >= until:
                    self._process.kill()
                raise _Ended
            parts.append(part)
        answer: dict[str, Any] = json.loads(b"".join(parts))
        if "error" in answer:
            kind: type[CircuitstoreError] = getattr(errors, answer["error"])
            raise kind(answer["said"] + _hint(answer["said"]))
        return answer


class _Ended(StoreError):
    def __init__(self) -> None:
        super().__init__("the process that asks free Cypher could not be started")


def _hint(said: str) -> str:
    """The nearest names of the schema, where LadybugDB does not know one."""
    unknown = _UNKNOWN.search(said)
    if unknown is None:
        return ""
    of = TABLES.values()
    names = {one.type for one in of} if unknown[1] == "Table" else {c.name for one in of for c in one.properties}
    near = get_close_matches(unknown[2], sorted(names))
    return f" Did you mean {' or '.join(near)}?" if near else " docs/schema.md has all that there are."


def _stamp(file: Path | None) -> object:
    """Changes when another file takes the name."""
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
