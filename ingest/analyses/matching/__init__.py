"""Which feature of a later dictionary continues a feature, by three methods, and how good the matches are."""

from collections import defaultdict

import torch

from ingest.analyses.matching.activity import Activity, counting, read, start_of
from ingest.analyses.matching.given import as_text, check_stored, pairs_of, parameters
from ingest.analyses.matching.pair import Pair, match_pair
from ingest.analyses.matching.told import add_pair
from ingest.analyses.registry import Analysing
from ingest.corpus import open_corpus
from ingest.dictionaries import places
from ingest.hooks import Hook
from ingest.memory import free_memory, rows_that_fit
from ingest.progress import step
from ingest.rows import Rows, add_features, add_model


def analyse(given: Analysing) -> Rows:
    """Matches the features of every pair of dictionaries that the recipe names. Raises RecipeError or ModelError."""
    said = given.recipe.matching
    assert said is not None
    pairs = pairs_of(given)
    params = parameters(given)
    check_stored(given, pairs, params)
    activity = _activity(given, pairs)
    rows: Rows = defaultdict(list)
    used = {hook: given.dictionaries[hook] for pair in pairs for hook in pair}
    add_model(rows, given.recipe, given.model, used.values())
    for number, (earlier, later) in enumerate(pairs):
        pair = Pair(given.dictionaries[earlier], given.dictionaries[later])
        with step(f"{earlier.name} → {later.name}") as bar:
            found = match_pair(given, pair, activity, number, bar)
        add_pair(rows, given.model.name, pair, found, said, as_text(params))
    with step("features"):
        every = {hook: range(dictionary.n_features) for hook, dictionary in used.items()}
        add_features(rows, given.model, used, every)
    return rows


def _activity(given: Analysing, pairs: list[tuple[Hook, Hook]]) -> Activity | None:
    """What stands at the hooks while the model reads the corpus; None where the recipe needs none."""
    said, corpus = given.recipe.matching, given.recipe.corpus
    assert said is not None
    if corpus is None:
        return None
    dictionaries = sorted({hook for pair in pairs for hook in pair}, key=lambda hook: hook.depth)
    read_or_written = places(given.dictionaries[hook] for hook in dictionaries)
    hooks = list(dict.fromkeys([*read_or_written, *(start_of(hook) for hook in dictionaries)]))
    contexts = open_corpus(corpus.file, min(corpus.contexts, said.contexts), given.model)
    with step("activations on the corpus") as bar:
        rows = batch_rows(given, contexts.tokens.shape[1], 16)
        found = given.work.tensors(
            "values",
            lambda: {h.name: value for h, value in read(given.model, contexts, hooks, rows, bar).items()},
        )
    values = {hook: found[hook.name] for hook in hooks}
    return Activity(values, counting(values, dictionaries, corpus.max_norm))


def batch_rows(given: Analysing, n_positions: int, most: int) -> int:
    """Contexts that a batch may have."""
    width = max(dictionary.n_features for dictionary in given.dictionaries.values())
    limit = given.memory or free_memory(given.model.device) // 2
    with torch.no_grad():
        return rows_that_fit(
            max(limit // 2, 1), given.model, n_positions, given.model.n_layers, width, gradient=False, most=most
        )
