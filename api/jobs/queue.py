"""The jobs of a service: one after the other, in the order they came.

A job is a folder: `upload/` with what was sent, and `job.json`, written when all of it has come and whenever what must
not be forgotten changes. So a service that was killed does, when it runs again, whatever it had taken.
"""

import logging
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
from store.bundle import Bundle, open_bundle
from store.database import LoadReport, Store
from store.disk import hold, put
from store.errors import AwayError, CancelledError, CircuitstoreError, LimitError, NotFoundError, StoreError, UsageError
from store.settings import read_settings

_log = logging.getLogger("circuitstore.jobs")

KEPT = 100
"""Jobs that are remembered when they are over."""
MOST = 100
"""Jobs that may wait, those that are being sent among them."""
_TRIES = 3
_RECORD = "job.json"
_BUNDLES = "bundles"
_JOB = re.compile("[0-9a-f]{32}")
_PAUSES = (1, 2, 5, 10, 20, 30, 60, 60, 60, 60)
"""Seconds between tries where the database is away."""


class Jobs:
    """They run while this is entered. Its methods may be called from any thread."""

    def __init__(self, store: Store, folder: Path | None, *, memory: int, space: int) -> None:
        """folder: for those of all stores; else one in the user's folder for state.

        memory: for reading one, in bytes. space: of the disk, for what was sent of all that are not over, in bytes.
        """
        self.folder = (folder or user_state_path("circuitstore") / "jobs") / _name_of(store)
        self.is_closing = False
        """May be set by anyone: what waits for a job looks at it."""
        self._store = store
        self._memory = memory
        self._space = space
        self._sizes: dict[str, int] = {}
        self._jobs: dict[str, Job] = {}
        self._coming = 0
        self._changed = threading.Condition()
        self._keeping = threading.RLock()

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
        waiting = (job for job in self._jobs.values() if not job.is_over)
        self._sizes = {job.uid: self._upload(job).stat().st_size for job in waiting if self._upload(job).exists()}
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
        with self._changed:
            return list(self._jobs.values())[::-1]

    def __getitem__(self, uid: str) -> Job:
        """Raises NotFoundError."""
        try:
            return self._jobs[uid]
        except KeyError:
            raise NotFoundError(f"no job {uid!r}: GET /jobs lists those there are") from None

    def make_room(self, job: Job) -> Path:
        """Where to write what is sent; `add` or `forget` must follow. Raises LimitError where too many wait."""
        with self._changed:
            if self._coming + sum(not other.is_over for other in self._jobs.values()) >= MOST:
                raise LimitError(f"{MOST} jobs wait already: send it later")
            self._coming += 1
        return self._upload(job)

    def count(self, job: Job, size: int) -> None:
        """So many bytes more of it have come. Raises LimitError where, with what waits, they are too many."""
        with self._changed:
            self._sizes[job.uid] = self._sizes.get(job.uid, 0) + size
            if sum(self._sizes.values()) > self._space:
                raise LimitError(f"what waits already leaves no room for {job.file} (CIRCUITSTORE_UPLOADS_SPACE is "
                                 f"{self._space // 2**20} MiB): send it later")  # fmt: skip

    def forget(self, job: Job) -> None:
        """What was sent of it is not all of it, and goes."""
        shutil.rmtree(self.folder / job.uid, ignore_errors=True)
        with self._changed:
            self._coming -= 1
            self._sizes.pop(job.uid, None)

    def add(self, job: Job) -> None:
        """All of it has come."""
        self._keep(job)
        with self._changed:
            self._coming -= 1
            self._jobs[job.uid] = job
            self._changed.notify_all()

    def cancel(self, uid: str) -> Job:
        """A load that is cancelled leaves nothing on LadybugDB, and on Neo4j what a later load of it goes on with."""
        job = self[uid]
        with self._changed:
            job.is_cancelled = True
            self._changed.notify_all()
            waits = job.state is State.queued
            if waits:
                self._end(job, State.cancelled)
        if waits:
            self._clear_up(job)
        elif not job.is_over:
            self._keep(job)
        return job

    def _upload(self, job: Job) -> Path:
        return self.folder / job.uid / "upload" / job.file

    def _keep(self, job: Job) -> None:
        text = job.model_dump_json(indent=1)
        with self._keeping:  # who cancels a job writes its record while it may be ending
            put(self.folder / job.uid / _RECORD, lambda file: file.write_text(text, encoding="utf-8"))

    def _found(self) -> Iterable[Job]:
        """Those of a service before this one; what had not come whole is removed, what can't be read is left."""
        for folder in self.folder.iterdir():
            if not _JOB.fullmatch(folder.name):
                continue
            try:
                job = Job.model_validate_json((folder / _RECORD).read_bytes())
            except FileNotFoundError:
                shutil.rmtree(folder, ignore_errors=True)
            except (OSError, ValidationError) as error:
                _log.error("a job that can't be read is left in %s: %s", folder, error)
            else:
                job.state = job.state if job.is_over else State.queued
                yield job

    def _work(self) -> None:
        while (job := self._next()) is not None:
            state, finished = State.done, True
            try:
                self._run(job)
            except CancelledError:
                state, finished = State.cancelled, job.is_cancelled
            except (CircuitstoreError, OSError) as error:
                state = State.failed
                self._tell(job, error)
            except Exception as error:  # noqa: BLE001, whatever it is: others wait behind it
                state = State.failed
                _log.exception("job %s failed", job.uid)
                job.error, job.failure = "The service failed on this job; its log says why.", error
            if not finished:
                return  # and the next service goes on with it
            with self._changed:
                self._end(job, state)
            self._clear_up(job)

    def _next(self) -> Job | None:
        with self._changed:
            while not self.is_closing:
                for job in self._jobs.values():
                    if job.state is State.queued:
                        job.state = State.reading
                        return job
                self._changed.wait(1)  # who sets is_closing in a signal's handler can't notify
        return None

    def _run(self, job: Job) -> None:
        self._require_wanted(job)
        job.tries += 1
        if job.tries > _TRIES:
            raise LimitError(f"{job.file}: the service ended {_TRIES} times while it read or loaded this")
        self._keep(job)
        bundles = self.folder / job.uid / _BUNDLES
        shutil.rmtree(bundles, ignore_errors=True)
        bundles.mkdir()
        folders = make_bundles(job, self._upload(job), bundles, self._memory, lambda: self._is_wanted(job))
        job.bundles = []
        for folder in folders:
            report = self._load(job, open_bundle(folder))
            job.bundles.append({
                "uid": report.bundle, "already": report.already, "circuits": report.circuits, "rows": report.rows
            })  # fmt: skip

    def _load(self, job: Job, bundle: Bundle) -> LoadReport:
        """Tries again where the database is away; a load goes on where it stopped."""

        def progress(table: str, done: int, to_do: int) -> None:
            self._require_wanted(job)
            job.table, job.rows_done, job.rows_to_do = table, done, to_do

        for pause in (*_PAUSES, None):
            self._require_wanted(job)
            job.state, job.error = State.loading, None
            try:
                return self._store.load(bundle, progress)
            except AwayError as error:
                if pause is None:
                    raise
                self._tell(job, error)
                job.state, job.failure = State.waiting, None
            with self._changed:
                self._changed.wait_for(lambda: not self._is_wanted(job), pause)
        raise AssertionError

    def _is_wanted(self, job: Job) -> bool:
        return not (job.is_cancelled or self.is_closing)

    def _require_wanted(self, job: Job) -> None:
        if not self._is_wanted(job):
            raise CancelledError("nobody wants it any more")

    def _tell(self, job: Job, error: CircuitstoreError | OSError) -> None:
        """What went wrong, without where this service keeps what was sent."""
        if isinstance(error, OSError):
            _log.error("job %s: %s", job.uid, error)
            error = StoreError(f"what was sent can't be kept: {error.strerror}; try again later")
        bundles = str(self.folder / job.uid / _BUNDLES)
        told = str(error).replace(f"{bundles}/", f"{job.file}: ").replace(bundles, job.file)
        job.error = told.replace(str(self.folder), "the folder of jobs")
        job.failure = type(error)(job.error)

    def _end(self, job: Job, state: State) -> None:
        job.table, job.rows_done, job.rows_to_do = None, None, None
        job.finished_at = datetime.now(UTC)
        job.state = state

    def _clear_up(self, job: Job) -> None:
        """Keeps what came of it, and of the oldest nothing."""
        with suppress(OSError), self._keeping:
            self._keep(job)
            for child in (self.folder / job.uid).iterdir():
                if child.is_dir():
                    shutil.rmtree(child, ignore_errors=True)
                elif child.name != _RECORD:
                    child.unlink()
        with self._changed:
            self._sizes.pop(job.uid, None)
            old = [other for other in self._jobs.values() if other.is_over][:-KEPT]
            for one in old:
                del self._jobs[one.uid]
        for one in old:
            shutil.rmtree(self.folder / one.uid, ignore_errors=True)


def _name_of(store: Store) -> str:
    """Another for each database."""
    scheme, _, path = store.url.partition(":")
    if scheme == "ladybug":
        url = f"ladybug:{Path(path).expanduser().absolute()}"
    else:
        url = f"{store.url}/{read_settings().neo4j_database}"
    return sha256(url.encode()).hexdigest()[:16]
