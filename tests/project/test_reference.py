from pathlib import Path

import pytest

from queries.catalogue import catalogue
from tests.program.test_program import run
from tests.project.readme import ROOT


@pytest.mark.parametrize("page", ["schema.md", "queries.md"])
def test_the_reference_pages_are_what_the_program_writes(tmp_path: Path, page: str) -> None:
    assert run("docs", str(tmp_path)).returncode == 0
    assert (ROOT / "docs" / page).read_text() == (tmp_path / page).read_text(), "run: circuitstore docs"


def test_the_page_of_queries_has_each_with_its_parameters_columns_and_calls() -> None:
    text = (ROOT / "docs" / "queries.md").read_text()
    for query in catalogue():
        section = text.split(f"\n### {query.name}\n")[1].split("\n### ")[0]
        assert query.summary in section
        assert f"circuitstore query {query.name}" in section
        assert f"/queries/{query.name}" in section
        assert all(f"| {name} |" in section for name in (*query.params, *query.returns))
        assert all(query_text in section for query_text in query.texts.values())
        assert ("Runs in Python" in section) == bool(query.function)
