"""A parameter takes what it says and nothing else, whether it comes as text or typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.catalogue import catalogue
from queries.parameters import Parameter, ParameterType, literal
from store.errors import QueryError


def parameter(kind: str, **more: object) -> Parameter:
    return Parameter.model_validate({"name": "p", "type": kind, "help": "Help.", "default": None, "example": 1, **more})


@pytest.mark.parametrize(
    ("kind", "given", "typed"),
    [
        ("int", "7", 7),
        ("int", -7, -7),
        ("int", "+07", 7),
        ("float", "1e-3", 0.001),
        ("float", "-.5", -0.5),
        ("float", "2.", 2.0),
        ("float", 2, 2.0),
        ("bool", "TRUE", True),
        ("bool", False, False),
        ("string", "x y", "x y"),
        ("uid", "a.b:c_d-1", "a.b:c_d-1"),
    ],
)
def test_text_and_typed_values_are_taken(kind: str, given: object, typed: object) -> None:
    example = {"bool": True, "string": "x", "uid": "x"}.get(kind, 1)
    value = parameter(kind, example=example).check(given)
    assert value == typed
    assert type(value) is type(typed)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("int", "7.5"),
        ("int", 7.0),
        ("int", True),
        ("int", str(2**63)),
        ("int", ""),
        ("int", "٣"),
        ("int", "1_0"),
        ("int", " 3 "),
        ("int", "-"),
        ("int", "7\n"),
        ("int", "9" * 5000),
        ("float", "٣.٥"),
        ("float", "1_0.0"),
        ("float", "."),
        ("float", "1e"),
        ("float", "1e999"),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "x"),
        ("bool", "1"),
        ("string", "\ud800"),
        ("string", "a\0b"),
        ("string", 5),
        ("uid", "a b"),
        ("uid", "a'b"),
        ("uid", ""),
        ("uid", "a\n"),
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(kind: str, given: object) -> None:
    example = {"bool": True, "string": "x", "uid": "x"}.get(kind, 1)
    with pytest.raises(QueryError, match=r"^p: .* is not "):
        parameter(kind, example=example).check(given)


def test_bounds_and_choices_are_kept_and_named() -> None:
    bounded = parameter("int", min=1, max=8)
    with pytest.raises(QueryError, match=r"'9' is not a whole number from 1 to 8"):
        bounded.check("9")
    chosen = parameter("string", choices=("task", "prompt"), example="task")
    with pytest.raises(QueryError, match="'x' is not one of task, prompt"):
        chosen.check("x")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_into_a_text_is_the_same_number_in_plain_digits(number: float) -> None:
    text = literal(number)
    assert float(text) == number
    assert set(text) <= set("-0123456789.")


@given(st.text())
def test_only_numbers_and_listed_words_may_be_written_into_a_text(text: str) -> None:
    assert not parameter("string", example="x").inline
    assert not parameter("uid", example="x").inline
    for query in catalogue():
        for p in query.params.values():
            if p.inline and p.type is ParameterType.STRING:
                try:
                    assert str(p.check(text)) in p.choices
                except QueryError:
                    continue


def test_a_call_names_what_is_missing_unknown_or_out_of_bounds() -> None:
    query = catalogue()["upstream_paths"]
    with pytest.raises(QueryError, match=r"upstream_paths: node is missing: a uid .* Where the paths end\."):
        query.arguments({})
    with pytest.raises(QueryError, match=r"no parameter 'max_hop'; did you mean max_hops\?"):
        query.arguments({"node": "a", "max_hop": 3})
    with pytest.raises(QueryError, match="max_hops: 99 is not a whole number from 1 to 12"):
        query.arguments({"node": "a", "max_hops": 99})


def test_the_limit_on_hops_refuses_what_is_asked_and_lowers_what_is_not() -> None:
    query = catalogue().within(2)["upstream_paths"]
    assert query.arguments({"node": "a"})["max_hops"] == 2
    with pytest.raises(QueryError, match="max_hops: 3 is not a whole number from 1 to 2"):
        query.arguments({"node": "a", "max_hops": 3})
    assert catalogue().within(99)["upstream_paths"] == catalogue()["upstream_paths"]


def test_an_unknown_query_is_answered_with_the_nearest_names() -> None:
    with pytest.raises(QueryError, match=r"no query 'upstream_path'; did you mean upstream_paths"):
        catalogue()["upstream_path"]
    with pytest.raises(QueryError, match=r"no query 'zzz'; there are "):
        catalogue()["zzz"]
