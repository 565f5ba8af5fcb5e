"""A LadybugDB file that changes as a whole: every write goes into a copy, which then takes the file's name.

LadybugDB 0.22 recovers from a process killed in a transaction, but not always from one killed while the end of a
transaction is folded into the file: parts of the transaction may stay (seen with kill -9 after COPY and SET; a disk
that fills up there does the same). A rename is all or nothing, whatever happens. It also lets others go on reading:
they keep what they opened until their next query. A copy costs what the file's size costs, or nothing where the file
system clones.

Knows nothing of the schema.
"""

import fcntl
import glob
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ladybug

from store.disk import hold, sync
from store.errors import LimitError, StoreError

_FICLONE = 0x40049409
_MEMORY_OF_A_PLAN = 2**24
"""Of the buffer pool, in bytes: a plan with joins and sorts was seen to keep 9 MiB of it."""
_Stamp = tuple[int, int, int]


class Snapshots:
    """What a file holds, to read by many threads; and, once locked, to change by one process at a time."""

    def __init__(self, path: Path, memory: int) -> None:
        """memory: largest buffer pool of an open file, in bytes."""
        self.path = path
        self._memory = memory
        self._choosing = threading.Lock()
        self._writing = threading.Lock()
        self._in_use = threading.BoundedSemaphore(max(4, 2 * (os.cpu_count() or 1)))
        self._current: _Snapshot | None = None
        self._lock: int | None = None

    def stamp(self) -> _Stamp | None:
        """Another one whenever the file is another; None where there is none."""
        return _stamp(self.path)

    def lock(self) -> None:
        """Keep other processes from writing until this is closed. Raises StoreError where one does."""
        self._lock = _lock(self.path)

    @contextmanager
    def connection(self, text: str = "", timeout: float | None = None) -> Iterator[ladybug.Connection]:
        """A connection to what the file holds now. One thread at a time has it.

        text: of the statement it is for. timeout: seconds to wait for one where all are in use; then LimitError.
        """
        if not self._in_use.acquire(timeout=timeout):
            raise LimitError(f"{self.path} is busy: nothing was free for {timeout} s; try again later")
        try:
            with self._connection(text) as connection:
                yield connection
        finally:
            self._in_use.release()

    @contextmanager
    def _connection(self, text: str) -> Iterator[ladybug.Connection]:
        with self._choosing:
            snapshot = self._newest()
            snapshot.users += 1
        try:
            with snapshot.connection(text) as connection:
                yield connection
        finally:
            with self._choosing:
                snapshot.users -= 1
                if snapshot is not self._current and not snapshot.users:
                    snapshot.close()

    @contextmanager
    def changing(self) -> Iterator[ladybug.Connection]:
        """A connection in a transaction on a copy, which takes the file's name if all goes well.

        Raises StoreError where the file is not locked.
        """
        if self._lock is None:
            raise StoreError(f"{self.path} was opened to be read only")
        aside = self.path.with_name(f"{self.path.name}.next")
        with self._writing:
            _remove(aside)
            try:
                if self.path.exists():
                    _copy(self.path, aside)
                with (
                    ladybug.Database(aside, buffer_pool_size=self._memory) as database,
                    ladybug.Connection(database) as connection,
                ):
                    connection.execute("BEGIN TRANSACTION")
                    yield connection
                    connection.execute("COMMIT")
                if left := [file.name for file in _belonging_to(aside) if file != aside]:
                    raise StoreError(f"{self.path} was not changed: LadybugDB left {', '.join(left)} behind")
                if self.path.exists():
                    shutil.copymode(self.path, aside)
                sync(aside)
                aside.replace(self.path)
                sync(self.path.parent)
            finally:
                _remove(aside)

    def close(self) -> None:
        with self._choosing:
            current, self._current = self._current, None
            if current and not current.users:
                current.close()  # else by its last user
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _newest(self) -> "_Snapshot":
        stamp = _stamp(self.path)
        if self._current is None or stamp not in (self._current.stamp, None):
            old, self._current = self._current, _Snapshot(self.path, self._memory)
            if old and not old.users:
                old.close()
        return self._current


@dataclass
class _Held:
    """A connection, which keeps a plan of each text that it ran, and the memory that it takes, until it is closed."""

    connection: ladybug.Connection
    texts: set[str] = field(default_factory=set)


class _Snapshot:
    """An open file and its idle connections, the last used first."""

    def __init__(self, path: Path, memory: int) -> None:
        self.stamp = None
        self.users = 0
        while self.stamp is None or self.stamp != _stamp(path):  # another file may take the name just now
            if self.stamp is not None:
                self._database.close()
            self.stamp = _stamp(path)
            self._database = ladybug.Database(path, read_only=True, buffer_pool_size=memory)
        self._idle: list[_Held] = []
        self._plans = 0
        self._most_plans = memory // _MEMORY_OF_A_PLAN
        self._counting = threading.Lock()

    stamp: _Stamp | None

    @contextmanager
    def connection(self, text: str) -> Iterator[ladybug.Connection]:
        try:
            held = self._idle.pop()
        except IndexError:
            held = _Held(ladybug.Connection(self._database))
        try:
            yield held.connection
        finally:
            self._put_back(held, text)

    def _put_back(self, held: _Held, text: str) -> None:
        with self._counting:
            self._plans += text not in held.texts
            held.texts.add(text)
            too_many = self._plans > self._most_plans
            if too_many:
                self._plans -= len(held.texts)
        if too_many:
            held.connection.close()
        else:
            self._idle.append(held)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().connection.close()
        self._database.close()


@contextmanager
def in_our_words(path: Path, timeout: float | None = None) -> Iterator[None]:
    """Turn LadybugDB's errors, and the disk's, into ours."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise StoreError(f"{path}: LadybugDB answered with text that is not of UTF-8") from error
    except (RuntimeError, OSError) as error:
        text = str(error).strip()
        if "Interrupted" in text:
            raise LimitError(f"the query took longer than {timeout} s: ask for less") from None
        if "Could not set lock" in text:
            raise StoreError(f"{path} is in use by another process: wait for it, or stop it") from error
        if "not a valid Lbug database" in text:
            raise StoreError(f"{path} is no LadybugDB database: name another path") from error
        if "No space left" in text:
            raise StoreError(f"no space left on the disk of {path}: free some, and try again") from error
        if "buffer pool is full" in text:
            raise LimitError(
                "the memory for LadybugDB is full: raise CIRCUITSTORE_LADYBUG_MEMORY (MiB), or ask for less"
            ) from error
        raise StoreError(f"{path}: LadybugDB refused: {text}") from error


def lock_of(path: Path) -> Path:
    """What stands beside a file to keep others from writing it."""
    return path.with_name(f"{path.name}.lock")


def _lock(path: Path) -> int:
    """Keep other processes from writing until the descriptor is closed, if need be by the death of this one."""
    descriptor = hold(lock_of(path))
    if descriptor is None:
        raise StoreError(
            f"{path} is in use by another process that writes: wait for it, or stop it (many may read meanwhile); a "
            "service that takes uploads is sent bundles at POST /bundles"
        )
    return descriptor


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("wb") as new, suppress(OSError):
        fcntl.ioctl(new, _FICLONE, old.fileno())
        return
    shutil.copyfile(source, target)


def _belonging_to(path: Path) -> list[Path]:
    """The file and what LadybugDB puts beside it."""
    beside = list(path.parent.glob(f"{glob.escape(path.name)}.*"))
    return [path, *beside] if path.exists() else beside


def _remove(path: Path) -> None:
    for file in _belonging_to(path):
        file.unlink(missing_ok=True)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
