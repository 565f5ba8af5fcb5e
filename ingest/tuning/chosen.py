"""The chosen recipe as a file: the original's text, comments and all, with what was chosen put into it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from ingest.recipe import Recipe, parse_recipe
from ingest.work import parameters
from store.disk import put
from store.errors import CircuitstoreError, RecipeError

_FILES = (("dictionaries", "folder"), ("task", "file"), ("corpus", "file"))


def was_chosen(file: Path) -> bool:
    """Whether a file was written by `write_chosen`, and so may be by another choice."""
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline().startswith(_MARK)
    except (OSError, UnicodeDecodeError):
        return False


def write_chosen(recipe: Recipe, original: Path, file: Path, told: str) -> None:
    """Writes `recipe`, made of the one in `original`, so that it means the same where it lies. told: its first line."""
    file.parent.mkdir(parents=True, exist_ok=True)  # a path that leads up from a folder needs it there
    text = _text(_edited(recipe, original, file), told)
    if not _means(text, recipe, file):  # a layout of TOML that edits don't survive: without the comments then
        plain = recipe.model_dump(mode="json", exclude_none=True)
        text = _text(tomlkit.item(_absolute(plain)), told)
    try:
        put(file, lambda aside: aside.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise CircuitstoreError(f"{file}: can't be written: {error.strerror or error}") from error


def _text(document: Any, told: str) -> str:
    body: str = tomlkit.dumps(document)
    old = body.partition("\n")[0].startswith(_MARK)
    return f"{_MARK} {told}\n" + (body.partition("\n")[2] if old else body)


_MARK = "# Chosen by circuitstore tune:"


def _edited(recipe: Recipe, original: Path, file: Path) -> Any:
    document = tomlkit.parse(original.read_text(encoding="utf-8"))
    said: dict[str, Mapping[str, Any]] = {
        "nodes": recipe.nodes.model_dump(mode="json", include={"method", "steps"}),
        "edges": recipe.edges.model_dump(mode="json", include={"formula", "steps"}),
        "pruning": recipe.pruning.model_dump(mode="json", include=_PRUNING),
    }
    if recipe.clustering is not None:
        said["clustering"] = recipe.clustering.model_dump(mode="json", include={"methods", "bases", "clusters"})
    for section, values in said.items():
        for key, value in values.items():
            if value is not None:
                if section not in document:
                    document[section] = tomlkit.table()
                document[section][key] = value
            elif key in document.get(section, {}):
                del document[section][key]
    if file.parent.absolute() != original.parent.absolute():
        _move_paths(document, original.parent, file.parent)
    return document


_PRUNING = {"top_nodes", "node_threshold", "edge_threshold", "node_influence", "edge_influence"}


def _move_paths(document: Any, old: Path, new: Path) -> None:
    """Has relative paths start from another folder."""

    def moved(path: str) -> str:
        if Path(path).is_absolute() or path.startswith("~"):
            return path
        there = os.path.relpath(os.path.realpath(old / path), os.path.realpath(new))
        return there if there.startswith(".") else f"./{there}"

    for section, key in _FILES:
        if key in document.get(section, {}):
            document[section][key] = moved(document[section][key])
    source = document["model"]["source"]
    if source.startswith(("./", "../")) or (source.endswith(".gguf") and not source.startswith("package:")):
        document["model"]["source"] = moved(source)


def _absolute(said: dict[str, Any]) -> dict[str, Any]:
    for section, key in _FILES:
        if path := said.get(section, {}).get(key):
            said[section][key] = os.path.realpath(path)
    if said["model"]["source"].startswith((".", "/")) and Path(said["model"]["source"]).exists():
        said["model"]["source"] = os.path.realpath(said["model"]["source"])
    return said


def _means(text: str, recipe: Recipe, file: Path) -> bool:
    """Whether the text, read where it is to lie, is the recipe."""
    try:
        read = parse_recipe(text, file)
    except RecipeError:
        return False
    return parameters(read) == parameters(recipe) and _files(read) == _files(recipe)


def _files(recipe: Recipe) -> list[str | None]:
    corpus = None if recipe.corpus is None else recipe.corpus.file
    return [None if path is None else os.path.realpath(path)
            for path in (recipe.dictionaries.folder, recipe.task.file, corpus)]  # fmt: skip
