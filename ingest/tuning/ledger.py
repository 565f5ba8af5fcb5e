"""Stages that several trials share, each with what it cost: a trial pays for them as if it had been alone."""

import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.work import Work

if TYPE_CHECKING:
    from torch import Tensor

_SHARED = ("activations", "gradients-", "held-out", "activity-")
"""How the names of stages begin that depend on nothing but what their names say, the pairs and the model."""


class Ledger(Work):
    """The work folder of a study. What only one trial can use lies in a folder of its own while it runs."""

    def begin(self) -> None:
        """A new trial: what the one before left is dropped."""
        self.end()
        self._started, self._waited = time.monotonic(), 0.0
        self._charged: dict[str, float] = {}

    def end(self) -> None:
        self.own = Work(self.folder, "trial", "trial")
        shutil.rmtree(self.own.out / ".work", ignore_errors=True)

    @property
    def seconds(self) -> float:
        """What the trial has cost so far: its own time, and for shared stages the time that computing them took."""
        return time.monotonic() - self._started - self._waited + sum(self._charged.values())

    def tensors(self, stage: str, compute: "Callable[[], dict[str, Tensor]]") -> "dict[str, Tensor]":
        if not stage.startswith(_SHARED):
            return self.own.tensors(stage, compute)
        began = time.monotonic()

        def timed() -> "dict[str, Tensor]":
            clock = time.monotonic()
            found = compute()
            self._write(f"{stage}.cost", {"seconds": time.monotonic() - clock})
            return found

        found = super().tensors(stage, timed)
        cost = self._read(f"{stage}.cost")
        self._charged[stage] = float(cost["seconds"]) if cost else 0.0
        self._waited += time.monotonic() - began
        return found
