"""The formats, by name; and which one a file is of."""

from ingest.formats import archive, attribution_graph, cypher_script, feature_circuits, graphml, mib, tables
from ingest.formats.format import Format, Source
from store.errors import UsageError

_ALL = (
    attribution_graph.FORMAT, mib.FORMAT, feature_circuits.FORMAT, graphml.FORMAT, tables.PARQUET, tables.CSV,
    cypher_script.FORMAT,
)  # fmt: skip

FORMATS: dict[str, Format] = {one.name: one for one in _ALL}


def readable(name: str) -> Format:
    """The format to read with. Raises UsageError where there is none of that name."""
    return _named(name, [one for one in FORMATS.values() if one.read], "read", archive.NAME)


def writable(name: str) -> Format:
    """The format to write with. Raises UsageError where there is none of that name."""
    return _named(name, [one for one in FORMATS.values() if one.write or one.write_folder], "written")


def recognised(source: Source) -> Format | None:
    """The first format that knows a file by its name and first bytes."""
    for one in FORMATS.values():
        if one.read and one.sniff and one.sniff(source.name, source.head):
            return one
    return None


def _named(name: str, among: list[Format], done: str, *others: str) -> Format:
    for one in among:
        if one.name == name:
            return one
    raise UsageError(
        f"--format: {name!r} can't be {done}; there are {', '.join([*(one.name for one in among), *others])}"
    )
