"""Processes of this program's own, started to do what might end the one that starts them."""

import os
import sys


def environment() -> dict[str, str]:
    """They import what this process does, and learn no setting or secret of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CIRCUITSTORE_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
