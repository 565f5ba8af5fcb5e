"""The Cypher script against the real Neo4j, which is asked what it made of it."""

import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.formats import cypher_script
from store.database import open_store
from store.digest import content_hash, in_order
from store.export import circuit_tables, completed
from store.schema import TABLES
from tests.graphs import random_bundle
from tests.neo4j_server import Neo4j

TEXTS = ["it's", '"', "\\", "\\'", "\\u0027", "\\\\u0027 OR 1", "\\U0001F600", "a\nb\r\tc",
         "; MATCH (n) DETACH DELETE n;\n", "// no", "/* no */", "`", "{}", "$x", "\u2028\x00\x1f", "é😀"]  # fmt: skip


def run(neo4j: Neo4j, script: str) -> None:
    """Runs each statement, as a shell would that knows no quotes."""
    with neo4j.driver.session() as session:
        for statement in script.split(";\n"):
            if statement:
                session.run(statement).consume()


def script_of(tables: dict[str, pa.Table]) -> str:
    out = io.BytesIO()
    cypher_script.write(tables, out)
    return out.getvalue().decode()


def hashes(tables: dict[str, pa.Table]) -> dict[str, str]:
    return {name: content_hash(in_order(table, TABLES[name]), TABLES[name]) for name, table in tables.items()}


@pytest.mark.parametrize("times", [1, 2])
def test_the_script_rebuilds_a_circuit_in_an_empty_neo4j(
    neo4j: Neo4j, empty_neo4j_url: str, ladybug_url: str, tmp_path: Any, times: int
) -> None:
    bundle = random_bundle(tmp_path / "bundle", n_nodes=60, n_edges=1200, n_layers=6, analyses=True, inputs=True)
    uid = bundle.table("Circuit")["uid"][0].as_py()
    with open_store(ladybug_url) as store:
        store.load(bundle)
        tables = completed(store, circuit_tables(store, [uid]))
    script = script_of(tables)
    for _ in range(times):
        run(neo4j, script)
    with open_store(empty_neo4j_url) as other:
        rebuilt = completed(other, circuit_tables(other, [uid]))
        assert hashes(rebuilt) == hashes(tables)
        counted = other.run("MATCH (n) RETURN count(n) AS n UNION ALL MATCH ()-[r]->() RETURN count(r) AS n").rows
    nodes = sum(table.num_rows for name, table in tables.items() if TABLES[name].is_node)
    assert [row[0] for row in counted] == [nodes + 1, sum(t.num_rows for t in tables.values()) - nodes]  # + Store


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.one_of(
        st.sampled_from(TEXTS),
        st.text(),
        st.text(alphabet="\\u'0027U\n;\"/*`"),
        st.integers(-(2**63) + 1, 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.lists(st.text()),
    )
)
def test_neo4j_reads_a_literal_as_the_value_that_it_was_made_of(neo4j: Neo4j, value: Any) -> None:
    with neo4j.driver.session() as session:
        found = session.run(f"RETURN {cypher_script.literal(value)} AS x, 1 AS y").data()
    assert found == [{"x": value, "y": 1}]
