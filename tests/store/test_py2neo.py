"""Scripts that were written for py2neo go on, against a Neo4j that holds circuits."""

import warnings
from pathlib import Path

from queries.catalogue import catalogue
from store.database import open_store
from tests.neo4j_server import Neo4j
from tests.queries.loading import load_world

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import py2neo


def test_py2neo_reads_the_graph_and_asks_queries_of_the_catalogue(
    neo4j: Neo4j, empty_neo4j_url: str, tmp_path: Path
) -> None:
    with open_store(empty_neo4j_url) as store:
        load_world(store, tmp_path, range(2))
        graph = py2neo.Graph(empty_neo4j_url, auth=(neo4j.user, neo4j.password))
        for name in ("circuits", "top_edges", "top_nodes", "hubs"):
            query = catalogue()[name]
            text, bound = query.text("neo4j", query.arguments(catalogue().example(store, name)))
            rows = [list(record.values()) for record in graph.run(text, bound)]
            assert rows == store.run(text, bound).rows
            assert rows
        circuits = sorted(node["uid"] for node in graph.nodes.match("Circuit"))
        assert circuits == [row[0] for row in store.run("MATCH (c:Circuit) RETURN c.uid ORDER BY c.uid").rows]
        edge = graph.relationships.match(r_type="ATTRIBUTES_TO").first()
        assert isinstance(edge["weight"], float)
        assert {"CircuitNode"} <= set(edge.start_node.labels)
        table = graph.run("MATCH (n:CircuitNode) RETURN n.kind AS kind, count(*) AS n ORDER BY kind").to_data_frame()
        graph.service.connector.close()
        assert table["n"].sum() == store.run("MATCH (n:CircuitNode) RETURN count(*)").rows[0][0]
