"""Finds a recipe's thresholds, steps and methods: trials, the front that no other beats, and one chosen of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from ingest.job import DEFAULT_OUT, check_device, import_libraries
from ingest.recipe import Recipe, read_recipe
from ingest.revision import git_revision
from ingest.tracking import Record, Tracker, commit_tag, flat
from ingest.tuning.chosen import was_chosen, write_chosen
from ingest.tuning.front import FIGURES, chosen, front, table
from ingest.tuning.space import space_of, suggested
from ingest.tuning.study import SECONDS, done, opened
from ingest.work import parameters
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
    settings: str
    """The recipe that was tuned, as JSON."""

    def track(self, tracker: Tracker) -> str:
        """Tells a tracker what was chosen of what. Its trials are in the study. Returns the run's id."""
        pick = next(row for row in self.rows if row[self.columns.index("chosen")])
        said = dict(zip(self.columns, pick, strict=True))
        figures = {name: float(said.pop(name)) for name in list(said) if name in _FIGURES}
        figures |= {"trials": float(self.trials), "seconds of all trials": self.seconds}
        with TemporaryDirectory() as folder:
            shown = Path(folder) / "front.json"
            rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
            shown.write_text(json.dumps(rows, indent=1))
            record = Record(
                self.recipe.stem,
                flat(json.loads(self.settings)) | flat({f"chosen.{name}": value for name, value in said.items()}),
                [(name, value, 0) for name, value in figures.items()],
                {"command": "tune", "study": str(self.study.absolute()), **commit_tag(git_revision())},
                {"front": shown, "recipe": self.recipe},
            )
            return tracker.tell(record)


_FIGURES = ("deviation", "faithfulness", "nodes", "edges", "seconds", "stability", "modularity")


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
        return Tuned(*table(best, pick), target, file, seconds, len(done(study)), parameters(recipe))


def _target(recipe: Path, out: Path) -> Path:
    target = out if out.suffix == ".toml" else out / f"{recipe.stem}-tuned.toml"
    if target.resolve() == recipe.resolve():
        raise UsageError(f"--out: {target} is the recipe that is tuned: name another file")
    if target.exists() and not was_chosen(target):
        raise UsageError(f"{target}: was not written by circuitstore tune, and is not replaced: name another file with "
                         "--out, or remove it")  # fmt: skip
    return target


def _recipe_of(trial: FrozenTrial, recipe: Recipe) -> Recipe:
    return suggested(optuna.trial.FixedTrial(trial.params), recipe)


def _told(trial: FrozenTrial, recipe: Recipe) -> str:
    figures = trial.user_attrs[FIGURES]
    return (f"trial {trial.number}, F {figures['faithfulness']:.4f} on held-out pairs, "
            f"{figures['nodes']} nodes, {figures['edges']} edges, seed {recipe.seed}")  # fmt: skip
