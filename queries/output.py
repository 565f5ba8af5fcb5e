"""Rows as text: JSON in the service's shape, NDJSON, CSV, or a table for people.

Knows nothing of queries. What is not a number or text (a list) is JSON inside a CSV cell.
"""

import csv
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TextIO

from pydantic_core import to_json

from store.database import Rows
from store.errors import UsageError


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


def write(rows: Rows, form: Format, out: TextIO, note: Callable[[str], None]) -> None:
    """Writes rows. note: told what a reader should know and data has no place for."""
    _WRITERS[form](rows, out, note)
    if rows.truncated:
        note(f"only the first {len(rows.rows)} rows: a limit left the others off")


def only(rows: Rows, columns: list[str]) -> Rows:
    """Some of the columns, in the order given. Raises UsageError for one that is not there, or is named twice."""
    for n, column in enumerate(columns):
        if column in columns[:n]:
            raise UsageError(f"--columns: {column!r} is named twice")
        if column not in rows.columns:
            raise UsageError(f"--columns: no column {column!r}; there are {', '.join(rows.columns)}")
    chosen = [rows.columns.index(column) for column in columns]
    return Rows(columns, [[row[i] for i in chosen] for row in rows.rows], rows.truncated)


def as_objects(rows: Rows) -> list[dict[str, Any]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]


def _json(rows: Rows, out: TextIO, note: Callable[[str], None]) -> None:
    answer = {"columns": rows.columns, "rows": as_objects(rows), "truncated": rows.truncated}
    out.write(to_json(answer, inf_nan_mode="null", indent=2).decode() + "\n")


def _ndjson(rows: Rows, out: TextIO, note: Callable[[str], None]) -> None:
    out.writelines(to_json(row, inf_nan_mode="null").decode() + "\n" for row in as_objects(rows))


def _csv(rows: Rows, out: TextIO, note: Callable[[str], None]) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows.columns)
    for row in rows.rows:
        writer.writerow([json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v for v in row])


def _table(rows: Rows, out: TextIO, note: Callable[[str], None]) -> None:
    if not rows.rows:
        note("no rows")
    elif len(rows.columns) == len(rows.rows) == 1:
        out.write(f"{_cell(rows.columns[0], rows.rows[0][0])}\n")
    elif len(rows.rows) == 1:
        _record(rows, out)
    else:
        _grid(rows, out, note)


def _record(rows: Rows, out: TextIO) -> None:
    """One row, a line each column."""
    width = max(map(len, rows.columns))
    for column, value in zip(rows.columns, rows.rows[0], strict=True):
        if value is not None:
            out.write(f"{column:<{width}}  {_cell(column, value)}\n")


def _grid(rows: Rows, out: TextIO, note: Callable[[str], None]) -> None:
    """Columns from the left while they fit the terminal; outside a terminal all of them, however wide."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [i for i in range(len(rows.columns)) if any(row[i] is not None for row in rows.rows)]
    if not shown:
        note(f"{len(rows.rows)} rows with nothing in them")
        return
    cells = {i: [_cell(rows.columns[i], row[i]) for row in rows.rows] for i in shown}
    widths = {i: max(len(rows.columns[i]), *map(len, cells[i])) + 3 for i in shown}
    console = Console(file=out, highlight=False)
    if not console.is_terminal:
        console = Console(file=out, highlight=False, width=sum(widths.values()) + 2)
    fit = [i for n, i in enumerate(shown) if sum(widths[j] for j in shown[: n + 1]) <= console.width] or shown[:1]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i in fit:
        numbers = all(isinstance(row[i], (int, float, type(None))) for row in rows.rows)
        table.add_column(rows.columns[i], justify="right" if numbers else "left", no_wrap=True)
    for n in range(len(rows.rows)):
        table.add_row(*(Text(cells[i][n]) for i in fit))
    console.print(table)
    if left_off := [rows.columns[i] for i in shown if i not in fit]:
        note(f"no room for {', '.join(left_off)}: a wider terminal or --format json shows them")


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return (" → " if column in ("nodes", "labels") else ", ").join(_cell("", item) or "–" for item in value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


_WRITERS: dict[Format, Callable[[Rows, TextIO, Callable[[str], None]], None]] = {
    Format.TABLE: _table,
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.NDJSON: _ndjson,
}
