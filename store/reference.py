"""The schema as a page of documentation: `circuitstore docs` writes it, and a test keeps it current."""

from collections.abc import Iterable, Iterator

from store.schema import BOOKKEEPING, NODES, RELATIONSHIPS, SCHEMA_VERSION, Column


def page() -> str:
    """The page, as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f"# The graph's schema, version {SCHEMA_VERSION}"
    yield ""
    yield "Made from `store/schema.py` by `circuitstore docs`. The same in a bundle's Parquet files, in"
    yield "LadybugDB and in Neo4j. A property in *italics* may be null."
    yield ""
    yield "## Nodes"
    for node in NODES:
        yield ""
        yield f"### {node.label}"
        yield ""
        yield node.meaning + ("" if node.shared else " Belongs to one circuit, and is deleted with it.")
        yield ""
        yield from _table(node.columns)
    yield ""
    yield "## Relationships"
    for relationship in RELATIONSHIPS:
        ends = ", ".join(f"({source})→({target})" for source, target in relationship.endpoints)
        yield ""
        yield f"### {relationship.type}"
        yield ""
        yield f"{ends}. {relationship.meaning}" + (
            " Kept by the store; no part of a bundle." if relationship.derived else ""
        )
        if relationship.columns:
            yield ""
            yield from _table(relationship.columns)
    yield ""
    yield "## Bookkeeping"
    yield ""
    yield (
        "A database also holds these, for the store's own use: " + ", ".join(f"`{n.label}`" for n in BOOKKEEPING) + "."
    )


def _table(columns: Iterable[Column]) -> Iterator[str]:
    yield "| property | type | unit | meaning |"
    yield "|---|---|---|---|"
    for column in columns:
        name = f"*{column.name}*" if column.optional else column.name
        yield f"| {name} | {column.type} | {column.unit} | {column.meaning} |"
