"""Reading statements for Neo4j. Runs in a process of its own: see `store.cypher.process`.

Neo4j 5.26 calls SHOW SETTINGS, TERMINATE TRANSACTIONS and LOAD CSV reading ("r") too: so every operator of the plan
must be known to do no more. The plan names no operator for what stands inside of list comprehensions, reduce and CASE:
so what is called there is told from the tokens.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from store.cypher.answer import Limits, collect
from store.cypher.statement import Statement
from store.display import label_of
from store.errors import CircuitstoreError, LimitError, QueryError, StoreError

PROCEDURES = frozenset(
    """
    db.labels db.propertyKeys db.relationshipTypes db.schema.nodeTypeProperties db.schema.relTypeProperties
    db.schema.visualization db.index.fulltext.queryNodes db.index.fulltext.queryRelationships
    db.index.vector.queryNodes db.index.vector.queryRelationships
    """.split()
)
_PROCEDURES = {name.lower() for name in PROCEDURES}

_NAMESPACES = frozenset("date datetime duration localdatetime localtime point time vector".split())
"""Of Neo4j's own functions. Those that plugins bring, such as apoc's, always have another one."""

_SCANS = r"(Partitioned|Multi|Directed|Undirected)*(Union|Intersection|Subtraction|All)?"
OPERATORS = re.compile(
    rf"""
    {_SCANS}(Nodes?|Relationships?)(By|Type|Unique)?\w*(Scan|Seek|SeekByRange)
    | (Node|Relationship)CountFromCountStore
    | (Optional|VarLength|BFSPruningVar|PruningVar)?Expand
    | Repeat | Trail | (StatefulShortest|Shortest|AllShortest)Paths? | ProjectEndpoints | PathPropagatingBFS
    | (Anti|LetAnti|Let|SelectOr|SelectOrAnti|LetSelectOr|LetSelectOrAnti)?SemiApply
    | Apply | RollUpApply | (Anti)?ConditionalApply | Argument | ArgumentTracker | Optional
    | Filter | Projection | CacheProperties | Unwind | (Exhaustive)?Limit | Skip | (Partial)?(Top|Sort) | Top1WithTies
    | (Ordered)?(Distinct|Union) | Eager | (Eager|Ordered)Aggregation
    | CartesianProduct | AssertSame(Node|Relationship) | Triadic(Selection|Build|Filter)
    | (Node|Value|NodeLeftOuter|NodeRightOuter)(Outer)?HashJoin
    | ProduceResults | EmptyResult | EmptyRow | DropResult | ProcedureCall
    """,
    re.VERBOSE,
)


class Neo4jAsker:
    """A driver. One statement at a time."""

    def __init__(self, url: str, user: str, password: str, database: str) -> None:
        self._url = url
        self._database = database
        self._driver = neo4j.GraphDatabase.driver(
            url, auth=(user, password), connection_timeout=10, notifications_min_severity="OFF"
        )
        try:
            self._driver.verify_connectivity()
        except (Neo4jError, DriverError, OSError) as error:
            raise StoreError(f"no Neo4j answers at {url} ({type(error).__name__})") from None

    def ask(self, statement: Statement, params: Mapping[str, Any], limits: Limits) -> tuple[list[str], list[str], bool]:
        """Columns, rows as JSON texts, and whether some were left off. Raises QueryError, LimitError, StoreError."""
        _check_calls(statement)
        try:
            with (
                self._driver.session(
                    database=self._database,
                    default_access_mode=neo4j.READ_ACCESS,
                    fetch_size=min(limits.rows + 1, 1000),
                ) as session,
                # In a transaction that was begun, Neo4j refuses CALL { … } IN TRANSACTIONS.
                session.begin_transaction(timeout=limits.timeout) as transaction,
            ):
                _check_plan(transaction.run(f"EXPLAIN {statement.text}", dict(params)).consume())
                result = transaction.run(statement.text, dict(params))
                rows, truncated = collect(([_marked(value) for value in record.values()] for record in result), limits)
                return list(result.keys()), rows, truncated
        except Neo4jError as error:
            raise _in_our_words(error, limits) from None
        except (DriverError, OSError) as error:
            raise StoreError(f"{self._url} went away ({type(error).__name__}): try again") from None


def _check_calls(statement: Statement) -> None:
    for call in statement.calls():
        if call.procedure and call.name and call.name not in _PROCEDURES:
            raise QueryError(f"CALL {call.name} is refused: free Cypher may call {', '.join(sorted(PROCEDURES))}")
        if not call.procedure and call.name.partition(".")[0] not in _NAMESPACES:
            raise QueryError(f"{call.name}() is refused: free Cypher may call Neo4j's own functions, no plugin's")


def _check_plan(summary: neo4j.ResultSummary) -> None:
    if summary.query_type != "r" or summary.plan is None:
        raise QueryError("the statement would change what is stored, or the server: free Cypher only reads")
    for operator, details in _operators(summary.plan):
        if not OPERATORS.fullmatch(operator):
            raise QueryError(f"Neo4j would do {operator} for this statement: free Cypher only reads")
        if operator == "ProcedureCall" and details.partition("(")[0].replace("`", "").lower() not in _PROCEDURES:
            raise QueryError(f"CALL {details.partition('(')[0]} is refused: free Cypher may call "
                             f"{', '.join(sorted(PROCEDURES))}")  # fmt: skip


def _operators(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = str(plan["operatorType"]).partition("@")[0].partition("(")[0]
    yield name, str(plan.get("args", {}).get("Details", ""))
    for child in plan.get("children", ()):
        yield from _operators(child)


def _marked(value: Any) -> Any:
    """Nodes, relationships and paths as LadybugDB gives them, which is what `store.values` makes plain."""
    if isinstance(value, neo4j.graph.Node):
        return {"_ID": None, "_LABEL": label_of(value.labels), **{k: _marked(v) for k, v in value.items()}}
    if isinstance(value, neo4j.graph.Relationship):
        return {"_ID": None, "_LABEL": value.type, **{k: _marked(v) for k, v in value.items()}}
    if isinstance(value, neo4j.graph.Path):
        return {"_NODES": [_marked(n) for n in value.nodes], "_RELS": [_marked(r) for r in value.relationships]}
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):  # a duration and a point are tuples
        return [_marked(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _in_our_words(error: Neo4jError, limits: Limits) -> CircuitstoreError:
    code = error.code or ""
    said = re.sub(r" \(line \d+, column \d+.*", "", (error.message or code).strip().partition("\n")[0])
    if "TransactionTimedOut" in code or "Terminated" in code:
        return LimitError(f"the query took longer than {limits.timeout:g} s: ask for less")
    if "Memory" in code:
        return LimitError("the query needs more memory than Neo4j lets it have: ask for less")
    if code.endswith("AccessMode"):
        return QueryError("the statement would change what is stored: free Cypher only reads")
    if code.startswith(("Neo.ClientError.Statement.", "Neo.ClientError.Procedure.")):
        return QueryError(f"Neo4j refused: {said}")
    return StoreError(f"Neo4j refused: {said}")
