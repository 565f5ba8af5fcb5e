"""SQLite files by their paths: addresses of them for SQLAlchemy, a look into one, and what one says when it refuses."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_SECONDS = 20
"""That another process's write is waited for."""


def url_of(file: Path) -> str:
    """A file's address, whatever signs are in its path: for SQLAlchemy, and so for MLflow and Optuna."""
    from sqlalchemy.engine import URL

    # The driver is named because MLflow takes what stands behind a bare sqlite:/// for the path, as it is quoted
    # there, and makes its folders.
    return URL.create("sqlite+pysqlite", database=str(file.absolute())).render_as_string()


@contextmanager
def looking_into(file: Path) -> Iterator[sqlite3.Connection]:
    """A file that is there, opened without a change to it, but for what SQLite puts right after a killed write."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_SECONDS)) as connection:
        yield connection


def reason(error: BaseException) -> str:
    """Why a database refused, without the statement that it refused."""
    cause: BaseException | None = error
    while cause is not None:
        if (said := getattr(cause, "orig", None)) is not None:
            return str(said)
        cause = cause.__cause__
    return str(error).partition("\n")[0] or type(error).__name__
