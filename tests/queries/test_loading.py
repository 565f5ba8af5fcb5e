"""The catalogue's rules: each breach is refused by name, before any database sees the text."""

from pathlib import Path

import pytest

from queries.catalogue import FOLDER, catalogue, load_catalogue
from queries.query import returned
from store.errors import CatalogueError

GOOD = """\
// summary = "Circuits of a method."
// [params.method]
// type = "string"
// help = "The method."
// example = "ig"
// [returns]
// uid = "The circuit."
MATCH (c:Circuit) WHERE c.method = $method
RETURN c.uid AS uid
ORDER BY uid
"""

HOPS = """\
// [params.max_hops]
// type = "hops"
// help = "Edges."
// default = 2
// min = 1
// max = 4
"""


def load(folder: Path, text: str, **others: str) -> str:
    """The message of the refusal, or an empty one."""
    (folder / "some").mkdir(exist_ok=True)
    (folder / "some" / "good.cypher").write_text(text)
    for name, other in others.items():
        (folder / "some" / f"{name.replace('__', '.')}.cypher").write_text(other)
    try:
        load_catalogue(folder)
    except CatalogueError as error:
        return str(error)
    return ""


def test_a_file_that_keeps_the_rules_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("$method", "$methods", "undeclared: $methods"),
        ("c.method = $method", "c.method = 'ig'", "unused: $method"),
        ("c.uid AS uid", "c.uid AS id", "returns ['id']"),
        ("c.uid AS uid", "c.uid AS uid, c.name AS name", "returns ['uid', 'name']"),
        ("summary = ", "sumary = ", "sumary: Extra inputs"),
        ("// help = ", "// hint = ", "hint: Extra inputs"),
        ('"string"', '"text"', "type: Input should be"),
        ("// example", "// min = 1 1\n// example", "its header"),
        ('// example = "ig"\n', "", "needs an example"),
        ('"string"', '"int"', "is not a whole number"),
        ('example = "ig"', 'example = { query = "none", column = "uid" }', "no none.uid to take"),
        ("// example", '// label = "Circuit"\n// example', "only a uid has one"),
        ("c.method = $method", "c.method = ${method}", "bind it"),
        (":Circuit)", ":circuit)", "case counts"),
        (":Circuit)", ":Circuits)", "no such label"),
        ("c.uid AS uid", "log(c.n_nodes) AS uid", "base 10"),
        ("c.uid AS uid", "labels(c) AS uid", "a string in LadybugDB"),
        ("c.uid AS uid", "substring(c.uid, 1, 2) AS uid", "from 1"),
        ("c.uid AS uid", "collect(c.uid)[0] AS uid", "from 1"),
        ("c.uid AS uid", "'x' + c.uid AS uid", "text + null"),
        ("c.uid AS uid", "id(c) AS uid", "internal"),
        ("c.uid AS uid", "toString(c.n_nodes) AS uid", "lacks"),
        (":Circuit)", ":Circuit:Model)", "means and in Neo4j"),
        ("(c:Circuit)", "(c:Circuit)-[:USES*]->(d:Dictionary)", "needs bounds"),
        ("(c:Circuit)", "(c:Circuit)-[:USES*2..]->(d:Dictionary)", "upper bound"),
        ("c.method = $method", "all(x IN [1] WHERE x = $method)", "wrong rows"),
        ("RETURN", "WITH c ORDER BY c.uid LIMIT 5 WITH collect(c.uid) AS uids RETURN", "forgets ORDER BY"),
        ("RETURN", "SET c.name = 'x' RETURN", "only reads"),
        ("RETURN", "CALL db.propertyKeys() YIELD propertyKey RETURN", "only the full-text index"),
        ("// summary", '// runs = "python"\n// summary', "knows no function"),
        ("// summary", '// runs = "sql"\n// summary', "runs: Input should be"),
        ("ORDER BY uid", "ORDER BY uid;", "one statement"),
    ],
)
def test_a_breach_is_refused_and_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    message = load(tmp_path, GOOD.replace(old, new))
    assert message.startswith("good")
    assert said in message


