"""The jobs of a service: one after the other, in the order they came.

A job is a folder: `upload/` with what was sent, and `job.json`, written when all of it has come and again at the job's
end. So a service that was killed does, when it runs again, whatever it had taken.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Self

from platformdirs import user_state_path
from pydantic import ValidationError

from api.jobs.importing import make_bundles
from api.jobs.job import Job, State
from store.archive import unpack
from store.bundle import open_bundle
from store.database import LoadReport, Store
from store.disk import hold, put
from store.errors import CancelledError, CircuitstoreError, LimitError, NotFoundError, StoreError, UsageError

KEPT = 100
"""Jobs that are remembered when they are over."""
MOST = 100
"""Jobs that may wait."""
_RECORD = "job.json"
_BUNDLES = "bundles"
_JOB = re.compile("[0-9a-f]{32}")
_PAUSES = (1, 2, 5, 10, 20, 30, 60, 60, 60, 60)
"""Seconds between tries where the database is away."""


class Jobs:
    """They run while this is entered. Its methods may be called from any thread."""

    def __init__(self, store: Store, folder: Path | None, most: int) -> None:
        """folder: else one for the store in the user's folder for state. most: bytes of one upload."""
        self.folder = folder or user_state_path("circuitstore") / "jobs" / _name_of(store)
        self.most = most
        self._store = store
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self.is_closing = False

    def __enter__(self) -> Self:
        """Raises UsageError where another service has the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = hold(self.folder)
        except OSError as error:
            raise UsageError(f"CIRCUITSTORE_JOBS: {self.folder} can't be used: {error.strerror}") from None
        if lock is None:
            raise UsageError(f"CIRCUITSTORE_JOBS: another service uses {self.folder}: stop it, or name another folder")
        self._jobs = {job.uid: job for job in sorted(self._found(), key=lambda job: job.created_at)}
        self._lock = lock
        self.is_closing = False
        self._worker = threading.Thread(target=self._work, name="jobs")
        self._worker.start()
        return self

    def __exit__(self, *raised: object) -> None:
        with self._changed:
            self.is_closing = True
            self._changed.notify_all()
        self._worker.join()
        os.close(self._lock)

    def all(self) -> list[Job]:
        """The latest first."""
        return list(self._jobs.values())[::-1]

    def __getitem__(self, uid: str) -> Job:
        """Raises NotFoundError."""
        try:
            return self._jobs[uid]
        except KeyError:
            raise NotFoundError(f"no job {uid!r}: GET /jobs lists those there are") from None

    def make_room(self, job: Job) -> Path:
        """Where to write what is sent. Raises LimitError where too many wait."""
        if sum(not other.is_over for other in self._jobs.values()) >= MOST:
            raise LimitError(f"{MOST} jobs wait already: send it later")
        file = self._upload(job)
        file.parent.mkdir(parents=True)
        return file

    def forget(self, job: Job) -> None:
        """What was sent of it is not all of it, and goes."""
        shutil.rmtree(self.folder / job.uid, ignore_errors=True)

    def add(self, job: Job) -> None:
        """All of it has come."""
        self._keep(job)
        with self._changed:
            self._jobs[job.uid] = job
            self._changed.notify_all()

    def cancel(self, uid: str) -> Job:
        """A load that is cancelled leaves nothing on LadybugDB, and on Neo4j what a later load of it goes on with."""
        job = self[uid]
        with self._changed:
            job.is_cancelled = True
            self._changed.notify_all()
        return job

    def _upload(self, job: Job) -> Path:
        return self.folder / job.uid / "upload" / job.file

    def _keep(self, job: Job) -> None:
        text = job.model_dump_json(indent=1)
        put(self.folder / job.uid / _RECORD, lambda file: file.write_text(text, encoding="utf-8"))

    def _found(self) -> Iterable[Job]:
        """Those of a service before this one; what had not come whole is removed."""
        for folder in self.folder.iterdir():
            if not _JOB.fullmatch(folder.name):
                continue
            try:
                yield Job.model_validate_json((folder / _RECORD).read_bytes())
            except (OSError, ValidationError):
                shutil.rmtree(folder, ignore_errors=True)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._run(job)
            except CancelledError:
                if self.is_closing:
                    return  # and the next service goes on with it
                job.state = State.cancelled
            except CircuitstoreError as error:
                here = f"{self.folder / job.uid / _BUNDLES}/"  # which is no matter of who sent it
                job.failure = type(error)(str(error).replace(here, f"{job.file}: "))
                job.state, job.error = State.failed, str(job.failure)
            except OSError as error:
                job.failure = StoreError(f"{error.filename or self.folder}: {error.strerror}")
                job.state, job.error = State.failed, str(job.failure)
            job.finished_at = datetime.now(UTC)
            self._clear_up(job)

    def _next(self) -> Job | None:
        with self._changed:
            while not self.is_closing:
                for job in self._jobs.values():
                    if not job.is_over:
                        return job
                self._changed.wait()
        return None

    def _run(self, job: Job) -> None:
        self._require_wanted(job)
        job.state = State.reading
        bundles = self.folder / job.uid / _BUNDLES
        shutil.rmtree(bundles, ignore_errors=True)
        bundles.mkdir()
        if job.kind == "bundles":
            folders = unpack(self._upload(job), job.file, bundles, self.most)
        else:
            folders = make_bundles(job, self._upload(job), bundles, lambda: self._is_wanted(job))
        job.bundles = []
        opened = [open_bundle(folder) for folder in folders]
        for bundle in opened:
            bundle.validate()  # before the first is loaded
        for bundle in opened:
            report = self._load(job, bundle.path)
            job.bundles.append({
                "uid": report.bundle, "already": report.already, "circuits": report.circuits, "rows": report.rows
            })  # fmt: skip
        job.state, job.table, job.rows_done, job.rows_to_do = State.done, None, None, None

    def _load(self, job: Job, folder: Path) -> LoadReport:
        """Tries again where the database is away; a load goes on where it stopped."""

        def progress(table: str, done: int, to_do: int) -> None:
            self._require_wanted(job)
            job.table, job.rows_done, job.rows_to_do = table, done, to_do

        for pause in (*_PAUSES, None):
            self._require_wanted(job)
            job.state, job.error = State.loading, None
            try:
                return self._store.load(open_bundle(folder), progress)
            except StoreError as error:
                if pause is None:
                    raise
                job.state, job.error = State.waiting, str(error)
            with self._changed:
                self._changed.wait_for(lambda: not self._is_wanted(job), pause)
        raise AssertionError

    def _is_wanted(self, job: Job) -> bool:
        return not (job.is_cancelled or self.is_closing)

    def _require_wanted(self, job: Job) -> None:
        if not self._is_wanted(job):
            raise CancelledError("nobody wants it any more")

    def _clear_up(self, job: Job) -> None:
        """Keeps what came of it, and of the oldest nothing."""
        with suppress(OSError):
            self._keep(job)
            for child in (self.folder / job.uid).iterdir():
                if child.is_dir():
                    shutil.rmtree(child, ignore_errors=True)
                elif child.name != _RECORD:
                    child.unlink()
        over = [other for other in self._jobs.values() if other.is_over]
        for old in over[:-KEPT]:
            del self._jobs[old.uid]
            shutil.rmtree(self.folder / old.uid, ignore_errors=True)


def _name_of(store: Store) -> str:
    scheme, _, path = store.url.partition(":")
    url = f"ladybug:{Path(path).expanduser().absolute()}" if scheme == "ladybug" else store.url
    return sha256(url.encode()).hexdigest()[:16]
