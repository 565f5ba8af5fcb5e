"""What a recipe asks to match, and whether it can be matched: all that can be wrong is told before anything is run."""

import hashlib
import json
from itertools import pairwise
from typing import Any

from ingest.analyses.matching.methods import read_alike
from ingest.analyses.registry import Analysing
from ingest.dictionaries import Dictionary
from ingest.hooks import Hook, parse_hook
from store.clashes import way_out
from store.errors import ModelError, RecipeError
from store.uids import dictionary_uid

Hooks = tuple[Hook, Hook]


def pairs_of(given: Analysing) -> list[Hooks]:
    """The pairs of hooks to match, the earlier first. Raises RecipeError or ModelError."""
    said, where, there = given.recipe.matching, given.where, given.dictionaries
    assert said is not None
    if len(there) < 2:
        raise RecipeError(f"{where}: matching takes two dictionaries at least, and the recipe opens {len(there)}; "
                          "leave out dictionaries.hooks, or name more")  # fmt: skip
    if given.recipe.corpus is None and ("correlation" in said.methods or said.tokens):
        raise RecipeError(f"{where}: matching: correlation and the deactivation test need a corpus: add [corpus] with "
                          'a file, or set methods without "correlation" and tokens = 0')  # fmt: skip
    pairs = [(_hook(given, a), _hook(given, b)) for a, b in said.pairs] or neighbours(list(there))
    for a, b in pairs:
        if a.depth >= b.depth:
            raise RecipeError(f"{where}: matching.pairs: {b.name} does not come after {a.name}; name the earlier first")
        check_comparable(there[a], there[b])
    if len(set(pairs)) < len(pairs):
        raise RecipeError(f"{where}: matching.pairs: a pair is named twice; name each once")
    return pairs


def neighbours(hooks: list[Hook]) -> list[Hooks]:
    """Each dictionary of the residual stream with the one before and with those of modules between the two.

    Where none reads the residual stream, each with the next.
    """
    hooks = sorted(hooks, key=lambda hook: hook.depth)
    residual = [n for n, hook in enumerate(hooks) if hook.site == "resid"]
    if not residual:
        return list(pairwise(hooks))
    found = []
    for before, n in zip([None, *residual], residual, strict=False):
        found += [(hooks[k], hooks[n]) for k in range(0 if before is None else before, n)]
    return found


def check_comparable(a: Dictionary, b: Dictionary) -> None:
    """Raises ModelError for dictionaries whose features can't be compared.

    What they write must be of one width, and what they read, too, where encoders are compared.
    """
    widths = [("writes", a.d_out, b.d_out), *([("reads", a.d_in, b.d_in)] if read_alike(a, b) else [])]
    for does, of_a, of_b in widths:
        if of_a != of_b:
            raise ModelError(
                f"the dictionaries {a.source!r} and {b.source!r} can't be matched: what one {does} is {of_a} wide, "
                f"the other's {of_b}; match dictionaries of one model"
            )


def check_stored(given: Analysing, pairs: list[Hooks], params: dict[str, Any]) -> None:
    """Raises ModelError where what is stored under the names of these is something else."""
    revisions = given.store.run(
        "MATCH (m:Model {uid: $uid}) RETURN m.revision AS revision", {"uid": given.model.name}
    ).rows
    if any(given.model.revision and stored and stored != given.model.revision for (stored,) in revisions):
        raise ModelError(f"the model {given.model.name} that is stored has other weights than "
                         f"{given.recipe.model.source!r}: give this one another name (model.name), or use another "
                         "store")  # fmt: skip
    for hook in {hook for pair in pairs for hook in pair}:
        one = given.dictionaries[hook]
        rows = given.store.run(
            "MATCH (d:Dictionary {uid: $uid}) RETURN d.sha256 AS sha256",
            {"uid": dictionary_uid(given.model.name, hook.name)},
        ).rows
        if any(one.sha256 and stored and stored != one.sha256 for (stored,) in rows):
            raise ModelError(f"the dictionary of {hook.name} that is stored has other weights than {one.source!r}: "
                             "use another store, or name the dictionary that is stored")  # fmt: skip
    for pair in pairs:
        a, b = (dictionary_uid(given.model.name, hook.name) for hook in pair)
        text = (
            "MATCH (a:Dictionary {uid: $a})-[m:MATCHED]->(b:Dictionary {uid: $b}) "
            "RETURN m.method AS method, m.params AS params ORDER BY method"
        )
        for method, stored in given.store.run(text, {"a": a, "b": b}).rows:
            if method in params["methods"] and stored is not None and stored != as_text(params):
                raise ModelError(
                    f"{a} and {b} were matched by {method} with other settings, and both results would be mixed: "
                    f"{way_out(a, b)} first, or set [matching], [corpus] and seed as they were"
                )


def as_text(params: dict[str, Any]) -> str:
    """As it is stored."""
    return json.dumps(params)


def parameters(given: Analysing) -> dict[str, Any]:
    """What matches depend on beside the dictionaries."""
    recipe = given.recipe
    assert recipe.matching is not None
    said = recipe.matching.model_dump(exclude={"pairs"}, mode="json")
    corpus = None
    if recipe.corpus is not None:
        try:
            with recipe.corpus.file.open("rb") as file:
                corpus = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"{recipe.corpus.file}: can't be read: {error.strerror}") from error
        said["contexts"] = min(recipe.corpus.contexts, recipe.matching.contexts)
    return {**said, "corpus": corpus, "seed": recipe.seed}


def _hook(given: Analysing, name: str) -> Hook:
    try:
        hook = parse_hook(name, given.model.n_layers)
    except ModelError as error:
        raise RecipeError(f"{given.where}: matching.pairs: {error}") from None
    if hook not in given.dictionaries:
        there = ", ".join(one.name for one in given.dictionaries)
        raise RecipeError(f"{given.where}: matching.pairs: there is no dictionary for {name!r}; there are: {there}")
    return hook
