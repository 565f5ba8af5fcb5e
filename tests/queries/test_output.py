"""Rows as text keep what they say: nothing is lost in JSON, CSV or NDJSON, and a table shows no control characters."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from queries.output import Format, write
from store.database import Rows

values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.floats(-1, 1) | st.none()),
)  # fmt: skip
tables = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=2).map(
        lambda rows: Rows([f"c{i}" for i in range(n)], rows, False)
    )
)


def text(rows: Rows, form: Format) -> tuple[str, list[str]]:
    out, notes = io.StringIO(newline=""), list[str]()
    write(rows, form, out, notes.append)
    return out.getvalue(), notes


@given(tables)
def test_json_and_ndjson_hold_the_rows_as_they_are(rows: Rows) -> None:
    objects = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    assert json.loads(text(rows, Format.JSON)[0]) == {"columns": rows.columns, "rows": objects, "truncated": False}
    assert [json.loads(line) for line in text(rows, Format.NDJSON)[0].split("\n")[:-1]] == objects


@given(tables)
def test_csv_holds_a_cell_for_each_value_and_lists_as_json(rows: Rows) -> None:
    header, *lines = csv.reader(io.StringIO(text(rows, Format.CSV)[0], newline=""))
    assert header == rows.columns
    assert len(lines) == len(rows.rows)
    for line, row in zip(lines, rows.rows, strict=True):
        for cell, value in zip(line, row, strict=True):
            if isinstance(value, list):
                assert json.loads(cell) == value
            else:
                assert cell == ("" if value is None else str(value))


@given(tables)
def test_a_table_has_a_line_for_each_row_and_no_control_characters(rows: Rows) -> None:
    printed, _ = text(rows, Format.TABLE)
    shown = any(value is not None for row in rows.rows for value in row)
    assert printed.count("\n") == (len(rows.rows) + 2 if shown else 0)
    assert all(char.isprintable() or char == "\n" for char in printed)


def test_what_data_has_no_place_for_is_noted() -> None:
    assert text(Rows(["a", "b"], [], False), Format.TABLE) == ("", ["no rows"])
    assert "left the others off" in text(Rows(["a", "b"], [[1, 2]], True), Format.JSON)[1][0]
    assert text(Rows(["digest"], [["abc"]], False), Format.TABLE) == ("abc\n", [])
