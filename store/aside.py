"""Folders that are there whole or not at all: written aside, and renamed into their place.

Knows nothing of what they hold.
"""

import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.disk import hold, sync


@contextmanager
def aside(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, hidden, to write in. It is removed unless it was put in place."""
    _sweep(target)
    folder = target.parent / f".{target.name}.{secrets.token_hex(4)}.writing"
    held = None
    try:
        folder.mkdir()
        held = hold(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def put_in_place(folder: Path, target: Path) -> None:
    """Rename what was written aside to `target`; a folder that is there is replaced."""
    if target.exists():
        gone = folder.with_suffix(".replaced")
        target.rename(gone)
        folder.rename(target)
        shutil.rmtree(gone)
    else:
        folder.rename(target)
    sync(target.parent)


def _sweep(target: Path) -> None:
    """Remove what processes left that were killed while they wrote this folder."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*"):
        if left.suffix in (".writing", ".replaced") and (held := hold(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
