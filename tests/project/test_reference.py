from store.reference import page
from tests.project.readme import ROOT


def test_the_page_of_the_schema_is_the_schema() -> None:
    assert (ROOT / "docs" / "schema.md").read_text() == page(), "run: python -m store.reference > docs/schema.md"
