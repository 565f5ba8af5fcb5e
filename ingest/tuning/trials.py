"""Makes the trials of a study, one after the other."""

from pathlib import Path

import optuna
import torch
from optuna.trial import TrialState

from ingest.job import device_of
from ingest.progress import console
from ingest.recipe import Recipe
from ingest.subject import open_subject
from ingest.tuning.front import FIGURES
from ingest.tuning.ledger import Ledger
from ingest.tuning.study import LEARNT, SECONDS, ask, done
from ingest.tuning.trial import Bench, UndefinedError, judge
from ingest.work import fingerprint
from store.errors import ModelError, RecipeError


def make_trials(
    study: optuna.Study,
    wanted: int,
    recipe: Recipe,
    recipe_path: Path,
    folder: Path,
    memory: int | None,
    device: str | None,
) -> None:
    """Makes trials until so many are done. folder: where their stages are kept meanwhile."""
    subject = open_subject(recipe, str(recipe_path), device_of(device))
    ledger = Ledger(folder, f"tune-{recipe_path.stem}", fingerprint(recipe, device))
    bench = Bench(subject, ledger, memory)
    with ledger.locked():
        while len(done(study)) < wanted:
            _make(study, recipe, bench)
        ledger.clear()


def _make(study: optuna.Study, recipe: Recipe, bench: Bench) -> None:
    trial, tried = ask(study, recipe)
    console.print(f"trial {trial.number}: {_said(tried)}")
    torch.manual_seed(recipe.seed)
    bench.ledger.begin()
    try:
        figures = judge(tried, bench)
    except (ModelError, RecipeError) as error:
        if isinstance(error, UndefinedError):  # so it is in every trial
            study.tell(trial, state=TrialState.FAIL)
            raise
        _end(trial, bench.ledger, f"given up: {error}")
        study.tell(trial, state=TrialState.PRUNED)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    else:
        trial.set_user_attr(FIGURES, figures.named())
        trial.set_user_attr(LEARNT, figures.learnt())
        _end(trial, bench.ledger, figures.told())
        study.tell(trial, figures.values())


def _end(trial: optuna.Trial, ledger: Ledger, told: str) -> None:
    trial.set_user_attr(SECONDS, ledger.seconds)
    trial.set_user_attr("outcome", told)
    ledger.end()
    console.print(f"  {told}")


def _said(recipe: Recipe) -> str:
    nodes, edges, pruning = recipe.nodes, recipe.edges, recipe.pruning
    return (
        f"{nodes.method} ({nodes.steps}), {edges.formula} edges ({edges.steps}), {pruning.top_nodes} features at most"
    )
