from tests.neo4j_server import Neo4j


def test_a_real_neo4j_answers_and_can_be_emptied(neo4j: Neo4j) -> None:
    neo4j.driver.execute_query("UNWIND range(1, 1000) AS i CREATE (:Thing {i: i})-[:NEXT]->(:Thing)")
    neo4j.empty()
    records, _, _ = neo4j.driver.execute_query("MATCH (n) RETURN count(n) AS left")
    assert records[0]["left"] == 0
