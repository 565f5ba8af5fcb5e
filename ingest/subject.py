"""Opens what a recipe names: the model, its dictionaries, the prompt pairs."""

import random
from dataclasses import dataclass
from pathlib import Path

from ingest.dictionaries import Dictionary, from_folder, from_release, hook_of
from ingest.gradients import Metric
from ingest.hooks import Hook, parse_hook
from ingest.models import LanguageModel, open_model
from ingest.progress import console, step
from ingest.recipe import Recipe
from ingest.tasks.alignment import Aligned, align
from ingest.tasks.pairs import Pair, read_pairs
from ingest.tasks.registry import LOGIT_DIFFERENCE, task
from ingest.tasks.splits import held_out_split
from ingest.tasks.words import Split
from ingest.weights import dictionary_folders
from store.errors import ModelError, RecipeError


@dataclass(frozen=True)
class Subject:
    """What a recipe is about, opened: the model, its dictionaries by hook, the pairs."""

    model: LanguageModel
    dictionaries: dict[Hook, Dictionary]
    task_name: str
    metric_words: str
    train: Aligned
    held_out: Aligned
    start_token: bool

    @property
    def hooks(self) -> list[Hook]:
        return list(self.dictionaries)

    @property
    def first_position(self) -> int:
        """The first position that can be part of a circuit."""
        return int(self.start_token)


def metric_of(aligned: Aligned) -> Metric:
    """The metric of these pairs."""
    return Metric(aligned.clean_answers, aligned.patch_answers)


def open_model_and_dictionaries(
    recipe: Recipe, where: str, device: str
) -> tuple[LanguageModel, dict[Hook, Dictionary]]:
    """Opens the model and the dictionaries that a recipe names; errors as of `open_subject`."""
    with step("model"):
        model = open_model(recipe.model.source, recipe.model.name, device, recipe.model.dtype)
    with step("dictionaries"):
        return model, _open_dictionaries(recipe, where, model)


def open_subject(recipe: Recipe, where: str, device: str) -> Subject:
    """Opens all that a recipe names. Errors say which part of `where` (the recipe's file) they come from."""
    model, dictionaries = open_model_and_dictionaries(recipe, where, device)
    return subject_of(recipe, where, model, dictionaries)


def subject_of(recipe: Recipe, where: str, model: LanguageModel, dictionaries: dict[Hook, Dictionary]) -> Subject:
    """The same for a model and dictionaries that are open."""
    start = start_token(recipe, where, model)
    with step("prompt pairs"):
        name, words, train, held_out, names = _pairs(recipe, model, start)
        aligned = [
            align(pairs, model.tokenizer, start, source=name, position_names=names) for pairs in (train, held_out)
        ]
    for which, pairs in zip(("", "held-out "), aligned, strict=True):
        _tell_dropped(pairs, which)
    return Subject(model, dictionaries, name, words, aligned[0], aligned[1], start is not None)


def _tell_dropped(pairs: Aligned, which: str) -> None:
    if dropped := pairs.dropped.total():
        reasons = ", ".join(f"{count} because {reason}" for reason, count in pairs.dropped.items())
        console.print(f"{dropped} of {dropped + len(pairs.pairs)} {which}pairs dropped: {reasons}")


def _open_dictionaries(recipe: Recipe, where: str, model: LanguageModel) -> dict[Hook, Dictionary]:
    said = recipe.dictionaries
    try:
        wanted = {parse_hook(name, model.n_layers) for name in said.hooks}
    except ModelError as error:
        raise RecipeError(f"{where}: dictionaries.hooks: {error}") from None
    there = ", ".join(said.ids)
    if said.folder is not None:
        folders = dictionary_folders(said.folder)
        if not folders:
            raise ModelError(f"there are no dictionaries in {said.folder}: no folder in it has a cfg.json")
        there = ", ".join(folder.name for folder in folders)
        opened = [from_folder(folder, model) for folder in folders if not wanted or _reads(folder, wanted, model)]
    else:
        opened = [from_release(said.release or "", sae_id, model) for sae_id in said.ids]
    chosen: dict[Hook, Dictionary] = {}
    for one in sorted(opened, key=lambda d: d.hook.depth):
        if wanted and one.hook not in wanted:
            continue
        if other := next((d for d in chosen.values() if d.hook.depth == one.hook.depth), None):
            raise RecipeError(
                f"{where}: dictionaries: {other.source!r} ({other.hook.name}) and {one.source!r} ({one.hook.name}) "
                "stand at one place in the model; a circuit takes one dictionary a place: leave one out"
            )
        chosen[one.hook] = one
    if missing := sorted(hook.name for hook in wanted - set(chosen)):
        raise RecipeError(f"{where}: dictionaries.hooks: there is no dictionary for {missing[0]!r}; there are: {there}")
    return chosen


def _reads(folder: Path, wanted: set[Hook], model: LanguageModel) -> bool:
    """Whether a folder's dictionary reads one of these hooks; one that can't be made circuits of reads none."""
    try:
        return hook_of(folder, model) in wanted
    except ModelError:
        return False


def start_token(recipe: Recipe, where: str, model: LanguageModel) -> int | None:
    """The id of the recipe's start token, None for none. Raises RecipeError where the model has no such token."""
    token = recipe.model.start_token
    if token is None:
        return None
    known: dict[str, int] = model.tokenizer.get_vocab()
    if token not in known:
        raise RecipeError(f"{where}: model.start_token: {token!r} is no token of the model {model.name}")
    return known[token]


def _pairs(
    recipe: Recipe, model: LanguageModel, start: int | None
) -> tuple[str, str, list[Pair], list[Pair], tuple[str, ...] | None]:
    """The task's name, its metric in words, its train and held-out pairs, the names of its positions."""
    said = recipe.task
    if said.generator is not None:
        made = task(said.generator)
        train = made.generate(said.pairs, recipe.seed, Split.TRAIN)
        held_out = made.generate(said.held_out, recipe.seed, Split.HELD_OUT)
        return said.name or made.name, made.metric, train, held_out, made.positions
    assert said.file is not None
    name = said.name or said.file.stem
    whole = align(read_pairs(said.file), model.tokenizer, start, source=name)  # one length for both sides
    _tell_dropped(whole, "")
    train, held_out = held_out_split(whole.pairs, said.held_out / (said.pairs + said.held_out), recipe.seed)
    if not train or not held_out:
        raise ModelError(f"{said.file}: too few pairs to set some aside: give at least two that differ in other words")
    for side in (train, held_out):
        random.Random(recipe.seed).shuffle(side)  # what is taken below is not all of one word
    return name, LOGIT_DIFFERENCE, train[: said.pairs], held_out[: said.held_out], None
