"""What is wrong with a recipe, in one sentence: the key, what it may be, and what it is."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_LISTED = "must be a list in brackets"
_WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text in quotes",
    "path_type": "must be a path in quotes",
    "tuple_type": _LISTED,
    "model_type": "must be a section of keys",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} of them",
    "too_long": "must have at most {max_length} of them",
    "missing": "is missing",
}
"""By pydantic's types of errors; {…} is what pydantic says beside them."""


def mistake(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that is wrong. model: what a whole recipe may say."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, problem["loc"][:-1])
        near = get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{where}: unknown key; {hint}"
    said = _words(problem)
    if not where:  # what is said of sections together
        return said
    given = problem.get("input")
    shown = problem["type"] != "missing" and not isinstance(given, dict)
    return f"{where}: {said}" + (f" (it is {given!r})" if shown else "")


def _words(problem: ErrorDetails) -> str:
    known = _WORDS.get(problem["type"])
    return known.format(**problem.get("ctx", {})) if known else problem["msg"].removeprefix("Value error, ")


def _known_keys(model: type[BaseModel], section: tuple[int | str, ...]) -> list[str]:
    for name in section:
        if isinstance(name, str):  # a number is a place in a list of sections
            (model,) = _sections_in(model.model_fields[name].annotation)
    return list(model.model_fields)


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _sections_in(one)
