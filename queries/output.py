"""Rows as text: JSON in the service's shape, NDJSON, CSV, or a table for people.

Knows nothing of queries. What is not a number or text (a list) is JSON inside a CSV cell.
"""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, TextIO

from pydantic_core import to_json

from queries import table
from store.database import Rows
from store.errors import UsageError


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


def write(
    rows: Rows,
    form: Format,
    out: TextIO,
    note: Callable[[str], None],
    *,
    keep_empty: bool = False,
    limit: str = "a limit",
) -> None:
    """Writes rows. note: told what a reader should know and data has no place for.

    keep_empty: whether a table shows columns with nothing in them. limit: what cut rows that are truncated.
    """
    if form is Format.TABLE:
        table.write(rows, out, note, keep_empty=keep_empty)
    else:
        _WRITERS[form](rows, out)
    if rows.truncated:
        note(f"only the first {len(rows.rows)} rows: {limit} left the others off")


def only(rows: Rows, columns: list[str]) -> Rows:
    """Some of the columns, in the order given. Raises UsageError for one that is not there, or is named twice."""
    check(columns, rows.columns)
    chosen = [rows.columns.index(column) for column in columns]
    return Rows(columns, [[row[i] for i in chosen] for row in rows.rows], rows.truncated)


def check(columns: list[str], known: list[str]) -> None:
    """Raises UsageError for a column that is not known, or is named twice."""
    for n, column in enumerate(columns):
        if column in columns[:n]:
            raise UsageError(f"--columns: {column!r} is named twice")
        if column not in known:
            raise UsageError(f"--columns: no column {column!r}; there are {', '.join(known)}")


def as_objects(rows: Rows) -> list[dict[str, Any]]:
    return list(_objects(rows))


def _objects(rows: Rows) -> Iterator[dict[str, Any]]:
    return (dict(zip(rows.columns, row, strict=True)) for row in rows.rows)


def _json(rows: Rows, out: TextIO) -> None:
    answer = {"columns": rows.columns, "rows": as_objects(rows), "truncated": rows.truncated}
    out.write(to_json(answer, inf_nan_mode="null", indent=2).decode() + "\n")


def ndjson_lines(rows: Rows) -> Iterator[str]:
    return (to_json(row, inf_nan_mode="null").decode() + "\n" for row in _objects(rows))


def csv_lines(rows: Rows) -> Iterator[str]:
    for row in itertools.chain([rows.columns], rows.rows):
        line = io.StringIO(newline="")
        csv.writer(line).writerow(
            [json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v for v in row]
        )
        yield line.getvalue().removesuffix("\r\n") + "\n"  # a writer that ends lines in \n leaves \r unquoted


def _ndjson(rows: Rows, out: TextIO) -> None:
    out.writelines(ndjson_lines(rows))


def _csv(rows: Rows, out: TextIO) -> None:
    out.writelines(csv_lines(rows))


_WRITERS: dict[Format, Callable[[Rows, TextIO], None]] = {
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.NDJSON: _ndjson,
}
