"""Rows of statements with a UNION, in order: LadybugDB 0.22 gives its parts, and each 2,048 rows of a part, in any."""

from typing import Any

from store.database import Rows

LINEAGE = ("direction", "hops", "feature", "product")
OF_FEATURE = ("direction", "mean_abs_weight", "feature")
OF_NODE = ("direction", "weight", "node", "input")
RECURRING = ("n_circuits", "mean_abs_weight", "source", "target")


def feature_lineage(fetched: Rows) -> list[list[Any]]:
    """Forwards first; in each direction the nearest, and of these the best matches."""
    direction, hops, feature, product = (fetched.columns.index(name) for name in LINEAGE)
    return sorted(
        fetched.rows, key=lambda row: (row[direction] != "forwards", row[hops], -abs(row[product]), row[feature])
    )


def feature_edges(fetched: Rows) -> list[list[Any]]:
    """What acts on it first; in each direction those of the largest mean |weight|."""
    direction, size, feature = (fetched.columns.index(name) for name in OF_FEATURE)
    return sorted(fetched.rows, key=lambda row: (row[direction], -row[size], row[feature]))


def node_edges(fetched: Rows) -> list[list[Any]]:
    """What acts on it first; in each direction those of the largest |weight|."""
    direction, weight, node, head = (fetched.columns.index(name) for name in OF_NODE)
    return sorted(fetched.rows, key=lambda row: (row[direction], -abs(row[weight]), row[node], row[head] or ""))


def recurring_edges(fetched: Rows) -> list[list[Any]]:
    """Those of the most circuits first, and of these those of the largest mean |weight|."""
    n_circuits, size, source, target = (fetched.columns.index(name) for name in RECURRING)
    return sorted(fetched.rows, key=lambda row: (-row[n_circuits], -row[size], row[source], row[target]))