def test_hops_are_written_into_the_text_and_never_bound(tmp_path: Path) -> None:
    text = GOOD.replace("// [returns]", HOPS + "// [returns]")
    walk = "MATCH (c:Circuit)-[:USES*1..{}]->(:Dictionary)"
    assert load(tmp_path, text.replace("MATCH (c:Circuit)", walk.format("${max_hops}"))) == ""
    assert "hops are written" in load(tmp_path, text.replace("MATCH (c:Circuit)", walk.format("$max_hops")))


def test_an_override_is_a_body_and_keeps_the_same_contract(tmp_path: Path) -> None:
    body = GOOD[GOOD.index("MATCH") :]
    assert load(tmp_path, GOOD, good__ladybug=body) == ""
    assert "no header" in load(tmp_path, GOOD, good__ladybug=GOOD)
    assert "returns ['name']" in load(tmp_path, GOOD, good__ladybug=body.replace("uid AS uid", "uid AS name"))
    assert "unused: $method" in load(tmp_path, GOOD, good__ladybug=body.replace("$method", "'ig'"))


def test_an_override_may_not_transform_lists_in_ladybugdb(tmp_path: Path) -> None:
    body = "MATCH (c:Circuit) WHERE c.method = $method RETURN list_transform([c.uid], x -> x) AS uid ORDER BY uid"
    assert "2,048" in load(tmp_path, GOOD, good__ladybug=body)


def test_what_runs_in_python_fetches_what_its_function_reads_and_declares_what_it_takes(tmp_path: Path) -> None:
    text = (FOLDER / "structure" / "dominators.cypher").read_text()
    (tmp_path / "structure").mkdir()
    file = tmp_path / "structure" / "dominators.cypher"
    circuits = FOLDER / "structure" / "circuits.cypher"
    (tmp_path / "structure" / "circuits.cypher").write_text(circuits.read_text())
    for old, new, said in (
        ("", "", ""),
        ("s.kind AS source_kind, ", "", "needs source_kind"),
        ("LIMIT $max_edges", "", "unused: $max_edges"),
        ("[params.root]", "[params.roots]", "undeclared: $root"),
    ):
        file.write_text(text.replace(old, new))
        try:
            load_catalogue(tmp_path)
            message = ""
        except CatalogueError as error:
            message = str(error)
        assert said in message
        assert bool(said) == bool(message)


def test_an_override_of_nothing_or_for_no_database_is_refused(tmp_path: Path) -> None:
    assert "override of nothing" in load(tmp_path, GOOD, other__ladybug="MATCH (c:Circuit) RETURN c.uid AS uid")
    (tmp_path / "some" / "other.ladybug.cypher").unlink()
    assert "override of nothing" in load(tmp_path, GOOD, good__kuzu="MATCH (c:Circuit) RETURN c.uid AS uid")


def test_two_queries_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "good.cypher").write_text(GOOD)
    assert "two files" in load(tmp_path, GOOD)


def test_the_columns_of_each_part_of_a_union_are_read_past_subqueries() -> None:
    text = (
        "MATCH (n) RETURN n.a AS a, COUNT { MATCH (n) RETURN n AS x } AS b ORDER BY a UNION ALL RETURN [1, 2] AS a, b"
    )
    assert returned(text) == [["a", "b"], ["a", "b"]]


def test_every_file_beside_the_catalogue_is_in_it() -> None:
    names = {path.name.split(".")[0] for path in FOLDER.rglob("*.cypher")}
    assert names == {query.name for query in catalogue()}


def test_every_query_says_what_it_is_in_one_sentence() -> None:
    for query in catalogue():
        texts = [query.summary, *query.returns.values(), *(p.help for p in query.params.values())]
        assert all(text.endswith(".") and len(text) < 120 for text in texts), query.name
        assert "ORDER BY" in query.texts["ladybug"], f"{query.name}: rows in no order differ between databases"
        assert "ORDER BY" in query.texts["neo4j"], f"{query.name}: rows in no order differ between databases"
