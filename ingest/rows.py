"""Rows of the schema that every bundle of this package has: the model, its dictionaries, features, the run.

Knows nothing of what was found out.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from ingest.description import promoted_tokens
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook
from ingest.models import LanguageModel
from ingest.recipe import Recipe
from ingest.recovery import Recovery
from store.bundle import Bundle, write_bundle
from store.schema import TABLES
from store.uids import dictionary_uid, feature_uid, short_hash

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by table."""


def write_rows(rows: Rows, run: Row, out: Path) -> Bundle:
    """Writes rows as a bundle below `out`, named after the run that made them."""
    tables = {name: pa.Table.from_pylist(rows[name], TABLES[name].schema) for name in TABLES if rows.get(name)}
    name = str(run["uid"]).removeprefix("run:").replace(":", "-")
    return write_bundle(out / name, tables, {key: value for key, value in run.items() if key != "uid"}, replace=True)


def ablation_row(
    circuit: str,
    kind: str,
    n_nodes: int,
    recovered: Recovery,
    *,
    n_pairs: int,
    baseline: str = "mean",
    errors: str = "kept",
    ablated: str = "",
    left_out: str = "",
    choice: str | None = None,
    seed: int | None = None,
    n_edges: int | None = None,
    factor: float | None = None,
) -> Row:
    """The row of one measurement on held-out pairs.

    ablated: uid of the feature, circuit or cluster that was ablated in the whole model. left_out: what names the node
    of the circuit that was. choice: how the circuit was pruned, as JSON.
    """
    of = [mark for mark in (ablated, left_out, choice and short_hash(choice)) if mark]
    marks = [circuit, kind, baseline, errors, *of, str(n_nodes)]
    marks += [
        f"{letter}{value:g}" for letter, value in (("e", n_edges), ("x", factor), ("s", seed)) if value is not None
    ]
    return {
        "uid": ":".join(marks),
        "kind": kind,
        "baseline": baseline,
        "errors": errors,
        "n_nodes": n_nodes,
        "n_edges": n_edges,
        "metric": recovered.metric,
        "faithfulness": recovered.share,
        "low": recovered.low,
        "high": recovered.high,
        "sign_agreement": recovered.sign_agreement,
        "accuracy": recovered.accuracy,
        "correlation": recovered.correlation,
        "ablated": ablated or None,
        "choice": choice,
        "factor": factor,
        "split": "held-out",
        "n_pairs": n_pairs,
        "seed": seed,
    }


def add_model(rows: Rows, recipe: Recipe, model: LanguageModel, dictionaries: Iterable[Dictionary]) -> None:
    """Adds a model and its dictionaries."""
    rows["Model"].append(
        {
            "uid": model.name,
            "name": recipe.model.name or recipe.model.source,
            "revision": model.revision,
            "n_layers": model.n_layers,
            "d_model": model.d_model,
            "vocab_size": model.vocab_size,
        }
    )
    for dictionary in dictionaries:
        uid = dictionary_uid(model.name, dictionary.hook.name)
        rows["Dictionary"].append(
            {
                "uid": uid,
                "hook": dictionary.hook.name,
                "reads": None if dictionary.reads == dictionary.hook else dictionary.reads.name,
                "layer": dictionary.hook.layer,
                "site": dictionary.hook.site,
                "architecture": dictionary.architecture,
                "d_in": dictionary.d_in,
                "n_features": dictionary.n_features,
                "source": dictionary.source,
                "sha256": dictionary.sha256 or None,
            }
        )
        rows["OF_MODEL.Dictionary-Model"].append({"source": uid, "target": model.name})


def add_features(
    rows: Rows, model: LanguageModel, dictionaries: Mapping[Hook, Dictionary], used: Mapping[Hook, Iterable[int]]
) -> None:
    """Adds the features of these indices, with the tokens that they promote and suppress."""
    for hook, dictionary in dictionaries.items():
        indices = sorted(set(used.get(hook, ())))
        if not indices:
            continue
        tokens = promoted_tokens(model, dictionary.W_dec[torch.tensor(indices)])
        uid = dictionary_uid(model.name, hook.name)
        for index, (promoted, suppressed) in zip(indices, tokens, strict=True):
            add_feature(rows, uid, hook, index, {"top_tokens": promoted, "bottom_tokens": suppressed})


def add_feature(rows: Rows, dictionary: str, hook: Hook, index: int, properties: Row) -> None:
    """Adds one feature. dictionary: uid of its dictionary."""
    uid = feature_uid(dictionary, index)
    rows["Feature"].append({"uid": uid, "layer": hook.layer, "index": index, **properties})
    rows["IN_DICTIONARY"].append({"source": uid, "target": dictionary})
