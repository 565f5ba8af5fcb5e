"""A recipe computed on an accelerator against the same on the processor, and in bfloat16 there.

Whole runs of the pipeline, from the model's opening to the bundle. Bundles are compared with the processor's: nodes and
edges that both kept, and how far predicted and observed effects are apart. Needs an accelerator.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import tomlkit
import torch

from bench.demo_world import RECIPE
from bench.report import compare, heading, seconds
from ingest.job import run_recipe
from store.bundle import Bundle, open_bundle

EFFECTS = (("CircuitNode", "effect"), ("CircuitNode", "observed_effect"), ("ATTRIBUTES_TO", "weight"),
           ("ATTRIBUTES_TO", "observed"))  # fmt: skip


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
            cpu, on_cpu = _timed(recipe, Path(folder, "cpu"), "cpu")
            cuda, on_cuda = _timed(recipe, Path(folder, "cuda"), "cuda")
            half, in_half = _timed(in_bfloat16, Path(folder, "bfloat16"), "cuda")
        finally:
            in_bfloat16.unlink()
        compare("accelerator, float32", [cuda], "processor, float32", [cpu])
        compare("accelerator, bfloat16", [half], "accelerator, float32", [cuda])
        for name, bundle in (("accelerator, float32", on_cuda), ("accelerator, bfloat16", in_half)):
            _tell(name, bundle, on_cpu)
    return 0


def _with_dtype(recipe: Path, dtype: str, folder: Path) -> Path:
    """The recipe with another dtype, beside the first: its paths are read from there."""
    said = tomlkit.parse(recipe.read_text(encoding="utf-8"))
    said["model"]["dtype"] = dtype
    other = recipe.with_name(f"{recipe.stem}-{dtype}-{folder.name}.toml")
    other.write_text(tomlkit.dumps(said), encoding="utf-8")
    return other


def _timed(recipe: Path, out: Path, device: str) -> tuple[float, Bundle]:
    found: list[Path] = []
    taken = seconds(lambda: found.extend(run_recipe(recipe, out, device=device)))
    return taken[0], open_bundle(found[0])


def _tell(name: str, bundle: Bundle, other: Bundle) -> None:
    print(f"  {name}, against the processor's circuit of the task:")
    for table, column in EFFECTS:
        ours, theirs = (_effects(of, table, column) for of in (bundle, other))
        both = sorted(set(ours) & set(theirs))
        mine, reference = np.array([ours[key] for key in both]), np.array([theirs[key] for key in both])
        apart = np.abs(mine - reference).max() / np.abs(reference).max() if both else float("nan")
        print(
            f"    {column:<16} {len(both):>6} of {len(theirs)} in both; largest difference {apart:.1e} of the largest"
        )


def _effects(bundle: Bundle, table: str, column: str) -> dict[tuple[str, ...], float]:
    """The task circuit's values, by what stands behind the circuit's uid in those of the nodes."""
    circuits = bundle.table("Circuit")
    task = circuits.filter(pa.compute.equal(circuits["aggregation"], "task"))["uid"].to_pylist()[0]
    rows = bundle.table(table)
    keys = ["uid"] if "uid" in rows.column_names else ["source", "target"]
    found = {}
    for row in rows.select([*keys, column]).to_pylist():
        if row[keys[0]].startswith(task) and row[column] is not None:
            found[tuple(row[key].removeprefix(task) for key in keys)] = row[column]
    return found


if __name__ == "__main__":
    sys.exit(main())
