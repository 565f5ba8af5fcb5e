"""One job: what was sent, how far it is, and what came of it."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from store.errors import UsageError

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")


class State(StrEnum):
    queued = "queued"
    reading = "reading"
    loading = "loading"
    waiting = "waiting"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


MEANINGS = {
    "uid": "Its name here.",
    "kind": "What was sent: bundles in a tar archive, or another tool's file to import.",
    "file": "The name of what was sent.",
    "state": "queued, reading, loading, waiting (for a database that is away), done, failed or cancelled.",
    "table": "The table that is being loaded.",
    "rows_done": "Rows of that table that are loaded.",
    "rows_to_do": "Rows of that table.",
    "bundles": "For each bundle that is loaded: its uid, whether it was stored before, its new circuits, its new rows.",
    "error": "Why it failed, or what it waits for.",
    "created_at": "When it was sent.",
    "finished_at": "When it ended.",
}
"""The columns of a job, as the service shows it."""


class Job(BaseModel):
    """A job, as its file keeps it."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    uid: str = Field(default_factory=lambda: uuid4().hex)
    kind: Literal["bundles", "import"]
    file: str
    format: str = "auto"
    model: str = ""
    state: State = State.queued
    table: str | None = None
    rows_done: int | None = None
    rows_to_do: int | None = None
    bundles: list[dict[str, Any]] = []
    error: str | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None
    is_cancelled: bool = False
    tries: int = 0
    """How often it was begun: what ends the service is not begun for ever."""
    failure: Exception | None = Field(None, exclude=True)
    """Why it failed, as long as the service runs that saw it."""

    @property
    def is_over(self) -> bool:
        return self.state in (State.done, State.failed, State.cancelled)

    def row(self) -> dict[str, Any]:
        """By the names of MEANINGS."""
        said = self.model_dump(mode="json")
        return {name: said[name] for name in MEANINGS}


def check_file_name(name: str) -> str:
    """Raises UsageError for a name that can't be a plain file's."""
    if not _FILE_NAME.fullmatch(name):
        raise UsageError(f"file: {name[:100]!r} is no file name of letters, digits, dots, dashes and spaces")
    return name
