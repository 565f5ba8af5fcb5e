"""Fetches Neo4j's jars, once, with Maven. Knows nothing of running them."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import platformdirs

from store.errors import StoreError

POM = Path(__file__).with_name("pom.xml")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_ABANDONED_S = 3600


def jars(cache: Path | None = None) -> Path:
    """The folder of jars that `pom.xml` names, fetched on first use (about 140 MB).

    The folder's name holds the hash of `pom.xml`, so another version is another folder. It is filled aside and
    renamed: a fetch that is killed leaves nothing that looks whole, and two at a time don't disturb each other.
    Raises StoreError where Maven is missing or fails.
    """
    root = cache or platformdirs.user_cache_path("circuitstore", appauthor=False)
    folder = root / f"neo4j-jars-{hashlib.sha256(POM.read_bytes()).hexdigest()[:8]}"
    if not folder.is_dir():
        _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StoreError(
            "Neo4j's jars are fetched with Maven, and there is no `mvn` on the PATH: install Maven (Debian: "
            "`apt-get install maven`), or run Neo4j in a container (`docker compose up neo4j`)"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    print(f"Fetching Neo4j's jars into {folder} (once, about a minute) …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="neo4j-jars-", suffix=".part", dir=folder.parent) as aside:
        whole = Path(aside, "lib")
        options = ["-q", "-B", "-C", f"-DoutputDirectory={whole}", "-DincludeScope=runtime"]
        done = subprocess.run(
            [maven, "-f", str(POM), _COPY, *options], capture_output=True, text=True, cwd=aside, check=False
        )
        if done.returncode != 0:
            told = "\n".join((done.stdout + done.stderr).strip().splitlines()[:8])
            raise StoreError(f"Maven could not fetch Neo4j's jars (exit code {done.returncode}):\n{told}")
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, with the same jars
                raise


def _sweep(cache: Path) -> None:
    """Remove what fetches that were killed have left."""
    for part in cache.glob("neo4j-jars-*.part"):
        if time.time() - part.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(part, ignore_errors=True)
