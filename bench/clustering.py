"""Clusterings of the demo's features against PCA + k-means: stability and modularity at the same number of clusters.

Stability is the mean adjusted Rand index between a clustering and those of resamplings (80 % of the features, prompts
and contexts drawn with replacement, another seed), the same for every method; modularity is that on the attribution
graph. The baseline is PCA + k-means on the same basis; the last column tells how many of the baselines, one a basis,
a clustering beats in both figures at once.

Wants a store with the demo's circuits: `circuitstore ingest demo/agreement-across-pp.toml --store ladybug:PATH`.
"""

import argparse
import tempfile
from itertools import product
from pathlib import Path
from typing import get_args

import torch

from bench.report import heading
from ingest.analyses.clustering import made, natural, open_material
from ingest.analyses.clustering.quality import modularity
from ingest.analyses.registry import Analysing
from ingest.job import run_recipe
from ingest.recipe import Basis, read_recipe
from ingest.subject import open_model_and_dictionaries
from ingest.work import Work
from store.bundle import open_bundle
from store.database import Store, open_store

DEMO = Path(__file__).parents[1] / "demo"
BASELINE = "k-means"
Row = tuple[str, str, list[int], float, float, int]
"""Basis, method, sizes, stability, modularity, features left out."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", default="", help="a store with the circuits; they are computed if left out")
    options.add_argument("--clusters", type=int, nargs="*", default=[], help="numbers of clusters beside Leiden's own")
    options.add_argument("--resamplings", type=int, default=20)
    options.add_argument("--contexts", type=int, default=200, help="of the corpus")
    options.add_argument("--bases", nargs="*", choices=get_args(Basis), default=get_args(Basis))
    given = options.parse_args()
    heading("Clusterings of the demo's features against PCA + k-means on the same basis")
    with tempfile.TemporaryDirectory() as folder, _open(given.store, Path(folder)) as store:
        recipe = read_recipe(DEMO / "full-analysis.toml")
        assert recipe.clustering is not None
        assert recipe.corpus is not None
        said = recipe.clustering.model_copy(update={"resamplings": given.resamplings})
        corpus = recipe.corpus.model_copy(update={"contexts": given.contexts})
        recipe = recipe.model_copy(update={"clustering": said, "corpus": corpus})
        model, dictionaries = open_model_and_dictionaries(recipe, "demo", "cpu")
        work = Work(Path(folder), "bench", "bench")
        analysing = Analysing(recipe, "demo", model, dictionaries, store, work, None, "run:bench")
        bases: list[Basis] = given.bases
        material, full = open_material(analysing, bases)
        torch.set_num_threads(1)
        graph = material.stored.attribution_graph(full.circuits)
        for k in [natural(material.stored, full, analysing), *given.clusters]:
            rows: list[Row] = []
            for basis, method in product(bases, said.methods):
                found = made(analysing, material, full, method, basis, k)
                labels = found["labels"].numpy()
                sizes = [int((labels == n).sum()) for n in range(int(labels.max()) + 1)]
                figures = float(found["agreements"].mean()), modularity(graph, labels)
                rows.append((basis, method, sizes, *figures, int((labels < 0).sum())))
            tell(k, rows)


def tell(k: int, rows: list[Row]) -> None:
    """The clusterings of one number of clusters, side by side."""
    baselines = {row[0]: row for row in rows if row[1] == BASELINE}
    print(f"\n  {k} clusters")
    print(f"  {'basis':<20}{'method':<10}{'stability':>10}{'':>9}{'modularity':>12}{'':>9}{'beats':>8}   sizes")
    for basis, method, sizes, stability, quality, out in rows:
        _, _, _, base_stability, base_quality, _ = baselines[basis]
        gains, beats = ("", ""), ""
        if method != BASELINE:
            gains = (f"{stability - base_stability:+.3f}", f"{quality - base_quality:+.3f}")
            beaten = sum(stability > base[3] and quality > base[4] for base in baselines.values())
            beats = f"{beaten}/{len(baselines)}" if len(sizes) == k else "other k"
        shown = " ".join(map(str, sizes)) + (f", {out} left out" if out else "")
        figures = f"{stability:>10.3f}{gains[0]:>9}{quality:>12.3f}{gains[1]:>9}"
        print(f"  {basis:<20}{method:<10}{figures}{beats:>8}   {shown}", flush=True)


def _open(url: str, folder: Path) -> Store:
    """The store of that URL, or one with the demo's circuits, computed anew."""
    if url:
        return open_store(url, read_only=True)
    store = open_store(f"ladybug:{folder / 'store.lbug'}")
    for bundle in run_recipe(DEMO / "agreement-across-pp.toml", folder):
        store.load(open_bundle(bundle))
    return store


if __name__ == "__main__":
    main()
