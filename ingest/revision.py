"""The revision of the program's own source, where it runs in a git checkout."""

import os
import subprocess
from functools import cache
from pathlib import Path

_SECONDS = 5


@cache
def git_revision(root: Path = Path(__file__).parents[1]) -> str | None:
    """The commit, with `-dirty` behind it where a tracked file differs from it.

    None where the program is not a checkout of its own (installed, even below another project's checkout), or git
    can't be asked.
    """
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # as a hook has them, of another repository
        environment.pop(name, None)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
