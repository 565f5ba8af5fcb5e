"""Cypher as tokens: what must be known of a statement before a database may look at it.

The databases say themselves whether a statement reads (`store.cypher.ladybug`, `store.cypher.neo4j`). But LadybugDB
opens a file while it is still analysing `LOAD FROM`, and Neo4j's plan hides what is called inside of a list
comprehension. So the text is cut into tokens first. Whatever two lexers might read differently is refused, and a
database is given the text without its comments, so that it reads what was looked at here.

Knows nothing of databases.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from store.errors import QueryError

MAX_CHARACTERS = 20_000
MAX_DEPTH = 64
"""Brackets within brackets, or NOTs in a row. At 400 Neo4j 5.26 never answers; at 2,000 LadybugDB 0.22 dies."""

_READING = ("MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN", "CALL")

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+|//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\[\\'"bfnrt/BFNRT])*'|"(?:[^"\\]|\\[\\'"bfnrt/BFNRT])*")
    | (?P<quoted>`[^`\\]*`)
    | (?P<parameter>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![A-Za-z0-9_$`]))
    | (?P<mark>[-+*%^=<>!|&.,:;(){}\[\]]|/(?!\*))
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = "([{", ")]}"


class Kind(Enum):
    NAME = auto()
    """A name or keyword without quotes."""
    QUOTED = auto()
    """A name in backticks: no keyword."""
    MARK = auto()
    OTHER = auto()
    """A string, number or parameter."""


_KINDS = {"name": Kind.NAME, "quoted": Kind.QUOTED, "mark": Kind.MARK}


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str

    @property
    def keyword(self) -> str:
        """In capitals; "" for what can be none."""
        return self.text.upper() if self.kind is Kind.NAME else ""

    @property
    def name(self) -> str:
        """Without its backticks; "" for what is none."""
        return self.text.strip("`") if self.kind in (Kind.NAME, Kind.QUOTED) else ""


@dataclass(frozen=True)
class Call:
    """A name with dots in it that is called, or whatever follows the keyword CALL."""

    name: str
    """In lower case; "" for a subquery."""
    procedure: bool


@dataclass(frozen=True)
class Statement:
    """One statement that begins as a reading one does."""

    text: str
    """Without comments and the semicolon at the end."""
    tokens: tuple[Token, ...]

    def parameters(self) -> set[str]:
        """Their names, without the $."""
        return {token.text[1:] for token in self.tokens if token.kind is Kind.OTHER and token.text.startswith("$")}

    def calls(self) -> Iterator[Call]:
        for i, token in enumerate(self.tokens):
            after_dot = i > 0 and self.tokens[i - 1].text == "."
            if token.keyword == "CALL" and not after_dot:
                name, end = self._chain(i + 1)
                yield Call(name, procedure=True)
            elif token.name and not after_dot:
                name, end = self._chain(i)
                called = end < len(self.tokens) and self.tokens[end].text == "("
                if called and "." in name and not (i and self.tokens[i - 1].keyword == "CALL"):
                    yield Call(name, procedure=False)

    def _chain(self, start: int) -> tuple[str, int]:
        """The dotted name that begins at a token, in lower case, and the number of the token after it."""
        names: list[str] = []
        i = start
        while i < len(self.tokens) and self.tokens[i].name:
            names.append(self.tokens[i].name.lower())
            i += 1
            if i == len(self.tokens) or self.tokens[i].text != ".":
                break
            i += 1
        return ".".join(names), i


def parse(text: str) -> Statement:
    """Raises QueryError for what is not one reading statement, as far as the tokens tell."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"the statement has more than {MAX_CHARACTERS} characters: bind values as parameters")
    kept: list[str] = []
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(_unreadable(text, position))
        group, part = str(match.lastgroup), match.group()
        position = match.end()
        if group == "blank":
            kept.append("\n" if "\n" in part else " ")
        else:
            kept.append(part)
            tokens.append(Token(_KINDS.get(group, Kind.OTHER), part))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
        kept[max(i for i, part in enumerate(kept) if part == ";") :] = []
    _check(tokens)
    return Statement("".join(kept).strip(), tuple(tokens))


def _check(tokens: list[Token]) -> None:
    if not tokens:
        raise QueryError("the statement is empty; write one such as MATCH (c:Circuit) RETURN c.uid")
    if any(token.text == ";" for token in tokens):
        raise QueryError("more than one statement: send them one by one")
    if tokens[0].keyword not in _READING:
        raise QueryError(f"a statement can't begin with {tokens[0].text[:40]} here: free Cypher only reads, so it "
                         f"begins with {', '.join(_READING[:-1])} or {_READING[-1]}")  # fmt: skip
    depth = negations = 0
    for i, token in enumerate(tokens):
        if token.keyword == "LOAD" and (i == 0 or tokens[i - 1].text not in (".", ":")):
            raise QueryError("LOAD reads files and other hosts, which free Cypher may not; quote a name as `load`")
        if token.kind is Kind.MARK:
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
        negations = negations + 1 if token.keyword == "NOT" or token.text in "+-!" else 0
        if max(depth, negations) > MAX_DEPTH:
            raise QueryError(f"the statement is nested more than {MAX_DEPTH} deep: simplify it")


def _unreadable(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    where = f"line {line}, column {column}"
    rest = text[position:]
    if rest[0] in "'\"" and re.match(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", rest, re.DOTALL):
        return f"{where}: the string holds other escapes than \\\\ \\' \\\" \\b \\f \\n \\r \\t"
    if rest[0] in "'\"`":
        return f"{where}: what {rest[0]} opens is never closed"
    if rest.startswith("/*"):
        return f"{where}: the comment is never closed"
    if re.match(r"[0-9]", rest):
        return f"{where}: put a space between the number and what follows it"
    if rest[0] == "$":
        return f"{where}: a parameter is $ and a name of letters, digits and _"
    return f"{where}: {rest[0]!a} can't stand outside of strings and `quoted names`"
