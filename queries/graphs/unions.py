"""Rows of statements with a UNION, in order: LadybugDB 0.22 gives its parts, and each 2,048 rows of a part, in any."""

from collections.abc import Callable
from typing import Any

from store.database import Rows

LINEAGE = ("direction", "hops", "feature", "product")
OF_FEATURE = ("direction", "mean_abs_weight", "feature")
OF_NODE = ("direction", "weight", "node", "input")
RECURRING = ("n_circuits", "mean_abs_weight", "source", "target")


def feature_lineage(fetched: Rows) -> list[list[Any]]:
    """Forwards first; in each direction the nearest, and of these the best matches."""
    return _in_order(fetched, LINEAGE, lambda way, hops, feature, by: (way != "forwards", hops, -abs(by), feature))


def feature_edges(fetched: Rows) -> list[list[Any]]:
    """What acts on it first; in each direction those of the largest mean |weight|."""
    return _in_order(fetched, OF_FEATURE, lambda way, size, feature: (way, -size, feature))


def node_edges(fetched: Rows) -> list[list[Any]]:
    """What acts on it first; in each direction those of the largest |weight|."""
    return _in_order(fetched, OF_NODE, lambda way, weight, node, head: (way, -abs(weight), node, head or ""))


def recurring_edges(fetched: Rows) -> list[list[Any]]:
    """Those of the most circuits first, and of these those of the largest mean |weight|."""
    return _in_order(fetched, RECURRING, lambda n, size, source, target: (-n, -size, source, target))


def _in_order(fetched: Rows, columns: tuple[str, ...], key: Callable[..., tuple[Any, ...]]) -> list[list[Any]]:
    """The rows by what `key` makes of these columns."""
    at = [fetched.columns.index(name) for name in columns]
    return sorted(fetched.rows, key=lambda row: key(*(row[i] for i in at)))
