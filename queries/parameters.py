"""What a query's parameter may be, and whether a value may stand for it.

Knows nothing of files or databases: a value comes in as text (command line, query string) or typed (Python), and
goes out typed, or an error says what is allowed.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from store.errors import QueryError
from store.schema import NODES, UID

Value = StrictBool | StrictInt | StrictFloat | StrictStr

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""Numbers as text. Python's int() and float() read more: 1_0, ٣, " 3 "."""


class ParameterType(StrEnum):
    UID = "uid"
    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    HOPS = "hops"
    """The bound of a variable-length pattern: always written into the text, and held by a limit of the service."""


class FirstRow(BaseModel):
    """An example that every store has an answer for: the first value in a column of another query's example."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    query: str
    column: str


class Parameter(BaseModel):
    """One `[params.NAME]` table of a query's header. Without a default it must be given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: ParameterType
    help: str
    default: Value | None = None
    min: StrictInt | StrictFloat | None = None
    max: StrictInt | StrictFloat | None = None
    choices: tuple[Value, ...] = ()
    label: str = ""
    """Of a uid: the label of the node that must exist. An empty answer is then told apart from an unknown uid."""
    example: Value | FirstRow | None = None

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def inline(self) -> bool:
        """Whether a checked value is safe inside the text of a query: numbers, and plain words from a closed list."""
        numeric = self.type in (ParameterType.INT, ParameterType.FLOAT, ParameterType.HOPS)
        return numeric or (bool(self.choices) and all(str(c).replace("_", "").isalpha() for c in self.choices))

    def within(self, hop_limit: int) -> "Parameter":
        """Itself, or for hops beyond a limit, one that takes no more than that."""
        if self.type is not ParameterType.HOPS or self.max is None or self.max <= hop_limit:
            return self
        default = None if self.default is None else min(int(self.default), hop_limit)
        return self.model_copy(update={"max": hop_limit, "default": default})

    @model_validator(mode="after")
    def _consistent(self) -> "Parameter":
        if self.label and (self.type is not ParameterType.UID or self.label not in {n.label for n in NODES}):
            raise ValueError("label: only a uid has one, and the schema must know it")
        if self.type is ParameterType.HOPS and (self.min is None or self.max is None):
            raise ValueError("hops need a min and a max")
        if self.required and self.example is None:
            raise ValueError("a required parameter needs an example")
        for value in (self.default, self.example, *self.choices):
            if value is not None and not isinstance(value, FirstRow):
                try:
                    self.check(value)
                except QueryError as error:
                    raise ValueError(str(error)) from error
        return self

    def check(self, value: object) -> Value:
        """The typed value, or QueryError naming the parameter and what it takes."""
        if value == "" == self.default:
            return ""  # a filter left open, of whatever type
        try:
            typed = _CONVERT[self.type](value)
        except (TypeError, ValueError, OverflowError):
            raise QueryError(f"{self.name}: {value!r} is not {self.allowed()}") from None
        if self.choices and typed not in self.choices:
            raise QueryError(f"{self.name}: {value!r} is not {self.allowed()}")
        if isinstance(typed, (int, float)) and not isinstance(typed, bool):
            low, high = self.min, self.max
            if (low is not None and typed < low) or (high is not None and typed > high):
                raise QueryError(f"{self.name}: {value!r} is not {self.allowed()}")
        return typed

    def allowed(self) -> str:
        """What it takes, in words: `a whole number from 1 to 8`."""
        if self.choices:
            return "one of " + ", ".join(str(c) if c != "" else "'' (all)" for c in self.choices)
        words = _WORDS[self.type]
        if self.min is not None and self.max is not None:
            return f"{words} from {self.min} to {self.max}"
        if self.min is not None:
            return f"{words}, at least {self.min}"
        return words if self.max is None else f"{words}, at most {self.max}"


def arguments(
    owner: str, params: Mapping[str, Parameter], given: Mapping[str, object], *, hop_limit: int | None = None
) -> dict[str, Value]:
    """Every parameter's checked value. owner: whose they are. Raises QueryError for what is missing, unknown or not
    allowed."""
    for name in given:
        if name not in params:
            near = get_close_matches(name, params, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            known = ", ".join(params) or "none"
            raise QueryError(f"{owner}: no parameter {name!r}{hint} (it takes {known})")
    values: dict[str, Value] = {}
    for name, parameter in params.items():
        if hop_limit is not None:
            parameter = parameter.within(hop_limit)
        if name in given:
            try:
                value = parameter.check(given[name])
            except QueryError as error:
                raise QueryError(f"{owner}: {error}") from None
        elif parameter.default is not None:
            value = parameter.check(parameter.default)
        else:
            raise QueryError(f"{owner}: {name} is missing: {parameter.allowed()}. {parameter.help}")
        values[name] = value
    return values


def literal(value: Value) -> str:
    """A checked value as it stands in a query's text."""
    if isinstance(value, float):
        digits = format(Decimal(repr(value)), "f")
        return digits if "." in digits else digits + ".0"
    return str(value)


def _uid(value: object) -> Value:
    if not isinstance(value, str) or not UID.fullmatch(value):
        raise ValueError
    return value


def _string(value: object) -> Value:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # a lone surrogate reaches no database
    return value


def _int(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError
    whole = int(value)
    if abs(whole) >= 2**63:
        raise ValueError
    return whole


def _float(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _bool(value: object) -> Value:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise ValueError
    return str(value).lower() == "true"


_CONVERT: dict[ParameterType, Callable[[object], Value]] = {
    ParameterType.UID: _uid,
    ParameterType.STRING: _string,
    ParameterType.INT: _int,
    ParameterType.FLOAT: _float,
    ParameterType.BOOL: _bool,
    ParameterType.HOPS: _int,
}

_WORDS: dict[ParameterType, str] = {
    ParameterType.UID: "a uid (letters, digits, and . _ : -)",
    ParameterType.STRING: "text",
    ParameterType.INT: "a whole number",
    ParameterType.FLOAT: "a number",
    ParameterType.BOOL: "true or false",
    ParameterType.HOPS: "a whole number",
}
