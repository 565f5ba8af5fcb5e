"""Files that must be there after a power cut, and those that one process at a time may have.

Knows nothing of what they hold.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def sync(path: Path) -> None:
    """Return when a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(file: Path, write: Callable[[Path], object]) -> None:
    """Have a file written aside and renamed: it is there whole or not at all. Makes its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        write(aside)
        sync(aside)
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)


def hold(path: Path) -> int | None:
    """Hold a folder, or a file (made if need be), until the descriptor is closed, if need be by this process's death.

    None where another holds it.
    """
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
