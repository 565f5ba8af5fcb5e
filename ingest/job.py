"""One recipe from its file to its bundle: found where it was done before, or else done. Needs no torch to find it."""

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
from typing import Any

from ingest.recipe import Recipe, read_recipe
from ingest.tasks.pairs import read_pairs
from ingest.tasks.registry import task
from ingest.work import LIBRARIES, Work, fingerprint, parameters
from store.errors import UsageError

DEFAULT_OUT = Path("bundles")


def run_recipe(
    recipe_path: Path, out: Path | None = None, memory: int | None = None, device: str | None = None
) -> list[Path]:
    """Computes what a recipe asks for and writes it as bundles below `out`. Returns their folders.

    memory: bytes to stay within; half of what is free if left out. device: cpu, cuda or cuda:N; the accelerator if
    there is one. What an interrupted run has done is not done again. Raises RecipeError or ModelError.
    """
    recipe = read_recipe(recipe_path)
    out = out or DEFAULT_OUT
    name = recipe_path.stem if recipe.task.name is None else recipe.task.name
    if recipe.task.file is not None:
        read_pairs(recipe.task.file)  # what is wrong there is told before anything slow begins
    elif recipe.task.generator is not None:
        task(recipe.task.generator)
    if device is not None and not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise UsageError(f"--device: {device!r} is no device to compute on; use cpu, cuda or cuda:N")
    work = Work(out, name, fingerprint(recipe, device))
    if (bundle := work.finished()) is not None:
        return [bundle]
    return [_compute(recipe, recipe_path, work, memory, device)]


def _compute(recipe: Recipe, recipe_path: Path, work: Work, memory: int | None, device: str | None) -> Path:
    from ingest.progress import step

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin lose much where others compute, too
    os.environ.setdefault("TQDM_DISABLE", "1")  # the libraries' own bars; read when tqdm is imported
    started, clock = datetime.now(UTC), time.monotonic()
    with step("libraries"):
        import torch

        from ingest.assembly import write_circuits
        from ingest.pipeline import find_circuit
        from ingest.subject import open_subject
    torch.manual_seed(recipe.seed)
    where = _device(device)
    subject = open_subject(recipe, str(recipe_path), where)
    with work.locked():
        found = find_circuit(recipe, subject, work, memory)
        with step("bundle"):
            run: dict[str, Any] = {
                "command": "ingest",
                "params": parameters(recipe),
                "seed": recipe.seed,
                "versions": json.dumps(_versions()),
                "device": torch.cuda.get_device_name(where) if where.startswith("cuda") else "cpu",
                "started_at": started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
                "memory": _peak_memory(),
            }
            bundle = write_circuits(recipe, subject, found, run, work.out)
        work.finish(bundle)
    return bundle.path


def _device(wanted: str | None) -> str:
    import torch

    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = torch.cuda.device_count()
    if wanted.startswith("cuda") and int(wanted.partition(":")[2] or 0) >= there:
        raise UsageError(f"--device: there is no {wanted!r} here ({there} CUDA devices); use cpu")
    return wanted


def _versions() -> dict[str, str]:
    return {"circuitstore": version("circuitstore"), **{name: version(name) for name in LIBRARIES}} | {
        "python": platform.python_version()
    }


def _peak_memory() -> int:
    """Bytes of resident memory at their peak."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
