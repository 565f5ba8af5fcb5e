"""A recipe computed on an accelerator against the same on the processor, and in bfloat16 there.

Whole runs of the pipeline, from the model's opening to the bundle. Bundles are compared with the processor's: nodes and
edges that both kept, and how far predicted and observed effects are apart. Then the analyses that the recipe asks for
(demo/full-analysis.toml: ablations and more), each of the processor's circuits on both. Needs an accelerator.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import tomlkit
import torch

from bench.demo_world import RECIPE
from bench.report import compare, heading, seconds
from ingest.job import analyses_of, run_analysis, run_recipe
from store.bundle import Bundle, open_bundle
from store.database import open_store

EFFECTS = (("CircuitNode", "effect"), ("CircuitNode", "observed_effect"), ("ATTRIBUTES_TO", "weight"),
           ("ATTRIBUTES_TO", "observed"))  # fmt: skip
ANALYSED = {
    "features": (("Feature", "density"), ("Feature", "max_activation")),
    "matching": (("MATCHES", "score"), ("MATCHES", "deactivation"), ("MATCHED", "explained_variance")),
    "clustering": (("Clustering", "silhouette"), ("Clustering", "stability")),
    "ablations": (("Ablation", "metric"), ("Ablation", "faithfulness")),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("recipe", type=Path, nargs="?", default=RECIPE, help="what to compute")
    recipe = options.parse_args().recipe
    if not torch.cuda.is_available():
        print("devices: no accelerator here, nothing to compare", file=sys.stderr)
        return 0
    heading(f"{recipe.stem} on {torch.cuda.get_device_name()}, {torch.get_num_threads()} threads beside it")
    with tempfile.TemporaryDirectory() as folder:
        in_bfloat16 = _with_dtype(recipe, "bfloat16", Path(folder))
        try:
            run_recipe(recipe, Path(folder, "warm"), device="cuda")  # the model is converted once, and cuda started
            cpu, on_cpu = _timed(partial(_circuits, recipe), Path(folder, "cpu"), "cpu")
            cuda, on_cuda = _timed(partial(_circuits, recipe), Path(folder, "cuda"), "cuda")
            half, in_half = _timed(partial(_circuits, in_bfloat16), Path(folder, "bfloat16"), "cuda")
        finally:
            in_bfloat16.unlink()
        compare("accelerator, float32", [cuda], "processor, float32", [cpu])
        compare("accelerator, bfloat16", [half], "accelerator, float32", [cuda])
        for name, bundle in (("accelerator, float32", on_cuda), ("accelerator, bfloat16", in_half)):
            print(f"  {name}, against the processor's circuit of the task:")
            _tell(EFFECTS, bundle, on_cpu)
        _analyses(recipe, on_cpu, Path(folder))
    return 0


def _analyses(recipe: Path, circuits: Bundle, folder: Path) -> None:
    """Each on both devices. What the processor finds is stored, for those after it."""
    with open_store(f"ladybug:{folder / 'store.lbug'}") as store:
        store.load(circuits)
        for name in analyses_of(recipe):
            make = partial(run_analysis, name, recipe, store)
            (cpu, on_cpu), (cuda, on_cuda) = (_timed(make, folder / device, device) for device in ("cpu", "cuda"))
            compare(f"{name}, accelerator", [cuda], f"{name}, processor", [cpu])
            _tell(ANALYSED[name], on_cuda, on_cpu)
            store.load(on_cpu)


def _with_dtype(recipe: Path, dtype: str, folder: Path) -> Path:
    """The recipe with another dtype, beside the first: its paths are read from there."""
    said = tomlkit.parse(recipe.read_text(encoding="utf-8"))
    said["model"]["dtype"] = dtype
    other = recipe.with_name(f"{recipe.stem}-{dtype}-{folder.name}.toml")
    other.write_text(tomlkit.dumps(said), encoding="utf-8")
    return other


def _circuits(recipe: Path, out: Path, device: str) -> Path:
    return run_recipe(recipe, out, device=device)[0]


def _timed(make: Callable[..., Path], out: Path, device: str) -> tuple[float, Bundle]:
    found: list[Path] = []
    taken = seconds(lambda: found.append(make(out=out, device=device)))
    return taken[0], open_bundle(found[0])


def _tell(columns: Sequence[tuple[str, str]], bundle: Bundle, other: Bundle) -> None:
    for table, column in columns:
        ours, theirs = (_values(of, table, column) for of in (bundle, other))
        both = sorted(set(ours) & set(theirs))
        mine, reference = np.array([ours[key] for key in both]), np.array([theirs[key] for key in both])
        apart = np.abs(mine - reference).max() / np.abs(reference).max() if both else float("nan")
        print(
            f"    {column:<18} {len(both):>6} of {len(theirs)} in both; largest difference {apart:.1e} of the largest"
        )


def _values(bundle: Bundle, table: str, column: str) -> dict[tuple[str, ...], float]:
    """By what names a row; of circuits those of the task's, by what stands behind its uid in theirs."""
    circuits = bundle.table("Circuit")
    tasks = circuits.filter(pa.compute.equal(circuits["aggregation"], "task"))["uid"].to_pylist()
    task = tasks[0] if tasks else ""
    rows = bundle.table(table)
    keys = [key for key in ("uid", "source", "target", "method") if key in rows.column_names]
    found = {}
    for row in rows.select([*keys, column]).to_pylist():
        if row[keys[0]].startswith(task) and row[column] is not None:
            found[tuple(row[key].removeprefix(task) for key in keys)] = row[column]
    return found


if __name__ == "__main__":
    sys.exit(main())
