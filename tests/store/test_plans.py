"""LadybugDB keeps a plan, and its memory, of each text that a connection ran: what is kept must have an end."""

from itertools import permutations
from pathlib import Path

from queries.limits import Limits
from queries.pages import page
from queries.resources import RESOURCES
from store.database import open_store
from store.settings import StoreSettings
from tests.queries.loading import load_world


def test_ever_new_texts_do_not_fill_the_memory(tmp_path: Path) -> None:
    url = f"ladybug:{tmp_path / 'store.lbug'}"
    with open_store(url) as store:
        load_world(store, tmp_path, range(2))
    sorts = list(permutations(("kind", "-n_nodes", "metric", "-faithfulness"), 3))
    with open_store(url, read_only=True, settings=StoreSettings(store=url, ladybug_memory=128)) as store:
        for sort in sorts:
            cursor = ""
            while True:
                given = {"sort": ",".join(sort), "limit": 3, "cursor": cursor}
                found = page(store, RESOURCES["ablations"], given, Limits(60, 100, 8))
                cursor = found.cursor
                if not cursor:
                    break
