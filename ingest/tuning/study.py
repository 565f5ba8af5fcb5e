"""The study's file: what was tried of one recipe, and what to try next.

What is tried next follows from the recipe's seed and from the trials that are done: a study that was stopped, however
often, goes on as one that was not. A trial that was stopped counts for nothing and is done again.
"""

import json
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ingest.recipe import Recipe
from ingest.sqlite import looking_into, reason, url_of
from ingest.tuning.space import Choices, own_choices, suggested
from ingest.work import dotted, fingerprint, parameters
from store.disk import hold
from store.errors import CircuitstoreError, UsageError

_NAME = "circuitstore"
_RECIPE, _MARK = "recipe", "fingerprint"
SECONDS = "seconds"
LEARNT = "learnt"
"""The attribute of what the next trials learn from: figures that no clock disturbs, of all trials that are done."""


def objectives(recipe: Recipe) -> list[str]:
    """All to be as small as can be."""
    return ["|1 − F|", "nodes + edges", "seconds", *(["disorder of clusters"] if recipe.clustering else [])]


@contextmanager
def opened(file: Path, recipe: Recipe, device: str | None) -> Iterator[optuna.Study]:
    """The study in a file, begun if there is none. One process at a time has it.

    Raises UsageError for a file that is no study, or one of another recipe; CircuitstoreError where another has it.
    """
    optuna.logging.set_verbosity(logging.WARNING)
    state = _state(recipe, device)
    file.parent.mkdir(parents=True, exist_ok=True)
    held = hold(file.with_name(f".{file.name}.lock"))
    if held is None:
        raise CircuitstoreError(f"{file}: another process is tuning with this study: wait for it, or stop it")
    try:
        if file.exists():
            _check(file, state)
        with _storage(file) as storage:
            names = objectives(recipe)
            study = optuna.create_study(
                storage=storage, study_name=_NAME, directions=["minimize"] * len(names), load_if_exists=True
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names(names)  # for Optuna's pages
            for name, value in state.items():
                study.set_user_attr(name, value)
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                study.tell(trial.number, state=TrialState.FAIL)  # its process was killed
            yield study
    finally:
        os.close(held)


@contextmanager
def _storage(file: Path) -> Iterator[optuna.storages.RDBStorage]:
    """Raises CircuitstoreError where the disk does not take what is to be kept."""
    try:
        storage = _storage_in(file)
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise CircuitstoreError(f"{file}: can't be read or written: {reason(error)}; free some space, or name another "
                                "file with --study: trials that are done are kept") from error  # fmt: skip


def _storage_in(file: Path) -> optuna.storages.RDBStorage:
    try:
        return optuna.storages.RDBStorage(url_of(file), engine_kwargs={"connect_args": {"timeout": 60}})
    except RuntimeError as error:  # how Optuna says that the tables are another version's
        raise CircuitstoreError(f"{file}: {reason(error).rstrip('.')}: name another file with --study") from error


def _state(recipe: Recipe, device: str | None) -> dict[str, str]:
    """What the study of a recipe depends on: all but how many trials are made."""
    tuning = recipe.tuning and recipe.tuning.model_dump(mode="json", exclude={"trials"})
    said = json.loads(parameters(recipe)) | {"tuning": tuning}
    mark = json.dumps([fingerprint(recipe, device), tuning])
    return {_RECIPE: json.dumps(said), _MARK: mark}


def _check(file: Path, state: dict[str, str]) -> None:
    """Looks at a file without changing it, but for what SQLite puts right where a process was killed in a write."""
    known = _attributes(file)
    if known.get(_MARK, state[_MARK]) == state[_MARK]:
        return
    theirs, ours = (dotted(json.loads(text)) for text in (known.get(_RECIPE, "{}"), state[_RECIPE]))
    differ = [key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key)]
    why = "another recipe"
    if differ:
        key = differ[0]
        why += f" ({key} is {json.dumps(theirs.get(key))} there and {json.dumps(ours.get(key))} here)"
    else:
        why = "this recipe with other files, device, libraries or program"
    raise UsageError(f"{file}: is the study of {why}: name another file with --study, or remove it")


def _attributes(file: Path) -> dict[str, str]:
    try:
        with looking_into(file) as connection:
            names = {name for (name,) in connection.execute("SELECT study_name FROM studies")}
            rows = connection.execute("SELECT key, value_json FROM study_user_attributes").fetchall()
    except sqlite3.Error as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB):  # no such table, no database
            raise CircuitstoreError(f"{file}: can't be read now: {error}: try again, or name another file with "
                                    "--study") from error  # fmt: skip
        raise UsageError(f"{file}: is no study ({error}): name another file with --study, or remove it") from None
    if other := names - {_NAME}:
        raise UsageError(f"{file}: holds another program's study ({min(other)}): name another file with --study")
    return {key: json.loads(value) for key, value in rows}


def done(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that need not be made again."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def ask(study: optuna.Study, recipe: Recipe) -> tuple[optuna.Trial, Recipe]:
    """The next trial, and the recipe that it tries."""
    if not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):  # one was left by a process killed here
        study.enqueue_trial(planned(recipe, done(study)))
    trial = study.ask()
    return trial, suggested(trial, recipe)


def planned(recipe: Recipe, before: list[FrozenTrial]) -> Choices:
    """What to try after these trials: first the recipe as it stands, then what Optuna's TPE suggests.

    Optuna is asked in a study that forgets: seconds differ from run to run, and suggestions must not.
    """
    if not before and (choices := own_choices(recipe)) is not None:
        return choices
    (seed,) = np.random.SeedSequence([recipe.seed, len(before)]).generate_state(1)
    sampler = optuna.samplers.TPESampler(seed=int(seed))
    study = optuna.create_study(directions=["minimize"] * len(objectives(recipe)), sampler=sampler)
    learnt = [trial.user_attrs[LEARNT] for trial in before if LEARNT in trial.user_attrs]
    for trial in before if learnt else []:  # one that gave no circuit is as bad as the worst in everything
        values = trial.user_attrs.get(LEARNT, [max(column) for column in zip(*learnt, strict=True)])
        study.add_trial(
            optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, values=values)
        )
    asked = study.ask()
    suggested(asked, recipe)
    return asked.params
