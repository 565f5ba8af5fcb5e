"""The analyses by name, and what each is given. Needs no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from ingest.analyses.observable import check_pairs
from ingest.recipe import Recipe

if TYPE_CHECKING:
    from ingest.dictionaries import Dictionary
    from ingest.hooks import Hook
    from ingest.models import LanguageModel
    from ingest.rows import Rows
    from ingest.work import Work
    from store.database import Store

_CIRCUITS = "MATCH (n:Circuit) RETURN n.uid AS uid"

_DICTIONARIES = "MATCH (d:Dictionary) WHERE d.sha256 IS NOT NULL RETURN d.uid + ' ' + d.sha256 AS uid"

ANALYSES: dict[str, str] = {
    "evidence": _CIRCUITS,
    "features": "",
    "matching": _DICTIONARIES,
    "clustering": _CIRCUITS,
    "ablations": f"{_CIRCUITS} UNION MATCH (n:Cluster) RETURN n.uid AS uid",
}
"""Modules of this package, which are sections of a recipe too, in the order in which they run: later ones may ask
what earlier ones found. Each with the query for the uids that it depends on: while those are the same, it is not made
again. Without one, it asks nothing of the store."""

CHECKS: "dict[str, Callable[[Recipe, str, Store], None]]" = {"evidence": check_pairs}
"""What tells a mistake before anything slow begins, given the recipe and its file."""

OF_INGEST = ("evidence",)
"""Those that `ingest` does itself, of the circuit that it computes: alone they are for more than that."""


@dataclass(frozen=True)
class Analysing:
    """What an analysis is given."""

    recipe: Recipe
    where: str
    """The recipe's file, for messages."""
    model: "LanguageModel"
    dictionaries: "dict[Hook, Dictionary]"
    store: "Store"
    """To be asked only: what is found is loaded when it is a bundle."""
    work: "Work"
    memory: int | None
    run: str
    """Uid of the run, for PRODUCED_BY."""


def analysis(name: str) -> "Callable[[Analysing], Rows]":
    """What makes the analysis of that name."""
    made: Callable[[Analysing], Rows] = import_module(f"ingest.analyses.{name}").analyse
    return made
