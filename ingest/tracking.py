"""Bundles as MLflow runs, in a SQLite file of their own: no server, nothing fetched, nothing sent.

A bundle says all that its run is: parameters, versions, figures. So any bundle can be tracked, at any time, and one
that is tracked already is not tracked twice. What is measured, and how it is called, stands in `ingest/figures.py`.
"""

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.plots import folder_of
from ingest.sqlite import looking_into, reason, url_of
from ingest.work import dotted
from store.bundle import open_bundle
from store.errors import CircuitstoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from ingest.figures import Figure

_EXPERIMENT = "circuitstore"
_BUNDLE = "bundle"


@dataclass
class Record:
    """What is told of one run."""

    name: str
    params: dict[str, str]
    metrics: "list[Figure]"
    tags: dict[str, str]
    artifacts: dict[str, Path] = field(default_factory=dict)
    """Folders and files by the folder that they are shown in."""
    started: float | None = None
    """Seconds of the epoch."""
    seconds: float = 0.0


class Tracker:
    """The MLflow store `folder`/mlflow.db. Whatever it refuses is a CircuitstoreError that names its file."""

    def __init__(self, folder: Path) -> None:
        """Raises CircuitstoreError where the extra `tracking` is not installed, or the store can't be written."""
        missing = [name for name in ("mlflow", "sqlalchemy", "alembic") if find_spec(name) is None]
        if missing:
            raise CircuitstoreError(f"--track needs {missing[0]}: pip install -e '.[tracking]' installs it")
        self.folder = folder.absolute()
        self.file = self.folder / "mlflow.db"
        self._check()

    @cached_property
    def client(self) -> "MlflowClient":
        """Made when it is first needed: importing MLflow takes seconds."""
        quiet()
        self.folder.mkdir(parents=True, exist_ok=True)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=url_of(self.file))

    @cached_property
    def experiment(self) -> str:
        there = self.client.get_experiment_by_name(_EXPERIMENT)
        if there is not None:
            return str(there.experiment_id)
        return str(self.client.create_experiment(_EXPERIMENT, (self.folder / "artifacts").as_uri()))

    def reserve(self, started: float | None = None) -> str:
        """The id of a run of which nothing is told yet, to be put into a bundle. started: seconds of the epoch."""
        began = None if started is None else int(1000 * started)
        with self._told():
            return str(self.client.create_run(self.experiment, start_time=began).info.run_id)

    def track_bundle(self, path: Path) -> str:
        """Tells of a bundle, and of the plots beside it. Returns the run's id. Raises BundleError."""
        from ingest.figures import figures_of

        bundle = open_bundle(path)
        run: dict[str, Any] = next(iter(bundle.table("Run").to_pylist()), {})
        tags = {_BUNDLE: bundle.uid, "run": str(run.get("uid", "")), "command": str(run.get("command", ""))}
        tags |= commit_tag(run.get("git_revision"))
        params = flat(json.loads(run.get("params") or "{}"))
        params |= flat({"versions": json.loads(run.get("versions") or "{}")})
        params |= flat({name: run.get(name) for name in ("seed", "device")})
        artifacts = {"bundle": path}
        if (plots := folder_of(path)).is_dir():
            artifacts["plots"] = plots
        started = run.get("started_at")
        record = Record(
            path.name,
            params,
            [
                *figures_of(bundle),
                *((name, float(run[name]), 0) for name in ("seconds", "memory") if run.get(name) is not None),
            ],
            tags,
            artifacts,
            datetime.fromisoformat(started).timestamp() if started else None,
            run.get("seconds") or 0.0,
        )
        return self.tell(record, run.get("tracking_id"))

    def tell(self, record: Record, reserved: str | None = None) -> str:
        """Makes a run of it, or completes the reserved one. Of a bundle that is tracked, only plots are added."""
        with self._told():
            return self._tell(record, reserved)

    def _tell(self, record: Record, reserved: str | None) -> str:
        client = self.client
        known = self._known(record.tags.get(_BUNDLE))
        run = known or (reserved if reserved and self._is_here(reserved) else None) or self.reserve(record.started)
        if known is None:
            from mlflow.entities import Metric as Point
            from mlflow.entities import Param, RunTag

            began = int(1000 * record.started) if record.started else 0
            ended = began + int(1000 * record.seconds) or None
            points = [Point(name, value, ended or 0, step) for name, value, step in record.metrics]
            for some in _portions(points, 1000):
                client.log_batch(run, metrics=some)
            for few in _portions([Param(key, value) for key, value in record.params.items()], 100):
                client.log_batch(run, params=few)
            client.update_run(run, name=record.name)
            for name, path in record.artifacts.items():
                self._keep(run, name, path)
            # The tag of the bundle is last: a run that has it is whole.
            client.log_batch(run, tags=[RunTag(key, value) for key, value in record.tags.items()])
            client.set_terminated(run, "FINISHED", ended)
        elif (plots := record.artifacts.get("plots")) is not None:
            self._keep(run, "plots", plots)
        return run

    def _check(self) -> None:
        """Here and now, and without a change: MLflow tries a file that it can't open for minutes."""
        try:
            if self.file.exists():
                with looking_into(self.file) as connection:
                    connection.execute("BEGIN IMMEDIATE").execute("SELECT count(*) FROM sqlite_master").fetchall()
                return
        except (OSError, sqlite3.Error) as error:
            raise self._refusal(error) from error
        there = next(folder for folder in (self.folder, *self.folder.parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise CircuitstoreError(f"{self.file}: can't be made: {there} is no folder that can be written to")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except _refusals() as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> CircuitstoreError:
        return CircuitstoreError(f"{self.file}: can't be read or written: {reason(error)}")

    def _keep(self, run: str, name: str, path: Path) -> None:
        if path.is_dir():
            self.client.log_artifacts(run, str(path), name)
        else:
            self.client.log_artifact(run, str(path), name)

    def _known(self, bundle: str | None) -> str | None:
        """The run that told of a bundle before."""
        if bundle is None:
            return None
        found = self.client.search_runs([self.experiment], f"tags.{_BUNDLE} = '{bundle}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def _is_here(self, run: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run) is not None
        except MlflowException:
            return False


def _refusals() -> tuple[type[Exception], ...]:
    """What MLflow, its database, its changes of tables, and the disk raise. Read only once one of them has."""
    from alembic.util.exc import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, CommandError, OSError


def commit_tag(revision: str | None) -> dict[str, str]:
    """The git revision under the name at which MLflow's pages look for it."""
    return {} if revision is None else {"mlflow.source.git.commit": revision}


def quiet() -> None:
    """Keeps MLflow from reporting its use, from telling of its tables, and from showing tracebacks of its own."""
    os.environ.update(_SILENCE)
    logging.getLogger("alembic").setLevel(logging.WARNING)


_SILENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def silenced() -> dict[str, str]:
    """The environment of a process that shows MLflow's pages."""
    return {**os.environ, **_SILENCE}


def flat(said: Mapping[str, Any]) -> dict[str, str]:
    """Nested parameters as MLflow takes them; what is not said is left out."""
    given = {name: value for name, value in dotted(said).items() if value is not None}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def _portions(items: list[Any], n: int) -> Iterable[list[Any]]:
    return (items[start : start + n] for start in range(0, len(items), n))
