"""Which stored circuits a recipe may observe more of: those whose effects were observed on as many pairs as it says.

All observed effects of a circuit are means over the same pairs, or they could not be compared. Needs no torch.
"""

from ingest.recipe import Recipe
from ingest.weights import model_uid
from store.database import Store
from store.errors import RecipeError

_OBSERVED = """
MATCH (c:Circuit)-[:OF_MODEL]->(m:Model) WHERE m.uid = $model AND c.aggregation = 'task'
MATCH (c)-[:FOR_TASK]->(t:Task)
RETURN c.uid AS circuit, c.observed_pairs AS observed, t.n_pairs AS pairs ORDER BY circuit
"""


def check_pairs(recipe: Recipe, where: str, store: Store) -> None:
    """Raises RecipeError where circuits are stored, and every one was observed on another number of pairs."""
    reasons = reasons_against(recipe, where, store)
    first = next(iter(reasons.values()), None)
    if first is not None and None not in reasons.values():
        raise RecipeError(first)


def reasons_against(recipe: Recipe, where: str, store: Store) -> dict[str, str | None]:
    """Why the recipe can't observe more of a circuit, by its uid; None where it can."""
    model = model_uid(recipe.model.source, recipe.model.name)
    found: dict[str, str | None] = {}
    for circuit, observed, pairs in store.run(_OBSERVED, {"model": model}).rows:
        wanted = min(recipe.evidence.pairs, pairs)
        found[circuit] = None if observed in (None, wanted) else (
            f"{where}: evidence.pairs: {circuit} was observed on {observed} pairs, and observations on this recipe's "
            f"{wanted} would not compare: set it to {observed}, or ingest into another store (--store)"
        )  # fmt: skip
    return found
