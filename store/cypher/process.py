"""The process that asks free Cypher. It reads one JSON document a line, and answers each with one.

A database inside of a process can end it: LadybugDB 0.22 dies of deep nesting, fills any memory while it prepares
`RETURN range(1, 1000000000)`, and keeps no time limit until it has prepared. So the service asks here. This process has
so much memory and no more, ends itself when a question takes too long, and, once the database is open, can open no
further file or connection, nor write a byte into a file (LadybugDB; for Neo4j it needs its connection).
"""

import json
import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from store.cypher.answer import Limits
from store.cypher.statement import parse
from store.errors import CircuitstoreError, LimitError, QueryError, StoreError

GRACE = 1.0
"""Seconds past the time limit in which a database may still end a query by itself."""


def main() -> None:
    questions, answers = _streams()
    settings = json.loads(questions.readline())
    signal.setitimer(signal.ITIMER_REAL, settings["patience"])
    try:
        asker = _open(settings)
    except (CircuitstoreError, RuntimeError, OSError) as error:
        _write(answers, _error("StoreError", str(error).strip()))
        return
    _confine(settings["memory"], files=settings["ladybug"] is not None)
    signal.setitimer(signal.ITIMER_REAL, 0)
    _write(answers, "{}")
    for line in questions:
        _write(answers, _answer(asker, json.loads(line)))


def _streams() -> tuple[IO[str], IO[str]]:
    """Where questions come from and answers go. Whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(0, encoding="utf-8", closefd=False), answers


def _open(settings: Mapping[str, Any]) -> Any:
    if settings["ladybug"] is not None:
        from store.cypher.ladybug import LadybugAsker

        return LadybugAsker(settings["ladybug"], settings["memory"] // 2)
    from store.cypher.neo4j import Neo4jAsker

    return Neo4jAsker(**settings["neo4j"])


def _confine(memory: int, *, files: bool) -> None:
    """memory: bytes beyond what is in use. files: whether to open no file, and write to none, from here on."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():  # Linux; other systems keep to what they take for the limit
        used = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    if files:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        highest = max(int(number) for number in os.listdir("/dev/fd"))
        free = os.open(os.devnull, os.O_RDONLY)
        while free <= highest:  # below the limit, no number may be free
            free = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
        os.close(free)


def _answer(asker: Any, question: Mapping[str, Any]) -> str:
    limits = Limits(question["timeout"], question["rows"], question["bytes"])
    signal.setitimer(signal.ITIMER_REAL, limits.timeout + GRACE)
    try:
        statement, params = parse(question["text"]), question["params"]
        if missing := sorted(statement.parameters() - params.keys()):  # a null to LadybugDB
            raise QueryError(f"no value is given for ${', $'.join(missing)}: {missing[0]}=VALUE behind the text gives "
                             "one on the command line, params beside the text in a request")  # fmt: skip
        columns, rows, truncated = asker.ask(statement, params, limits)
    except (QueryError, LimitError, StoreError) as error:
        return _error(type(error).__name__, str(error))
    except MemoryError:
        return _error("LimitError", "the answer needs more memory than it may have: ask for less")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    head = json.dumps({"columns": columns, "truncated": truncated})
    return f'{head[:-1]}, "rows": [{", ".join(rows)}]}}'


def _error(kind: str, said: str) -> str:
    return json.dumps({"error": kind, "said": said})


def _write(answers: IO[str], document: str) -> None:
    answers.write(document + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
