"""Rows as a table for people: as wide as its data, or as the terminal if that is narrower.

What has no room is shortened, folded or left off, in this order, and a note says so. Knows nothing of other formats.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, TextIO

from store.database import Rows

_GAP = 3
_LEAST = 24
"""Characters that a text keeps."""
_COMMA = ", "
_LEAST_LIST = 40
"""Characters that a line of a list keeps, and no fewer than its longest item has."""


def write(rows: Rows, out: TextIO, note: Callable[[str], None], *, keep_empty: bool = False) -> None:
    """keep_empty: whether columns with nothing in them are shown."""
    if not rows.rows:
        note("no rows")
    elif len(rows.columns) == len(rows.rows) == 1:
        out.write(f"{text(rows.columns[0], rows.rows[0][0])}\n")
    elif len(rows.rows) == 1:
        _record(rows, out, keep_empty)
    else:
        _grid(rows, out, note, keep_empty)


def text(column: str, value: Any) -> str:
    """A value in one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return _separator(column).join(_items(value))
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


@dataclass(frozen=True)
class _Column:
    name: str
    values: list[Any]
    cells: list[str]
    width: int
    least: int
    justify: Literal["left", "right"]

    @classmethod
    def of(cls, rows: Rows, i: int) -> "_Column":
        from rich.cells import cell_len

        name, values = rows.columns[i], [row[i] for row in rows.rows]
        cells = [text(name, value) for value in values]
        width = max(map(cell_len, [name, *cells]))
        items = [cell_len(item) for value in values if isinstance(value, list) for item in _items(value)]
        least = max(_LEAST_LIST, *items) + len(_separator(name)) if items else max(_LEAST, cell_len(name))
        numbers = all(isinstance(value, (int, float, type(None))) for value in values)
        if numbers:
            return cls(name, values, cells, width, width, "right")
        return cls(name, values, cells, width, min(width, least), "left")

    def fitted(self, width: int) -> list[str]:
        """The cells in so much room: lists folded between items, texts shortened in the middle."""
        if width >= self.width:
            return self.cells
        same = takewhile(lambda chars: len(set(chars)) == 1, zip(*filter(None, self.cells), strict=False))
        shared = re.sub(r"\w+$", "", "".join(char for char, *_ in same))
        return [
            _folded(_items(value), _separator(self.name), width)
            if isinstance(value, list)
            else _shortened(cell, width, len(shared))
            for value, cell in zip(self.values, self.cells, strict=True)
        ]


def _record(rows: Rows, out: TextIO, keep_empty: bool) -> None:
    """One row, a line each column; of a list of texts, a line each text."""
    width = max(map(len, rows.columns))
    for column, value in zip(rows.columns, rows.rows[0], strict=True):
        if value is None and not keep_empty:
            continue
        lines, items = [text(column, value)], _items(value) if isinstance(value, list) else []
        if _separator(column) == _COMMA and max(map(len, items), default=0) > _LEAST:
            lines = items
        out.writelines(f"{'' if n else column:<{width}}  {line}\n" for n, line in enumerate(lines))


def _grid(rows: Rows, out: TextIO, note: Callable[[str], None], keep_empty: bool) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [i for i in range(len(rows.columns)) if keep_empty or not all(_is_empty(row[i]) for row in rows.rows)]
    if not shown:
        note(f"{len(rows.rows)} rows with nothing in them")
        return
    columns = [_Column.of(rows, i) for i in shown]
    console = Console(file=out, highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console = Console(file=out, highlight=False, width=sum(column.width + _GAP for column in columns))
    fit = _fitting(columns, console.width)
    widths = _widths(fit, console.width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in fit:
        table.add_column(column.name, justify=column.justify, no_wrap=True)
    fitted = [column.fitted(width) for column, width in zip(fit, widths, strict=True)]
    for cells in zip(*fitted, strict=True):
        table.add_row(*map(Text, cells))
    console.print(table)
    missing = [f"no room for {', '.join(column.name for column in columns[len(fit) :])}"] if fit != columns else []
    if any(
        "…" in cell and cell not in column.cells for column, cells in zip(fit, fitted, strict=True) for cell in cells
    ):
        missing.append("… stands for what was cut")
    if missing:
        note(f"{'; '.join(missing)}: a wider terminal or --format json shows all")


def _fitting(columns: list[_Column], room: int) -> list[_Column]:
    """Columns from the left while each can have its least width; the first in any case."""
    needed = 0
    for n, column in enumerate(columns):
        needed += column.least + _GAP
        if needed > room:
            return columns[: max(n, 1)]
    return columns


def _widths(columns: list[_Column], room: int) -> list[int]:
    """How wide each is: what room is left goes to the narrowest of those that need it."""
    for cap in range(max(column.width for column in columns), 0, -1):
        widths = [min(column.width, max(column.least, cap)) for column in columns]
        if sum(widths) + _GAP * len(widths) <= room:
            return widths
    return [max(room - _GAP, 1)]


def _shortened(cell: str, width: int, shared: int) -> str:
    """A text without its middle. What differs from other rows is kept rather than the `shared` start."""
    from rich.cells import cell_len

    width -= cell_len(cell) - len(cell)
    if len(cell) <= width:
        return cell
    differs = len(cell) - shared
    tail = differs if 3 * width // 4 < differs < width - 3 else max(3 * width // 4, 0)
    return f"{cell[: max(width - 1 - tail, 0)]}…{cell[len(cell) - tail :]}"


def _folded(items: list[str], separator: str, width: int) -> str:
    from rich.cells import cell_len

    lines = [""]
    for n, item in enumerate(items):
        piece = item if n == len(items) - 1 else item + separator
        if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _items(value: list[Any]) -> list[str]:
    return [text("", item) or "–" for item in value]


def _separator(column: str) -> str:
    return " → " if column in ("nodes", "labels") else _COMMA


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(item is None for item in value))
