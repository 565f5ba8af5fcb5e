"""One recipe from its file to its bundles: found where they were made before, or else made.

Needs no torch to find them.
"""

import hashlib
import json
import os
import platform
import re
import resource
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.analyses.registry import ANALYSES, CHECKS, OF_INGEST, Analysing, analysis
from ingest.progress import console, step
from ingest.recipe import Recipe, read_recipe
from ingest.revision import git_revision
from ingest.tasks.pairs import read_pairs
from ingest.tasks.registry import TASKS, task
from ingest.tasks.words import Split
from ingest.work import LIBRARIES, Work, fingerprint, parameters
from store.bundle import program_version
from store.database import Store
from store.errors import CircuitstoreError, ModelError, RecipeError, UsageError

if TYPE_CHECKING:
    from ingest.tasks.accuracy import Accuracy
    from ingest.tracking import Tracker

DEFAULT_OUT = Path("bundles")


def run_recipe(
    recipe_path: Path,
    out: Path | None = None,
    memory: int | None = None,
    device: str | None = None,
    tracker: "Tracker | None" = None,
) -> list[Path]:
    """Computes what a recipe asks for and writes it as bundles below `out`. Returns their folders.

    memory: bytes to stay within; half of what is free if left out. device: cpu, cuda or cuda:N; the accelerator if
    there is one. tracker: a run is reserved there, whose id the bundle's Run has. What an interrupted run has done is
    not done again. Raises RecipeError or ModelError.
    """
    recipe = read_recipe(recipe_path)
    out = out or DEFAULT_OUT
    name = recipe_path.stem if recipe.task.name is None else recipe.task.name
    if recipe.task.file is not None:
        read_pairs(recipe.task.file)  # what is wrong there is told before anything slow begins
    elif recipe.task.generator is not None:
        task(recipe.task.generator)
    check_device(device)
    work = Work(out, name, fingerprint(recipe, device))
    if (bundle := work.finished()) is not None:
        return [bundle]
    return [_compute(recipe, recipe_path, work, memory, device, tracker)]


def analyses_of(recipe_path: Path) -> list[str]:
    """The analyses that a recipe asks for, in the order in which they are to be made. Raises RecipeError."""
    recipe = read_recipe(recipe_path)
    return [name for name in ANALYSES if name not in OF_INGEST and getattr(recipe, name) is not None]


def run_analysis(
    name: str,
    recipe_path: Path,
    store: Store,
    out: Path | None = None,
    memory: int | None = None,
    device: str | None = None,
    tracker: "Tracker | None" = None,
) -> Path:
    """Makes one analysis of what is stored of the recipe's model, and writes it as a bundle below `out`.

    name: of `ingest.analyses.registry.ANALYSES`. Other parameters, and errors, as of `run_recipe`. Raises
    NothingLeftError where it would find what is stored.
    """
    recipe = read_recipe(recipe_path)
    if getattr(recipe, name) is None:
        raise RecipeError(f"{recipe_path}: has no section [{name}], which says what to do here")
    if recipe.task.generator is not None:
        task(recipe.task.generator)  # a mistake there is told, though only what is stored is asked
    if name in CHECKS:
        CHECKS[name](recipe, str(recipe_path), store)
    check_device(device)
    state = sorted(uid for (uid,) in store.run(ANALYSES[name]).rows) if ANALYSES[name] else []
    mark = hashlib.sha256(json.dumps([fingerprint(recipe, device), name, state]).encode()).hexdigest()
    work = Work(out or DEFAULT_OUT, f"{recipe_path.stem}-{name}", mark)
    if (bundle := work.finished()) is not None:
        return bundle
    return _analyse(name, recipe, recipe_path, store, work, memory, device, tracker)


def task_accuracies(recipe_path: Path, pairs: int, device: str | None = None) -> "dict[str, Accuracy | None]":
    """How well the recipe's model does each task that has a name, on held-out pairs; None where no pair aligns.

    pairs: of each task, at most. device, and errors, as of `run_recipe`.
    """
    recipe = read_recipe(recipe_path)
    check_device(device)
    import_libraries()
    from ingest.models import open_model
    from ingest.subject import start_token
    from ingest.tasks.accuracy import accuracy
    from ingest.tasks.alignment import align

    with step("model"):
        said = recipe.model
        model = open_model(said.source, said.name, device_of(device), said.dtype)
    start = start_token(recipe, str(recipe_path), model)
    found: dict[str, Accuracy | None] = {}
    with step(f"accuracy of {model.name}") as bar:
        bar.of(len(TASKS))
        for name, one in TASKS.items():
            made = one.generate(pairs, recipe.seed, Split.HELD_OUT)
            try:
                found[name] = accuracy(model, align(made, model.tokenizer, start, source=name))
            except ModelError:  # another tokenizer's words
                found[name] = None
            bar.advance()
    return found


