"""Finds a Java that Neo4j 5 runs on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from store.errors import StoreError

SUPPORTED = (17, 21)
_REMEDY = "install one (Debian: `apt-get install openjdk-17-jre-headless`), or point JAVA_HOME at it"


def java() -> Path:
    """The `java` of JAVA_HOME, else the one on the PATH. Raises StoreError where none is 17 or 21."""
    found: list[str] = []
    for path in _candidates():
        version = _version(path)
        if version in SUPPORTED:
            return path
        found.append(f"{path} is Java {version}" if version else f"{path} does not tell its version")
    seen = "; ".join(found) or "there is no `java` on the PATH and no JAVA_HOME"
    raise StoreError(f"Neo4j needs Java 17 or 21, and {seen}: {_REMEDY}")


def _candidates() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    in_home = [Path(home, "bin", "java")] if home else []
    on_path = shutil.which("java")
    return [path for path in in_home if path.exists()] + ([Path(on_path)] if on_path else [])


def _version(path: Path) -> int | None:
    try:
        told = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(\d+)', told)
    return int(match[1]) if match else None
