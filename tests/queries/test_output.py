"""Rows as text keep what they say: nothing is lost in JSON, CSV or NDJSON, and a table shows no control characters."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
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


@pytest.fixture(autouse=True, scope="module")
def _no_terminal() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield


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


def test_a_record_gives_each_text_of_a_list_a_line_and_words_one_together() -> None:
    told = ["[9] the «keys» near the\ncabinet", "[7] many «cabs»"]
    rows = Rows(["uid", "top_tokens", "examples", "label"], [["f", [" are", " were"], told, None]], False)
    assert text(rows, Format.TABLE)[0].splitlines() == [
        "uid         f",
        "top_tokens   are,  were",
        r"examples    [9] the «keys» near the\ncabinet",
        "            [7] many «cabs»",
    ]


@given(tables)
def test_a_table_has_a_line_for_each_row_and_no_control_characters(rows: Rows) -> None:
    printed, _ = text(rows, Format.TABLE)
    empty = [
        value is None or (isinstance(value, list) and not any(v is not None for v in value))
        for row in rows.rows
        for value in row
    ]
    shown = not all(empty)
    assert printed.count("\n") == (len(rows.rows) + 2 if shown else 0)
    assert all(char.isprintable() or char == "\n" for char in printed)


def test_what_data_has_no_place_for_is_noted() -> None:
    assert text(Rows(["a", "b"], [], False), Format.TABLE) == ("", ["no rows"])
    assert "left the others off" in text(Rows(["a", "b"], [[1, 2]], True), Format.JSON)[1][0]
    assert text(Rows(["digest"], [["abc"]], False), Format.TABLE) == ("abc\n", [])
    node = {"uid": "a", "name": None, "tokens": [" é", "\x1b"]}
    as_json = '{"uid": "a", "name": null, "tokens": [" é", "\\u001b"]}'
    assert text(Rows(["n"], [[node]], False), Format.TABLE) == (f"{as_json}\n", [])
    assert text(Rows(["n"], [[[node, node]]], False), Format.TABLE) == (f"{as_json}, {as_json}\n", [])


@pytest.mark.parametrize("n", [1, 2])
def test_columns_with_nothing_in_them_are_shown_where_they_were_asked_for(n: int) -> None:
    rows = Rows(["a", "b", "c"], [[1, None, 2]] * n, False)
    for keep_empty in (True, False):
        out = io.StringIO()
        write(rows, Format.TABLE, out, lambda note: None, keep_empty=keep_empty)
        assert ("b" in out.getvalue().split()) == keep_empty


UIDS = [f"agreement:model:1a2b3c4d:feature:{layer}:{index}:2" for layer in (8, 13) for index in (7, 70, 700)]
WIDE = Rows(
    ["weight", "source", "labels", "last"],
    [[-1.5, uid, ["feature 8:7 @subject", "feature 13:70 @subject", "metric"], "x" * 40] for uid in UIDS],
    False,
)


@pytest.mark.parametrize("width", [10, 40, 60, 80, 100, 120, 160])
def test_a_table_keeps_to_the_columns_it_has_and_the_first_is_always_there(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    printed, notes = text(WIDE, Format.TABLE)
    lines = printed.splitlines()
    assert all(len(line.rstrip()) <= width for line in lines)
    assert lines[0].strip().startswith("weight"[:width])
    assert (notes == []) == ("last" in lines[0] and "…" not in printed)


def test_what_has_no_room_is_shortened_folded_and_left_off_and_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "84")
    printed, notes = text(WIDE, Format.TABLE)
    assert [line.rstrip() for line in printed.splitlines()[2:4]] == [
        "  -1.5   agreem…b3c4d:feature:8:7:2   feature 8:7 @subject →",
        "                                      feature 13:70 @subject → metric",
    ]
    assert notes == ["no room for last; … stands for what was cut: a wider terminal or --format json shows all"]


def test_texts_that_differ_still_differ_when_they_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    lines = text(Rows(["uid", "target"], [[uid, uid] for uid in UIDS], False), Format.TABLE)[0].splitlines()
    assert all("…" in line for line in lines[2:])
    assert len({line.split()[0] for line in lines[2:]}) == len(UIDS)


def test_other_formats_are_whole_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [text(WIDE, form) for form in (Format.JSON, Format.CSV, Format.NDJSON)]
    monkeypatch.setenv("COLUMNS", "20")
    assert [text(WIDE, form) for form in (Format.JSON, Format.CSV, Format.NDJSON)] == whole
    monkeypatch.delenv("COLUMNS")
    assert "…" not in text(WIDE, Format.TABLE)[0]
