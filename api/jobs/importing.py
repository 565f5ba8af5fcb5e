"""Has a file of another tool made into bundles, by the program itself, in a process of its own.

So a file that takes all memory, or never ends, is that process's, and requests are answered meanwhile.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from api.jobs.job import Job
from store.bundle import MANIFEST
from store.errors import CancelledError, ImportFormatError, UsageError

_EVERY = 0.2
"""Seconds between looks at whether the process is still wanted."""
_USAGE = 2


def make_bundles(job: Job, file: Path, out: Path, is_wanted: Callable[[], bool]) -> list[Path]:
    """Raises ImportFormatError or UsageError with what the program said, CancelledError when it is wanted no more."""
    command = [sys.executable, "-P", "-m", "circuitstore", "import", file.name, f"--format={job.format}",
               f"--model={job.model}", f"--out={out}", "--no-load"]  # fmt: skip
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CIRCUITSTORE_")}
    said = out.with_name("said")
    with (
        said.open("wb") as stderr,
        subprocess.Popen(
            command,
            cwd=file.parent,
            env={**ours, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for the service, which ends it
        ) as process,
    ):
        while (code := _wait(process)) is None:
            if not is_wanted():
                process.kill()
                raise CancelledError("nobody wants it any more")
    if code:
        raise _failure(code, said.read_text(errors="replace"), job.file)
    return sorted(path.parent for path in out.glob(f"*/{MANIFEST}"))


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_EVERY)
    except subprocess.TimeoutExpired:
        return None


def _failure(code: int, said: str, file: str) -> ImportFormatError | UsageError:
    last = said.strip().splitlines()[-1:] if code > 0 else []
    if not last:
        return ImportFormatError(f"{file}: the process that read it was ended: it took too much memory, or nests too "
                                 "deep")  # fmt: skip
    message = last[0].removeprefix("circuitstore: ")
    return UsageError(message) if code == _USAGE else ImportFormatError(message)
