"""Reading statements for LadybugDB. Runs in a process of its own: see `store.cypher.process`.

LadybugDB 0.22 says that a statement writes by refusing to prepare it on a database that is open to be read only, and
refuses to prepare more than one. What changes no data it lets through all the same (COPY TO, CHECKPOINT, INSTALL, USE
…): so the plan's operators must all be known to read. What it reads while it prepares is refused before.
"""

import datetime  # noqa: F401  (LadybugDB asks for these three when it can't open their files any more)
import decimal  # noqa: F401
import itertools
import re
import uuid  # noqa: F401
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ladybug

from store.cypher.answer import Limits, collect
from store.cypher.statement import Statement
from store.errors import LimitError, QueryError, StoreError

FUNCTIONS = frozenset(
    "catalog_version db_version show_connection show_functions show_indexes show_tables table_info".split()
)
"""What CALL may call. Others read files, or end the process even while they are prepared (READ_PARQUET does)."""

OPERATORS = frozenset(
    """
    ACCUMULATE AGGREGATE COUNT_REL_TABLE CROSS_PRODUCT DISTINCT DUMMY_SCAN EMPTY_RESULT EXPRESSIONS_SCAN EXTEND FILTER
    FLATTEN HASH_JOIN INTERSECT LIMIT MULTIPLICITY_REDUCER NODE_LABEL_FILTER ORDER_BY PATH_PROPERTY_PROBE PROJECTION
    QUERY_PRIMARY_KEY_LOOKUP RECURSIVE_EXTEND SCAN_NODE_TABLE SEMI_MASKER TABLE_FUNCTION_CALL UNION_ALL UNWIND
    """.split()
)
"""Those that reading statements were seen to have."""

_QUOTES = re.compile(r'\n"|\nExpected: ')
"""Behind it a message has the statement's line with a caret below, or all that a function takes: lines on end."""

_REFUSED_AS_ASKED = re.compile(
    r"(Parser|Binder|Catalog|Conversion|Overflow|Runtime|Not implemented|Function)\w*.* exception",
    re.IGNORECASE,
)


class LadybugAsker:
    """A database file, open to be read. One statement at a time."""

    def __init__(self, path: str, pool: int) -> None:
        """pool: largest buffer pool, in bytes."""
        size = max(2**30, pool, 2 * Path(path).stat().st_size)
        # What it may grow to is address space from the start, which the limit on memory counts.
        room = 1 << (size - 1).bit_length()
        self._database = ladybug.Database(path, read_only=True, buffer_pool_size=pool, max_db_size=room)
        self._connection = ladybug.Connection(self._database)

    def ask(self, statement: Statement, params: Mapping[str, Any], limits: Limits) -> tuple[list[str], list[str], bool]:
        """Columns, rows as JSON texts, and whether some were left off. Raises QueryError, LimitError, StoreError."""
        for call in statement.calls():
            if call.procedure and call.name not in FUNCTIONS:
                raise QueryError(f"CALL {call.name or '{ … }'} is refused: free Cypher may call "
                                 f"{', '.join(sorted(FUNCTIONS))}")  # fmt: skip
        try:
            return self._ask(statement.text, dict(params), limits)
        except RuntimeError as error:
            raise _in_our_words(str(error).strip(), limits) from None
        except UnicodeDecodeError:
            raise QueryError(
                "LadybugDB answered with text that is not of UTF-8: its trim, ltrim and rtrim do that where "
                "12 bytes are left; use regexp_replace instead"
            ) from None
        except TypeError as error:  # a map with lists for keys, which no dict can be
            raise QueryError(f"a value of the answer can't be sent ({error}): return something simpler") from None

    def _ask(self, text: str, params: dict[str, Any], limits: Limits) -> tuple[list[str], list[str], bool]:
        self._connection.set_query_timeout(max(1, round(limits.timeout * 1000)))
        self._require_one_that_reads(text, params)
        result = self._connection.execute(text, params)
        assert not isinstance(result, list)
        with result:
            rows, truncated = collect(_rows(result), limits)
            return result.get_column_names(), rows, truncated

    def _require_one_that_reads(self, text: str, params: dict[str, Any]) -> None:
        """Raises RuntimeError for more than one statement and for one that writes, QueryError for another effect."""
        prepared = self._connection._connection.prepare(text, params)
        if not prepared.is_success():
            raise RuntimeError(prepared.get_error_message())
        with self._connection.execute(f"EXPLAIN LOGICAL {text}", params) as result:  # type: ignore[union-attr]
            row = result.get_next()
        found = operators(str(row[0] if isinstance(row, list) else ""))
        if not found or not found <= OPERATORS:
            named = ", ".join(sorted(found - OPERATORS)) or "nothing that is known"
            raise QueryError(f"LadybugDB would do {named} for this statement: free Cypher only reads")


def operators(plan: str) -> set[str]:
    """The operators of a plan as EXPLAIN LOGICAL draws it: the first line in each box, below the box of the title."""
    found = set()
    lines = plan.splitlines()
    for above, line in itertools.pairwise(lines[5:]):
        if "┌" in above and not above.strip("┌─┐┴ │"):
            found |= {part.strip() for part in line.split("│") if part.strip(" ─")}
    return found


def _rows(result: ladybug.QueryResult) -> Iterator[list[Any]]:
    while result.has_next():
        row = result.get_next()
        yield row if isinstance(row, list) else list(row.values())


def _in_our_words(text: str, limits: Limits) -> Exception:
    if "Interrupted" in text:
        return LimitError(f"the query took longer than {limits.timeout:g} s: ask for less")
    if "buffer pool is full" in text or "bad_alloc" in text:
        return LimitError("the query needs more memory than it may have: ask for less")
    if "write operations in a read-only database" in text:
        return QueryError("the statement would change what is stored: free Cypher only reads")
    if "prepare multiple statements" in text:
        return QueryError("more than one statement: send them one by one")
    if _REFUSED_AS_ASKED.match(text):
        said, *_ = _QUOTES.split(text)
        return QueryError(f"LadybugDB refused: {' '.join(said.split())}")
    return StoreError(f"LadybugDB refused: {text}")
