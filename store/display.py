"""What a person sees of the graph in Neo4j Browser, which colours by label and captions by one property.

Nodes of a circuit get a second label by their kind, and nodes and edges a caption. Only Neo4j holds them: they are
made from what is stored, and no part of bundles, answers or digests.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from store.schema import TABLES, Table

CAPTION = "caption"

KIND_LABELS: Mapping[str, str] = {
    "feature": "FeatureNode",
    "error": "ErrorNode",
    "token": "TokenNode",
    "logit": "LogitNode",
    "metric": "MetricNode",
    "head": "HeadNode",
    "mlp": "MlpNode",
}
"""The second label of a circuit node, by its kind."""
_SECOND_LABELS = frozenset(KIND_LABELS.values())


def label_of(labels: Iterable[str]) -> str:
    """The label of the schema, or of bookkeeping, among those that a node has; '' where it has none."""
    return next((label for label in labels if label not in _SECOND_LABELS), "")


def displayed(of: Table, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows in parts, each with a second label, or '', and a caption where they get one."""
    made = _CAPTIONS.get(of.name)
    if made is not None:
        captions = [made(row) for row in rows.select(_read(of)).to_pylist()]
        rows = rows.append_column(CAPTION, pa.array(captions, pa.string()))
    if of.name != "CircuitNode":
        yield "", rows
        return
    for kind in pc.unique(rows["kind"]).to_pylist():
        yield KIND_LABELS[kind], rows.filter(pc.equal(rows["kind"], kind))


def _read(of: Table) -> list[str]:
    return [column.name for column in of.columns if column.name in _READ]


_READ = {"kind", "layer", "index", "position", "token", "weight"}


def _node(row: Mapping[str, Any]) -> str:
    """`13:1363 @subject`; a token's or a logit's text alone."""
    where = row["token"] if row["token"] is not None else row["position"]
    if row["kind"] in ("token", "logit") and row["token"] is not None:
        return f"‘{row['token']}’"
    if row["kind"] == "metric":
        return "metric"
    named = "" if row["kind"] in ("feature", "token", "logit") else f"{row['kind']} "
    numbers = ":".join(str(row[name]) for name in ("layer", "index") if row[name] is not None)
    return f"{named}{numbers}" + ("" if where is None else f" @{where}")


def _feature(row: Mapping[str, Any]) -> str:
    return f"{row['layer']}:{row['index']}"


def _edge(row: Mapping[str, Any]) -> str:
    """Two digits, and always a sign: the Browser can't colour by one."""
    return f"{row['weight']:+.2g}".replace("-", "−")


_CAPTIONS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "CircuitNode": _node,
    "Feature": _feature,
    "ATTRIBUTES_TO": _edge,
}
assert set(_CAPTIONS) <= set(TABLES)
