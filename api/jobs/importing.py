"""Has what was sent made into checked bundles, by the program itself, in a process of its own with so much memory.

So whatever a file does to who reads it, it does to that process, and requests are answered meanwhile.
"""

import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from api.jobs.job import Job
from store.bundle import MANIFEST
from store.children import environment
from store.errors import CancelledError, ImportFormatError, UsageError

_EVERY = 0.2
"""Seconds between looks at whether the process is still wanted."""
_USAGE = 2
_OURS = "circuitstore: "
_OPTION = re.compile(r"--(format|model)\b")
"""What are options of the program are parameters of the request."""


def make_bundles(job: Job, file: Path, out: Path, memory: int, is_wanted: Callable[[], bool]) -> list[Path]:
    """memory: in bytes. Raises ImportFormatError or UsageError with what the program said, CancelledError when it is
    wanted no more."""
    command = [sys.executable, "-P", "-m", "circuitstore", "import", file.name, f"--format={job.format}",
               f"--model={job.model}", f"--out={out}", "--no-load"]  # fmt: skip
    said = out.with_name("said")
    with (
        said.open("wb") as stderr,
        subprocess.Popen(
            command,
            cwd=file.parent,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for the service, which ends it
        ) as process,
    ):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
        while (code := _wait(process)) is None:
            if not is_wanted():
                process.kill()
                raise CancelledError("nobody wants it any more")
    if code:
        raise _failure(code, said.read_text(errors="backslashreplace"), job.file)
    return sorted(path.parent for path in out.glob(f"*/{MANIFEST}"))


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_EVERY)
    except subprocess.TimeoutExpired:
        return None


def _failure(code: int, said: str, file: str) -> ImportFormatError | UsageError:
    last = (said.strip().splitlines() or [""])[-1]
    if code < 0 or last.startswith("MemoryError"):
        return ImportFormatError(f"{file}: the process that read it was ended: it took too much memory, or nests too "
                                 "deep")  # fmt: skip
    if not last.startswith(_OURS):
        raise RuntimeError(f"the process that read {file} failed:\n{said}")
    message = _OPTION.sub(r"\1", last.removeprefix(_OURS))
    return UsageError(message) if code == _USAGE else ImportFormatError(message)
