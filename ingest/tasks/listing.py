"""The tasks that have a name, as rows for people who choose one. Needs no torch."""

from ingest.tasks.registry import TASKS
from ingest.tasks.words import Split

COLUMNS = ("name", "summary", "clean_prefix", "clean_answer", "patch_prefix", "patch_answer", "positions")


def listed() -> list[list[object]]:
    """One row a task, as `COLUMNS`: with a pair of it, and the names of its prompts' tokens."""
    rows: list[list[object]] = []
    for one in TASKS.values():
        (pair,) = one.generate(1, 0, Split.TRAIN)
        texts = (pair.clean_prefix, pair.clean_answer, pair.patch_prefix, pair.patch_answer)
        rows.append([one.name, one.summary, *texts, list(one.positions)])
    return rows
