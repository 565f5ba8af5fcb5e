"""Where a recipe's intermediate results are kept, so that what was done is not done again.

A stage's tensors are one file, written aside and renamed: it is there whole or not at all. The folder's name holds a
fingerprint of all that the results depend on: the recipe, the files it names, and the code.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from ingest.recipe import Recipe
from ingest.weights import dictionary_folders, locate, weights_hash
from store.bundle import Bundle, open_bundle
from store.disk import hold, put
from store.errors import BundleError, CircuitstoreError, ModelError
from store.uids import slug

if TYPE_CHECKING:
    from torch import Tensor

_LOCK = ".lock"


LIBRARIES = ("torch", "transformer-lens", "sae-lens", "transformers", "scikit-learn", "scikit-network")
"""Those whose versions matter to what is computed."""

_SHOWN = (
    "dashboard.py", "figures.py", "formats", "plots", "revision.py", "sqlite.py", "tracking.py", "tuning/front.py"
)  # fmt: skip
"""What only shows results, says where they come from, or reads other tools' files. Nothing that computes imports it;
import-linter holds that."""


def parameters(recipe: Recipe) -> str:
    """The recipe as JSON: folders by their names, without where they happen to lie and how it might be tuned."""
    source = recipe.model.source
    if not source.startswith("package:") and locate(source):
        named = recipe.model.model_copy(update={"source": Path(source).name})
        recipe = recipe.model_copy(update={"model": named})
    if recipe.dictionaries.folder is not None:
        dictionaries = recipe.dictionaries.model_copy(
            update={"folder": Path(recipe.dictionaries.folder.resolve().name)}
        )
        recipe = recipe.model_copy(update={"dictionaries": dictionaries})
    return recipe.model_dump_json(exclude={"task": {"file"}, "corpus": {"file"}, "tuning": True})


def dotted(said: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested parameters by dotted names, such as nodes.steps."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        found |= dotted(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return found


def fingerprint(recipe: Recipe, device: str | None = None) -> str:
    """A hash of all that a recipe's results depend on. Raises ModelError where a named file is not there."""
    parts = [parameters(recipe), str(device), *(version(name) for name in LIBRARIES)]
    source = locate(recipe.model.source)
    parts.append(weights_hash(source) if source else recipe.model.source)
    if recipe.task.file is not None:
        parts.append(_hash_of(recipe.task.file))
    if recipe.corpus is not None:
        parts.append(_hash_of(recipe.corpus.file))
    if recipe.dictionaries.folder is not None:
        for folder in dictionary_folders(recipe.dictionaries.folder):
            parts += [folder.name, *(_hash_of(file) for file in sorted(folder.iterdir()) if file.is_file())]
    parts += [_hash_of(file) for file in _code()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _code() -> list[Path]:
    """The program's files that a result can depend on."""
    here = Path(__file__).parent
    shown = {here / name for name in _SHOWN}
    return sorted(file for file in here.rglob("*.py") if not shown & {file, *file.parents})


def _hash_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{file}: can't be read: {error.strerror}") from error


def _is_whole(file: Path) -> bool:
    """Whether a stage was done, and its file has not been damaged since."""
    if not file.exists():
        return False
    try:
        with safe_open(file, "numpy"):
            return True
    except SafetensorError:
        return False


class Work:
    """The work folder of one recipe below `out`. One process at a time computes in it."""

    def __init__(self, out: Path, name: str, mark: str):
        self.out = out
        self.mark = mark
        self.folder = out / ".work" / f"{slug(name)[:60]}-{mark[:12]}"

    def finished(self) -> Path | None:
        """The bundle that this recipe has given before, if it is still there."""
        done = self._read("done")
        if done is None:
            return None
        try:
            bundle = open_bundle(self.out / str(done["bundle"]))
        except BundleError:
            return None
        return bundle.path if bundle.uid == done["uid"] else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out. Raises CircuitstoreError where one is computing the same recipe."""
        self.folder.mkdir(parents=True, exist_ok=True)
        held = hold(self.folder / _LOCK)
        if held is None:
            raise CircuitstoreError(f"{self.folder}: another process is computing this recipe: wait for it, or stop it")
        try:
            yield
        finally:
            os.close(held)

    def finish(self, bundle: Bundle) -> None:
        """Notes the bundle and drops the stages, which it makes superfluous."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write("done", {"bundle": bundle.path.name, "uid": bundle.uid})
        self.clear()

    def clear(self) -> None:
        """Drops the stages."""
        for file in self.folder.iterdir():
            if file.name not in ("done.json", _LOCK):
                shutil.rmtree(file) if file.is_dir() else file.unlink()

    def tensors(self, stage: str, compute: Callable[[], "dict[str, Tensor]"]) -> "dict[str, Tensor]":
        """The tensors of a stage: read, if it was done before, or computed and kept.

        What was just computed is read back too, into memory of its own: products of matrices differ in their last
        bits with where the factors lie in memory, and a resumed run must not differ from one that went through.
        """
        from safetensors.torch import load_file, save_file

        file = self.folder / f"{stage}.safetensors"
        if not _is_whole(file):
            found = {name: tensor.detach().cpu().contiguous() for name, tensor in compute().items()}
            self._aside(file, lambda aside: save_file(found, aside))
        return {name: tensor.clone() for name, tensor in load_file(file).items()}

    def facts(self, stage: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The same for a few facts, kept as JSON."""
        known = self._read(stage)
        if known is None:
            known = compute()
            self._write(stage, known)
        return known

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return known

    def _write(self, name: str, facts: dict[str, Any]) -> None:
        self._aside(self.folder / f"{name}.json", lambda aside: aside.write_text(json.dumps(facts)))

    def _aside(self, file: Path, write: Callable[[Path], object]) -> None:
        try:
            put(file, write)
        except (OSError, SafetensorError) as error:
            raise CircuitstoreError(
                f"{file} can't be written: {error}; free some space and start again: what was done is kept"
            ) from error
