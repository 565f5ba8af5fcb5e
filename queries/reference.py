"""The catalogue as a page of documentation: `circuitstore docs` writes it, and a test keeps it current."""

from collections.abc import Iterator
from itertools import groupby

from queries.catalogue import Catalogue
from queries.parameters import FirstRow, Parameter
from queries.query import Query

_FOLDERS = {
    "clusters": "Groups of features: how good they are, who is in them, what they do to each other.",
    "evidence": "What was measured, beside what was predicted.",
    "lineage": "How features continue from dictionary to dictionary: matches, which no circuit owns.",
    "paths": "What acts on what, and through what.",
    "provenance": "Where it all came from.",
    "recurrence": "What returns over circuits, prompts and tasks; and how features and texts are found.",
    "structure": "What is stored, and how one circuit is made.",
}


def page(catalogue: Catalogue) -> str:
    """The page, as Markdown. Raises KeyError for a folder that nobody described."""
    return "\n".join(_lines(catalogue)) + "\n"


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield "# The catalogue of queries"
    yield ""
    yield "Made from the files in `queries/` by `circuitstore docs`. Each query answers on both databases, with"
    yield "the same rows. A parameter with a default may be left out. Where it says *runs in Python*, the Cypher"
    yield "fetches what a function of `queries/graphs/` makes the rows of."
    for folder, group in groupby(catalogue, key=lambda query: query.folder):
        queries = list(group)
        yield from ("", f"## {folder}", "", _FOLDERS[folder], "")
        yield from (f"- [{query.name}](#{query.name}): {query.summary}" for query in queries)
        for query in queries:
            yield from _query(query)


def _query(query: Query) -> Iterator[str]:
    given = [(p.name, _example(p)) for p in query.params.values() if p.required]
    words, string = "".join(f" {name}={value}" for name, value in given), "&".join(f"{n}={v}" for n, v in given)
    yield from (
        "",
        f"### {query.name}",
        "",
        query.summary + (" *Runs in Python.*" if query.runs == "python" else ""),
        "",
    )
    yield from ("```sh", f"circuitstore query {query.name}{words}")
    yield f"curl 'http://127.0.0.1:8000/queries/{query.name}{'?' if given else ''}{string}'"
    yield "```"
    if query.params:
        yield from ("", "| parameter | type | default | meaning |", "|---|---|---|---|")
        for p in query.params.values():
            yield f"| {p.name} | {p.allowed()} | {_default(p)} | {_cell(p.help)} |"
    yield from ("", "| column | meaning |", "|---|---|")
    yield from (f"| {column} | {_cell(meaning)} |" for column, meaning in query.returns.items())
    shared = query.texts["ladybug"] == query.texts["neo4j"]
    for dialect, title in (("neo4j", "Cypher" if shared else "Cypher, on Neo4j"), ("ladybug", "Cypher, on LadybugDB")):
        if dialect == "neo4j" or not shared:
            yield from ("", f"<details><summary>{title}</summary>", "", "```cypher")
            yield from (query.texts[dialect], "```", "</details>")


def _example(parameter: Parameter) -> str:
    return parameter.name.upper() if isinstance(parameter.example, FirstRow) else str(parameter.example)


def _default(parameter: Parameter) -> str:
    return "required" if parameter.required else "all" if parameter.default == "" else f"{parameter.default}".lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
