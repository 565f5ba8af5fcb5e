"""Kills a tuning again and again, and says whether it ends as one that nobody kills.

    python -m tests.ingest.tuning_kills RECIPE FOLDER TRIALS KILLS SEED

A program of its own: it reads the libraries once and forks, since reading them takes longer than a small tuning.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from ingest.tuning import tune
from tests.ingest.killing import finish


def start(recipe: Path, folder: Path, trials: int) -> int:
    """A tuning in a process of its own. Returns its id."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            tune(recipe, trials, folder / "study.db")
        except BaseException:  # noqa: BLE001 (the child must end here, whatever happens)
            os._exit(1)
        os._exit(0)
    return child


def trials_of(folder: Path) -> list[FrozenTrial]:
    if not (folder / "study.db").exists():
        return []
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/study.db")
    try:
        return storage.get_all_trials(1)
    except KeyError:  # there is no study yet
        return []
    finally:
        storage.remove_session()
        storage.engine.dispose()


def done(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    return [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def told(trials: list[FrozenTrial]) -> list[Any]:
    """What is the same in every run: all but seconds and numbers, which trials that were killed have used up."""
    return [(t.state, t.params, t.user_attrs.get("learnt")) for t in done(trials)]


def main(recipe: Path, folder: Path, trials: int, kills: int, seed: int) -> None:
    import ingest.tuning.trials  # noqa: F401 (read once, before the first fork)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    chance = random.Random(seed)
    began = time.monotonic()
    finish(start(recipe, folder / "undisturbed", trials))
    length = time.monotonic() - began
    kept = 0
    for _ in range(kills):
        before = done(trials_of(folder / "killed"))
        child = start(recipe, folder / "killed", trials)
        time.sleep(chance.uniform(0, length / 3))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        after = done(trials_of(folder / "killed"))
        if [t.datetime_complete for t in after[: len(before)]] != [t.datetime_complete for t in before]:
            raise SystemExit("a trial that was done was done again")
        kept += bool(after)
    finish(start(recipe, folder / "killed", trials))
    wanted, got = (trials_of(folder / name) for name in ("undisturbed", "killed"))
    if told(got) != told(wanted):
        raise SystemExit(f"the trials differ:\n{told(wanted)}\n{told(got)}")
    if left := [trial.number for trial in got if trial.state in (TrialState.RUNNING, TrialState.WAITING)]:
        raise SystemExit(f"left running: {left}")
    failed = sum(trial.state == TrialState.FAIL for trial in got)
    print(f"{kills} kills, {kept} of them after a trial was done, {failed} trials made again: the same study")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *(int(number) for number in sys.argv[3:6]))
