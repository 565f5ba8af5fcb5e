"""A circuit as a Cypher script that rebuilds it in any Neo4j: `cypher-shell -f circuit.cypher` runs it.

Running it twice changes nothing more. What the store makes itself (FEEDS) is no part of it. Knows nothing of databases.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow.compute as pc

from ingest.formats.format import Format, Tables
from store.schema import TABLES, Table

ROWS = 500
"""Rows a statement: Neo4j reads larger ones more slowly, row by row."""

_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(tables: Tables, out: BinaryIO) -> None:
    held = [of for name, of in TABLES.items() if name in tables and tables[name].num_rows]
    for of in held:
        if of.is_node:
            text = f"CREATE CONSTRAINT uid_of_{of.name} IF NOT EXISTS FOR (n:{of.name}) REQUIRE n.uid IS UNIQUE;\n"
            out.write(text.encode())
    for of in held:
        table = tables[of.name]
        keyless = [pc.is_null(table[key]) for key in of.keys[2:]]
        for part, merge in (
            (table.filter(pc.invert(keyless[0])) if keyless else table, _merge(of)),
            (table.filter(keyless[0]) if keyless else table.slice(0, 0), _merge_keyless(of)),
        ):
            for batch in part.to_batches(max_chunksize=ROWS):
                rows = ",\n  ".join(_rows(of, batch.to_pylist()))
                out.write(f"UNWIND [\n  {rows}\n] AS row\n{merge};\n".encode())


def _rows(of: Table, rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        ends = [] if of.is_node else [row["source"], row["target"]]
        held = {c.name: row[c.name] for c in of.properties if row[c.name] is not None}
        yield literal([*ends, held])


def _merge(of: Table) -> str:
    if of.is_node:
        return f"MERGE (n:{of.name} {{uid: row[0].uid}})\nSET n += row[0]"
    keys = ", ".join(f"`{key}`: row[2].`{key}`" for key in of.keys[2:])
    return f"{_ends(of)}\nMERGE (a)-[r:{of.type}{f' {{{keys}}}' if keys else ''}]->(b)\nSET r += row[2]"


def _merge_keyless(of: Table) -> str:
    """The same where the key is null, which MERGE can't say."""
    there = " AND ".join(f"r.`{key}` IS NULL" for key in of.keys[2:])
    return (
        f"{_ends(of)}\nWHERE NOT EXISTS {{ (a)-[r:{of.type}]->(b) WHERE {there} }}\n"
        f"CREATE (a)-[r:{of.type}]->(b)\nSET r += row[2]"
    )


def _ends(of: Table) -> str:
    return f"MATCH (a:{of.source} {{uid: row[0]}}), (b:{of.target} {{uid: row[1]}})"


def literal(value: Any) -> str:
    """A value of the schema, or a list or map of some, as Cypher writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"`{key}`: {literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, str):
        text = "".join(_ESCAPED.get(character, character) for character in value)
        # Neo4j reads \u0027 as a quote before it reads anything else: so no backslash may stand before a u.
        return "'" + text.replace("\\u", "\\' + 'u").replace("\\U", "\\' + 'U") + "'"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


FORMAT = Format("cypher", ".cypher", "A script that rebuilds the circuit in any Neo4j.", write=write)
