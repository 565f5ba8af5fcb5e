"""A feature's lineage in order: LadybugDB 0.22 gives the two parts of a UNION in either."""

from typing import Any

from store.database import Rows

COLUMNS = ("direction", "hops", "feature", "product")


def feature_lineage(fetched: Rows) -> list[list[Any]]:
    """Forwards first; in each direction the nearest, and of these the best matches."""
    direction, hops, feature, product = (fetched.columns.index(name) for name in COLUMNS)
    return sorted(
        fetched.rows, key=lambda row: (row[direction] != "forwards", row[hops], -abs(row[product]), row[feature])
    )
