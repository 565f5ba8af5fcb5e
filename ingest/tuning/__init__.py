"""Finds a recipe's thresholds, steps and methods: trials, the front that no other beats, and one chosen of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from ingest.job import DEFAULT_OUT, check_device, import_libraries
from ingest.recipe import Recipe, read_recipe
from ingest.tuning.chosen import write_chosen
from ingest.tuning.front import FIGURES, chosen, front, table
from ingest.tuning.space import space_of, suggested
from ingest.tuning.study import SECONDS, done, opened
from store.errors import ModelError, UsageError

DEFAULT_FOLDER = DEFAULT_OUT / "tuning"


@dataclass(frozen=True)
class Tuned:
    """What came of it."""

    columns: list[str]
    rows: list[list[Any]]
    """The front, a trial a row."""
    recipe: Path
    """The chosen recipe's file."""
    study: Path
    seconds: float
    """Of all trials that are done, however long ago."""
    trials: int


def tune(
    recipe_path: Path,
    trials: int | None = None,
    study_file: Path | None = None,
    out: Path | None = None,
    memory: int | None = None,
    device: str | None = None,
) -> Tuned:
    """Tries configurations of a recipe, and writes the chosen one as a recipe.

    trials: how many are to be done in all, those of earlier runs among them; as the recipe says if left out.
    study_file: where they are kept. out: a .toml file, or a folder for it. memory, device and errors as of
    `ingest.job.run_recipe`; UsageError for a study of another recipe, ModelError where no trial gives a circuit.
    """
    recipe = read_recipe(recipe_path)
    check_device(device)
    file = study_file or DEFAULT_FOLDER / f"{recipe_path.stem}.db"
    target = _target(recipe_path, out or file.parent)
    wanted = trials or space_of(recipe).trials
    with opened(file, recipe, device) as study:
        if len(done(study)) < wanted:
            import_libraries()
            from ingest.tuning.trials import make_trials

            make_trials(study, wanted, recipe, recipe_path, file.parent, memory, device)
        best = front(study)
        if not best:
            raise ModelError(f"{file}: none of {len(done(study))} trials gave a circuit: widen [tuning], or look at "
                             "the recipe's task and dictionaries")  # fmt: skip
        pick = chosen(best)
        write_chosen(_recipe_of(pick, recipe), recipe_path, target, _told(pick, recipe))
        seconds = sum(float(t.user_attrs[SECONDS]) for t in done(study))
        return Tuned(*table(best, pick), target, file, seconds, len(done(study)))


def _target(recipe: Path, out: Path) -> Path:
    target = out if out.suffix == ".toml" else out / f"{recipe.stem}-tuned.toml"
    if target.resolve() == recipe.resolve():
        raise UsageError(f"--out: {target} is the recipe that is tuned: name another file")
    return target


def _recipe_of(trial: FrozenTrial, recipe: Recipe) -> Recipe:
    return suggested(optuna.trial.FixedTrial(trial.params), recipe)


def _told(trial: FrozenTrial, recipe: Recipe) -> str:
    figures = trial.user_attrs[FIGURES]
    return (f"trial {trial.number}, F {figures['faithfulness']:.4f} on held-out pairs, "
            f"{figures['nodes']} nodes, {figures['edges']} edges, seed {recipe.seed}")  # fmt: skip
