"""What a route can ask for, each an annotated type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.settings import Settings
from queries.catalogue import Catalogue
from queries.limits import Limits
from store.database import Rows, Store


@dataclass(frozen=True)
class Asked:
    """A request, and what there is to answer it."""

    request: Request
    store: Store
    settings: Settings
    catalogue: Catalogue

    def limits(self) -> Limits:
        """What the service lets it take, from now on."""
        return Limits(self.settings.time_limit, self.settings.row_limit, self.settings.hop_limit)

    def query(self, name: str, given: Mapping[str, object], limits: Limits) -> Rows:
        """The rows of a query of the catalogue."""
        return self.catalogue.run(self.store, name, given, timeout=limits.left(), row_limit=limits.rows)


async def _asked(request: Request) -> Asked:
    state = request.app.state
    return Asked(request, state.store, state.settings, state.catalogue)


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


AskedDep = Annotated[Asked, Depends(_asked)]
StoreDep = Annotated[Store, Depends(_store)]
