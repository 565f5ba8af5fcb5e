"""What a query's text may not say: Cypher that one of the two databases refuses, or reads differently and says nothing.

Knows nothing of headers or parameters' values. Each rule was met in LadybugDB 0.22 or Neo4j 5.26.
"""

import re
from dataclasses import dataclass

from store.schema import NODES, RELATIONSHIPS


@dataclass(frozen=True)
class Rule:
    """Text that matches `pattern` is at fault in the texts that LadybugDB, Neo4j or both will read."""

    pattern: re.Pattern[str]
    reason: str
    dialects: frozenset[str]


_BOTH = frozenset({"ladybug", "neo4j"})
_LADYBUG = frozenset({"ladybug"})
_SHARED = frozenset({"shared"})
"""Means one thing in each database, so only an override for one of them may say it."""


def _rule(pattern: str, reason: str, dialects: frozenset[str]) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), reason, dialects)


_LABELS = "|".join([node.label for node in NODES] + [relationship.type for relationship in RELATIONSHIPS])

RULES: tuple[Rule, ...] = (
    _rule(r"\(\s*\w*\s*:\s*\w+\s*:\s*\w+", "(n:A:B) means and in Neo4j, or in LadybugDB", _SHARED),
    _rule(r"\blog\s*\(", "log is natural in Neo4j, base 10 in LadybugDB", _SHARED),
    _rule(r"[\w)\]]\[\s*[\w$.]", "lists count from 0 in Neo4j, from 1 in LadybugDB", _SHARED),
    _rule(r"\bsubstring\s*\(", "strings count from 0 in Neo4j, from 1 in LadybugDB", _SHARED),
    _rule(r"\blabels?\s*\(", "labels(n) is a list in Neo4j, a string in LadybugDB", _SHARED),
    _rule(r"'\s*\+|\+\s*'", "text + null is null in Neo4j, the text in LadybugDB", _SHARED),
    _rule(
        r"\*(?!\s*(?:trail|acyclic|\d+\s*\.\.|\$\{\w+\}\s*\.\.))(?=[^()]*\]\s*-)", "a path needs bounds: *1..n", _BOTH
    ),
    _rule(r"\*\s*(?:\d+|\$\{\w+\})\s*\.\.\s*(?![\d$])", "a path needs an upper bound: *1..n", _BOTH),
    _rule(
        r"\b(?:all|any|none|single)\s*\(\s*\w+\s+IN\b",
        "LadybugDB aborts on a $parameter in all(), any() and none(), and returned wrong rows where it was bound "
        "before; write the condition into the pattern, (r, n | WHERE …)",
        frozenset({"ladybug", "shared"}),
    ),
    _rule(
        r"\bLIMIT\s+\S+\s+(?:WITH|RETURN)\b(?:(?!\b(?:MATCH|UNWIND|RETURN)\b).)*?\b(?:collect|count|sum|avg|min|max)\s*\(",
        "LadybugDB forgets ORDER BY … LIMIT where an aggregate follows; put UNWIND [x] AS y between",
        frozenset({"ladybug", "shared"}),
    ),
    _rule(
        r"\blist_(?:transform|filter|reduce)\s*\(",
        "LadybugDB mixes up what it is given where that is more than 2,048 items at once",
        _LADYBUG,
    ),
    _rule(r"\|\s*WHERE[^)]*\$\w", "LadybugDB takes no $parameter inside a path; write ${name}", _LADYBUG),
    _rule(
        r"\b(?:reduce|toString|toFloat|toInteger|head|last|type|datetime|shortestPath)\s*\(",
        "LadybugDB lacks this function",
        frozenset({"ladybug", "shared"}),
    ),
    _rule(r"\bsum\s*\(\s*CASE\b", "LadybugDB sums to a decimal; count(CASE … END) counts", _BOTH),
    _rule(r"\b(?:id|elementId)\s*\(|\._id\b", "uids, never a database's internal ids", _BOTH),
    _rule(r"\b(?:CREATE|MERGE|DELETE|SET|REMOVE|DROP|COPY|LOAD|INSTALL|ATTACH)\b", "a query only reads", _BOTH),
    _rule(
        r"\bCALL\b(?!\s+db\.index\.fulltext\.queryNodes\()", "of procedures, only the full-text index is asked", _BOTH
    ),
    _rule(r";", "one statement a file", _BOTH),
)

_EXACT = set(_LABELS.split("|"))
_ANY_NAME = re.compile(r"[(\[]\s*\w*\s*:\s*`?(\w+)`?")


def faults(text: str, dialect: str) -> list[str]:
    """Reasons why this text may not be in the catalogue. dialect: ladybug, neo4j or shared."""
    bare = strip(text)
    found = [
        f'"{match.group().strip()}": {rule.reason}'
        for rule in RULES
        if dialect in rule.dialects or (dialect == "shared" and rule.dialects == _BOTH)
        for match in [rule.pattern.search(bare if "'" not in rule.pattern.pattern else text)]
        if match
    ]
    unknown = [name for name in _ANY_NAME.findall(bare) if name not in _EXACT]
    return found + [f'"{name}": the schema knows no such label or type (case counts)' for name in unknown]


def strip(text: str) -> str:
    """The text without comments, and with string literals emptied."""
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "''", text)
