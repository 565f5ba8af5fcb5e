"""One query: its header, its text for each database, and what a call of it sends there.

Reads no file: the catalogue hands the text in. A file begins with comment lines that are TOML,

    // summary = "Paths that end in a node, strongest first."
    // [params.node]
    // type = "uid"
    // help = "Where the paths end."
    // [returns]
    // nodes = "Uids from source to target."

and goes on with one Cypher statement. `$name` is bound by the database; `${name}` is written into the text, after its
check, where no database takes a parameter (hop bounds, what to sort by). With `runs = "python"` the statement fetches
what a function of `queries/graphs/` makes the rows of; its keywords are parameters, too.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from queries.graphs.functions import FUNCTIONS, Function
from queries.lint import faults, strip
from queries.parameters import Parameter, ParameterType, Value, arguments, literal
from store.database import Rows
from store.errors import CatalogueError

_PARAMETER = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_RETURN = re.compile(r"(?is)\bRETURN\s+(?:DISTINCT\s+)?(.*?)(?=\bORDER\s+BY\b|\bSKIP\b|\bLIMIT\b|\Z)")


class Header(BaseModel):
    """The keys a header may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str
    runs: Literal["cypher", "python"] = "cypher"
    params: dict[str, dict[str, Any]] = {}
    returns: dict[str, str]
    filled_by: str = ""
    empty: str = ""


@dataclass(frozen=True)
class Query:
    """A query of the catalogue. `texts` maps each dialect to its text; one text may serve both.

    For those who find nothing, `filled_by` is the command that stores what it shows, and `empty` says where it looked;
    either may be left out.
    `function` makes the rows where the query runs in Python.
    """

    name: str
    folder: str
    summary: str
    params: dict[str, Parameter]
    returns: dict[str, str]
    texts: dict[str, str]
    filled_by: str = ""
    empty: str = ""
    function: Function | None = None
    _bound: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, name: str, folder: str, file: str, overrides: Mapping[str, str]) -> "Query":
        """Reads a file and its overrides by dialect. Raises CatalogueError for all that breaks a rule."""
        head, body = split(file)
        try:
            header = Header.model_validate(tomllib.loads(head))
            params = {key: Parameter(name=key, **value) for key, value in header.params.items()}
        except (tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
            raise CatalogueError(f"{name}: its header: {_first(error)}") from None
        for dialect, text in overrides.items():
            if split(text)[0]:
                raise CatalogueError(f"{name}.{dialect}: an override has no header of its own")
        texts = {"ladybug": body, "neo4j": body} | {dialect: text.strip() for dialect, text in overrides.items()}
        function = FUNCTIONS.get(name) if header.runs == "python" else None
        if header.runs == "python" and function is None:
            raise CatalogueError(f"{name}: queries/graphs/functions.py knows no function for it")
        told = header.filled_by, header.empty
        query = cls(name, folder, header.summary, params, header.returns, texts, *told, function)
        shared = not overrides
        for dialect in ("ladybug", "neo4j"):
            query._check(dialect, "shared" if shared else dialect)
        for dialect in texts:
            query._bound[dialect] = frozenset(bound for _, bound in _PARAMETER.findall(strip(texts[dialect])) if bound)
        return query

    def _check(self, dialect: str, lint: str) -> None:
        text = strip(self.texts[dialect])
        used = {inline or bound for inline, bound in _PARAMETER.findall(text)}
        used |= set(self.function.keywords if self.function else ())
        if used - set(self.params):
            raise CatalogueError(f"{self.name} ({dialect}): undeclared: ${', $'.join(sorted(used - set(self.params)))}")
        if set(self.params) - used:
            raise CatalogueError(f"{self.name} ({dialect}): unused: ${', $'.join(sorted(set(self.params) - used))}")
        for inline, bound in _PARAMETER.findall(text):
            if inline and not self.params[inline].inline:
                raise CatalogueError(f"{self.name} ({dialect}): ${{{inline}}} can't be written into a text; bind it")
            if bound and self.params[bound].type is ParameterType.HOPS:
                raise CatalogueError(f"{self.name} ({dialect}): hops are written ${{{bound}}}: no database binds them")
        for columns in returned(text):
            if self.function:
                missing = [column for column in self.function.columns if column not in columns]
                if missing:
                    raise CatalogueError(f"{self.name} ({dialect}): its function needs {', '.join(missing)}, too")
            elif columns != list(self.returns):
                raise CatalogueError(
                    f"{self.name} ({dialect}): returns {columns}, its header says {list(self.returns)}"
                )
        if found := faults(self.texts[dialect], lint):
            raise CatalogueError(f"{self.name} ({dialect}): {found[0]}")

    def within(self, hop_limit: int) -> "Query":
        """The same, with paths of so many edges at most."""
        return replace(self, params={name: p.within(hop_limit) for name, p in self.params.items()})

    def arguments(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Every parameter's checked value. Raises QueryError for what is missing, unknown or not allowed."""
        return arguments(self.name, self.params, given)

    @property
    def narrowed_by(self) -> str:
        """What to give for fewer paths to be looked at; '' where it looks for none."""
        hops = [f"a smaller {p.name}" for p in self.params.values() if p.type is ParameterType.HOPS]
        least = [f"a larger {name}" for name in self.params if name.startswith("min_")]
        return " or ".join([*least, *hops]) if hops else ""

    @property
    def runs(self) -> str:
        """What makes the rows: cypher, or python from what the Cypher fetches."""
        return "python" if self.function else "cypher"

    def rows(self, fetched: Rows, values: Mapping[str, Value], row_limit: int | None) -> Rows:
        """The answer, from what the database returned."""
        if self.function is None:
            return fetched
        made = self.function(fetched, values)
        return Rows(list(self.returns), made[:row_limit], row_limit is not None and len(made) > row_limit)

    def text(self, dialect: str, values: Mapping[str, Value]) -> tuple[str, dict[str, Value]]:
        """What to send: the text with its inline values, and the values to bind."""
        text = _PARAMETER.sub(lambda m: literal(values[m[1]]) if m[1] else m[0], self.texts[dialect])
        return text, {name: values[name] for name in self._bound[dialect]}


def split(file: str) -> tuple[str, str]:
    """The TOML of the leading comment lines, and the statement."""
    lines = file.strip().splitlines()
    n = next((i for i, line in enumerate(lines) if not line.startswith("//")), len(lines))
    return "\n".join(line[2:].strip() for line in lines[:n]), "\n".join(lines[n:]).strip()


def returned(text: str) -> list[list[str]]:
    """The columns that each part of a UNION returns, in order."""
    statements = re.split(r"\bUNION\b(?:\s+ALL\b)?", _PARAMETER.sub("_", text), flags=re.IGNORECASE)
    return [[_alias(item) for item in _items(_RETURN.findall(_outside_braces(part))[-1])] for part in statements]


def _outside_braces(text: str) -> str:
    """Sub-queries have a RETURN of their own, which is not the statement's."""
    previous = ""
    while previous != text:
        previous, text = text, re.sub(r"\{[^{}]*\}", "", text)
    return text


def _items(text: str) -> list[str]:
    items, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            items.append("")
        else:
            items[-1] += char
    return [item.strip() for item in items]


def _alias(item: str) -> str:
    match = re.search(r"(?:\bAS\s+|^)`?(\w+)`?\s*$", item, re.IGNORECASE)
    return match[1] if match else item


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        errors = error.errors()
        first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
        return ": ".join([".".join(str(part) for part in (error.title, *first["loc"])).lower(), first["msg"]])
    return str(error)