def _analyse(
    name: str,
    recipe: Recipe,
    recipe_path: Path,
    store: Store,
    work: Work,
    memory: int | None,
    device: str | None,
    tracker: "Tracker | None",
) -> Path:
    started, clock = datetime.now(UTC), time.monotonic()
    import_libraries()
    import torch

    from ingest.rows import write_rows
    from ingest.subject import open_model_and_dictionaries

    torch.manual_seed(recipe.seed)
    where = device_of(device)
    model, dictionaries = open_model_and_dictionaries(recipe, str(recipe_path), where)
    run = f"run:{name}:{work.mark[:8]}"
    with work.locked():
        given = Analysing(recipe, str(recipe_path), model, dictionaries, store, work, memory, run)
        rows = analysis(name)(given)
        row = next((one for one in rows["Run"] if one["uid"] == run), None)  # stored: made before, its bundle gone
        if row is None:
            tracking = {"tracking_id": _reserved(work, tracker, started)}
            row = {"uid": run, **_run(name, recipe, where, started, clock), **tracking}
            rows["Run"].append(row)
        bundle = write_rows(rows, row, work.out)
        work.finish(bundle)
    return bundle.path


def _compute(
    recipe: Recipe,
    recipe_path: Path,
    work: Work,
    memory: int | None,
    device: str | None,
    tracker: "Tracker | None",
) -> Path:
    started, clock = datetime.now(UTC), time.monotonic()
    import_libraries()
    import torch

    from ingest.assembly import write_circuits
    from ingest.pipeline import find_circuit
    from ingest.subject import open_subject

    torch.manual_seed(recipe.seed)
    where = device_of(device)
    subject = open_subject(recipe, str(recipe_path), where)
    with work.locked():
        found = find_circuit(recipe, subject, work, memory)
        with step("bundle"):
            run = {**_run("ingest", recipe, where, started, clock), "tracking_id": _reserved(work, tracker, started)}
            bundle = write_circuits(recipe, subject, found, run, work.out)
        work.finish(bundle)
    return bundle.path


def _reserved(work: Work, tracker: "Tracker | None", started: datetime) -> str | None:
    """The tracker's id of this run: one, however often it is interrupted. None, and why, where it has none to give.

    What was computed is worth more than its id: a tracker that fails now is told of, and the bundle is made.
    """
    if tracker is None:
        return None
    began = int(started.timestamp())
    try:
        return str(work.facts("tracking", lambda: {"run": tracker.reserve(began)})["run"])
    except CircuitstoreError as error:
        console.print(f"the bundle is made without a tracking id: {error}")
        return None


def import_libraries() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin lose much where others compute, too
    os.environ.setdefault("TQDM_DISABLE", "1")  # the libraries' own bars; read when tqdm is imported
    with step("libraries"):
        import ingest.subject  # noqa: F401, so that the time it takes is told as a step of its own


def _run(command: str, recipe: Recipe, where: str, started: datetime, clock: float) -> dict[str, Any]:
    """The row of the Run, without its uid."""
    import torch

    return {
        "command": command,
        "params": parameters(recipe),
        "seed": recipe.seed,
        "versions": json.dumps(_versions()),
        "git_revision": git_revision(),
        "device": torch.cuda.get_device_name(where) if where.startswith("cuda") else "cpu",
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "memory": _peak_memory(),
    }


def check_device(device: str | None) -> None:
    if device is not None and not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise UsageError(f"--device: {device!r} is no device to compute on; use cpu, cuda or cuda:N")


def device_of(wanted: str | None) -> str:
    import torch

    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = torch.cuda.device_count()
    if wanted.startswith("cuda") and int(wanted.partition(":")[2] or 0) >= there:
        raise UsageError(f"--device: there is no {wanted!r} here ({there} CUDA devices); use cpu")
    return wanted


def _versions() -> dict[str, str]:
    return {"circuitstore": program_version(), **{name: version(name) for name in LIBRARIES}} | {
        "python": platform.python_version()
    }


def _peak_memory() -> int:
    """Bytes of resident memory at their peak."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
