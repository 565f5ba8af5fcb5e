"""What every feature of the recipe's dictionaries is, seen from a corpus and from its decoder.

Asks nothing of the store: what it finds depends on the model, the dictionaries and the corpus alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from torch import Tensor

from ingest.analyses.features.activity import Activity, Reading, activities
from ingest.analyses.features.texts import Text, label
from ingest.analyses.registry import Analysing
from ingest.corpus import Corpus, open_corpus
from ingest.description import promoted_ids, token_texts
from ingest.dictionaries import Dictionary
from ingest.memory import free_memory, rows_that_fit
from ingest.models import LanguageModel
from ingest.progress import step
from ingest.recipe import FeaturesSection
from ingest.rows import Row, Rows, add_feature, add_model
from store.uids import dictionary_uid

_SPARE = 3
"""Contexts that are kept for each that is shown: many texts occur more than once."""
_BATCH = 32
"""Contexts of a batch, at most."""


def analyse(given: Analysing) -> Rows:
    """A row for each feature of each dictionary. Raises ModelError for a corpus that is none."""
    model, dictionaries = given.model, given.dictionaries
    said, chosen = given.recipe.features, given.recipe.corpus
    assert said is not None
    assert chosen is not None  # the recipe was checked
    corpus = open_corpus(chosen.file, chosen.contexts, model)
    rows: Rows = defaultdict(list)
    add_model(rows, given.recipe, model, dictionaries.values())
    with step(f"activations on {corpus.n_tokens} tokens") as bar:
        reading = Reading(_contexts_of_a_batch(given, corpus), _SPARE * said.examples, chosen.max_norm)
        found = activities(model, dictionaries, corpus, reading, given.work, bar)
    with step("tokens promoted and suppressed") as bar:
        bar.of(len(dictionaries))
        ids = {}
        for hook, dictionary in dictionaries.items():
            ids[hook] = given.work.tensors(f"tokens-{hook.name}", partial(_promoted, model, dictionary))["ids"]
            bar.advance()
    with step("contexts and labels") as bar:
        bar.of(len(dictionaries))
        texts = [Text.of(model.tokenizer, tokens) for tokens in corpus.tokens.tolist()]
        for hook in dictionaries:
            properties = described(model, texts, found[hook], ids[hook], said)
            for index, properties_of_one in enumerate(properties):
                add_feature(rows, dictionary_uid(model.name, hook.name), hook, index, properties_of_one)
            bar.advance()
    return rows


def described(
    model: LanguageModel, texts: Sequence[Text], activity: Activity, ids: Tensor, said: FeaturesSection
) -> list[Row]:
    """The properties of each feature of one dictionary.

    texts: of the corpus's contexts. ids: tokens promoted and suppressed, [features, 2, n].
    """
    rows: list[Row] = []
    columns = (activity.active, activity.values, activity.contexts, activity.positions)
    tokens = token_texts(model, ids)
    for (promoted, suppressed), active, *places in zip(tokens, *(c.tolist() for c in columns), strict=True):
        seen = [(value, texts[c], position) for value, c, position in zip(*places, strict=True) if value > 0]
        shown: dict[str, float] = {}
        for value, text, position in seen:
            shown.setdefault(text.around(position, said.before, said.after), value)
        examples = [f"[{value:.3g}] {text}" for text, value in list(shown.items())[: said.examples]]
        on = [text.text[slice(*text.token(position))] for _, text, position in seen]
        rows.append(
            {
                "label": label(on, promoted),
                "top_tokens": promoted,
                "bottom_tokens": suppressed,
                "density": active / int(activity.tokens),
                "max_activation": seen[0][0] if seen else 0.0,
                "examples": examples or None,
            }
        )
    return rows


def _promoted(model: LanguageModel, dictionary: Dictionary) -> dict[str, Tensor]:
    return {"ids": promoted_ids(model, dictionary.W_dec)}


def _contexts_of_a_batch(given: Analysing, corpus: Corpus) -> int:
    """As many as memory allows. Kept, so that a resumed run has the sizes of the first."""
    model, width = given.model, max(dictionary.n_features for dictionary in given.dictionaries.values())

    def choose() -> dict[str, int]:
        limit = given.memory or free_memory(model.device) // 2
        spare = max(limit // 2, 1)  # the other half is for the model, the dictionaries and what is kept
        positions = corpus.tokens.shape[1]
        return {"contexts": rows_that_fit(spare, model, positions, model.n_layers, width, gradient=False, most=_BATCH)}

    return int(given.work.facts("batch", choose)["contexts"])
