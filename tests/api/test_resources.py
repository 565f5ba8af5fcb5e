"""Lists against the rows that were loaded, filtered and sorted by Python."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from queries.resources import RESOURCES, Resource
from store.schema import Type
from tests.api.conftest import SEEDS, serving
from tests.api.problems import problem
from tests.queries.world import circuit, clustered

Row = dict[str, Any]
EVERY = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def loaded() -> dict[str, list[Row]]:
    """Everything that was loaded, by table; what several bundles hold, once."""
    tables: dict[str, dict[str, Row]] = {}
    for bundle in (*(circuit(seed) for seed in SEEDS), clustered()):
        for name, rows in bundle.items():
            for row in rows:
                key = row.get("uid") or repr(sorted(row.items(), key=repr))
                tables.setdefault(name, {}).setdefault(key, {}).update(row)
    return {name: list(rows.values()) for name, rows in tables.items()}


LOADED = loaded()


def expected(resource: Resource) -> list[Row]:
    names = [column.name for column in resource.node.columns]
    return [{name: row.get(name) for name in names} for row in LOADED.get(resource.label, [])]


def listed(client: TestClient, resource: Resource, **given: object) -> list[Row]:
    """The rows of all pages, without links."""
    path: str | None = f"/{resource.name}?{urlencode({'limit': 3, **given})}"
    rows: list[Row] = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page["rows"]
        assert len(page["rows"]) == 3 or page["next"] is None
        path = page["next"]
    names = [column.name for column in resource.node.columns]
    return [{name: row[name] for name in names} for row in rows]


def by_uid(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["uid"])


@EVERY
def test_a_list_has_every_node_with_every_property_page_by_page(served: TestClient, resource: Resource) -> None:
    assert listed(served, resource) == by_uid(expected(resource))


@EVERY
def test_pages_are_sorted_by_any_property_in_either_direction_nulls_last(
    served: TestClient, resource: Resource
) -> None:
    for name in resource.sortable:
        rows = by_uid(expected(resource))
        nulls = [row for row in rows if row[name] is None]
        for sort, backwards in ((name, False), (f"-{name}", True)):
            held = sorted((r for r in rows if r[name] is not None), key=lambda row: row[name], reverse=backwards)
            if name != "uid":  # equal ones by uid, in either direction
                held = _stable(held, name)
            assert listed(served, resource, sort=sort) == held + nulls, sort


def _stable(rows: list[Row], name: str) -> list[Row]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return [row for group in groups.values() for row in by_uid(group)]


CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda held, value: held == value,
    ".min": lambda held, value: held is not None and held >= value,
    ".max": lambda held, value: held is not None and held <= value,
    ".contains": lambda held, value: held is not None and value.lower() in held.lower(),
    ".has": lambda held, value: held is not None and value in held,
    ".null": lambda held, value: (held is None) == value,
}


def values(rows: list[Row], name: str, condition: str) -> Iterator[Any]:
    if condition == ".null":
        yield from (True, False)
        return
    held = [row[name] for row in rows if row[name] is not None]
    if condition == ".has":
        yield from {item for items in held for item in items} if held else {"x"}
    elif condition == ".contains":
        yield from {text[1:4].upper() for text in held if len(text) > 4} or {"x"}
    else:
        yield from {*held[:4]} or {1}


@EVERY
def test_every_filter_keeps_what_python_keeps(served: TestClient, resource: Resource) -> None:
    rows = by_uid(expected(resource))
    for parameter, kept in resource.filters.items():
        condition = parameter.removeprefix(kept.column.name)
        for value in values(rows, kept.column.name, condition):
            wanted = [row for row in rows if CONDITIONS[condition](row[kept.column.name], value)]
            given = str(value).lower() if isinstance(value, bool) else value
            assert listed(served, resource, **{parameter: given, "limit": 3}) == wanted, (parameter, value)


@EVERY
def test_related_ones_are_found_by_uid_or_name_and_single_ones_are_columns(
    served: TestClient, resource: Resource
) -> None:
    for relation in resource.relations:
        pairs = [pair for pair in _pairs(resource.label, relation.label) if pair[0] != pair[1]]
        for other in {other for _, other in pairs}:
            wanted = {uid for uid, one in pairs if one == other}
            found = [row["uid"] for row in listed(served, resource, **{relation.name: other})]
            assert found == sorted(wanted)
            if relation.single:
                rows = served.get(f"/{resource.name}", params={"limit": 1000}).json()["rows"]
                assert {row["uid"] for row in rows if row[relation.name] == other} == wanted
    if resource.name == "circuits":
        named = listed(served, resource, task="agreement", model="Toy")
        assert [row["uid"] for row in named] == sorted(circuit(seed)["Circuit"][0]["uid"] for seed in (0, 1))


def _pairs(label: str, other: str) -> list[tuple[str, str]]:
    """Uids of a label with those of another that a relationship joins them to."""
    tables = {  # those whose name does not tell their ends
        "IN_DICTIONARY": ("Feature", "Dictionary"),
        "USES": ("Circuit", "Dictionary"),
        "TESTS": ("Ablation", "Circuit"),
        "FOR_PROMPT": ("Circuit", "Prompt"),
    }
    pairs = []
    for name, rows in LOADED.items():
        ends = tables.get(name) or tuple(name.partition(".")[2].split("-"))
        if ends == (label, other):
            pairs += [(row["source"], row["target"]) for row in rows]
        elif ends == (other, label):
            pairs += [(row["target"], row["source"]) for row in rows]
    return pairs


@EVERY
def test_one_by_uid_is_the_lists_row_and_all_that_it_links_to_answers(served: TestClient, resource: Resource) -> None:
    first = served.get(f"/{resource.name}", params={"limit": 1}).json()["rows"][0]
    assert first["links"]["self"] == f"/{resource.name}/{first['uid']}"
    (row,) = served.get(first["links"]["self"]).json()["rows"]
    links = row.pop("links")
    assert row == {name: value for name, value in first.items() if name != "links"}
    assert first["links"].items() <= links.items()
    for path in links.values():
        assert served.get(path).status_code == 200, path


def test_links_of_a_circuit_lead_to_its_task_its_dictionaries_and_its_graph(served: TestClient) -> None:
    uid = circuit(1)["Circuit"][0]["uid"]
    links = served.get(f"/circuits/{uid}").json()["rows"][0]["links"]
    assert links["task"] == "/tasks/task:agreement"
    assert "prompt" not in links
    assert {row["uid"] for row in served.get(links["dictionaries"]).json()["rows"]} == {
        row["target"] for row in circuit(1)["USES"]
    }
    assert {row["uid"] for row in served.get(links["ablations"]).json()["rows"]} == {
        row["uid"] for row in circuit(1)["Ablation"]
    }
    assert links["graph"] == f"/circuits/{uid}/graph"
    assert links["top_nodes"] == f"/queries/top_nodes?circuit={uid}"


def test_several_filters_and_sort_keys_hold_at_once(served: TestClient) -> None:
    given = {"layer.min": 1, "layer.max": 2, "density.null": "false", "sort": "-density,layer,-uid"}
    rows = [row for row in expected(RESOURCES["features"]) if row["layer"] in (1, 2) and row["density"] is not None]
    rows.sort(key=lambda row: row["uid"], reverse=True)
    rows.sort(key=lambda row: (-row["density"], row["layer"]))
    assert listed(served, RESOURCES["features"], **given) == rows
    assert len(rows) == 4


def test_a_page_goes_on_behind_the_last_row_whatever_its_values(served: TestClient) -> None:
    """Sorted by what is null for most: the cursor then holds nulls."""
    sort = "-max_activation,density,-label"
    assert len({row["uid"] for row in listed(served, RESOURCES["features"], sort=sort)}) == 20


def cursor(*held: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/circuits?colour=red", "no parameter 'colour'"),
        ("/circuits?faithfulnes=1", "did you mean faithfulness"),
        ("/circuits?kept=true", "no parameter 'kept'"),
        ("/circuits?faithfulness.min=high", "faithfulness.min: 'high' is not a number"),
        ("/circuits?faithfulness.min=NaN", "is not a number"),
        ("/circuits?n_nodes=1.5", "n_nodes: '1.5' is not a whole number"),
        ("/circuits?n_nodes=99999999999999999999", "is not a whole number"),
        ("/circuits?cpr.null=perhaps", "is not true or false"),
        ("/circuits?sort=size", "sort: 'size' is nothing to sort by; there are uid, name"),
        ("/features?sort=top_tokens", "sort: 'top_tokens' is nothing to sort by"),
        ("/circuits?sort=name,-name", "'name' is named twice"),
        ("/circuits?sort=name)%20RETURN%201//", "is nothing to sort by"),
        ("/circuits?limit=0", "limit: '0' is not a whole number from 1 to 10000"),
        ("/circuits?limit=10001", "from 1 to 10000"),
        ("/circuits?cursor=x", "cursor: 'x' is none that a page of this list linked to"),
        ("/circuits?cursor=%C3%A9", "is none that a page"),
        (f"/circuits?cursor={cursor('uid')}", "is none that a page"),
        (f"/circuits?cursor={cursor('uid', 1)}", "is none that a page"),
        (f"/circuits?cursor={cursor('uid', None)}", "is none that a page"),
        (f"/circuits?cursor={cursor('name,uid', 'a', 'b')}", "it belongs to sort=name,uid"),
        (f"/circuits?cursor={base64.urlsafe_b64encode(b'[' * 9000).decode()}", "is none that a page"),
        ("/circuits?name=%00", "is not text"),
        ("/circuits?name=a&name=b", "name is given twice"),
    ],
)
def test_what_a_list_cannot_mean_is_refused_by_parameter_with_what_there_is(
    served: TestClient, path: str, said: str
) -> None:
    assert said in problem(served.get(path), 400)


def test_a_list_keeps_the_row_limit_by_smaller_pages(served: TestClient) -> None:
    from api.settings import Settings

    with serving(served.app.state.store, Settings(row_limit=2)) as client:  # type: ignore[attr-defined]
        page = client.get("/features?limit=10").json()
        assert len(page["rows"]) == 2
        assert page["next"]


def test_columns_are_the_schemas_and_no_parameter_hides_another() -> None:
    for resource in RESOURCES.values():
        assert list(resource.returns)[: len(resource.node.columns)] == [c.name for c in resource.node.columns]
        assert not {"format", "links"} & {*resource.params, *resource.returns}
        assert all(c.type is not Type.STRINGS for c in resource.sortable.values())
