"""What an open transaction of a database must be able to do for a load or a delete.

The two adapters implement it; what is done with it stands in `store/loading.py` and `store/deleting.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from store.schema import Column, Table, Type

UIDS = (Column("uid", Type.STRING, "Uid."),)
"""What a query that returns uids reads."""


class Transaction(Protocol):
    """Reads and writes in one transaction. Tables have the columns of the schema, and `kept` where nodes are shared."""

    def read(self, text: str, columns: Sequence[Column], params: Mapping[str, Any] | None = None) -> pa.Table:
        """The answer to a query as a table of these columns."""

    def write(self, text: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""

    def stored(self, of: Table, keys: pa.Table) -> pa.Table:
        """Those rows of a table that are stored under some of the given keys, in any order."""

    def insert(self, of: Table, rows: pa.Table) -> None:
        """Store rows of which none is stored."""

    def update(self, of: Table, rows: pa.Table) -> None:
        """Give stored rows these values."""

    def remove(self, of: Table, keys: pa.Table) -> None:
        """Remove stored relationships by source and target."""
