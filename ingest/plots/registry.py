"""The plots by name, and what each is made of. One that finds nothing of its kind in a bundle gives None."""

from collections.abc import Callable, Iterator

from matplotlib.figure import Figure

from ingest.figures import told_apart
from ingest.plots.clusterings import clusterings
from ingest.plots.effects import effects
from ingest.plots.faithfulness import faithfulness
from ingest.plots.matching import matching
from ingest.plots.matrix import matrix
from ingest.plots.predictions import predictions
from ingest.plots.tables import Row, Tables
from ingest.progress import console
from store.bundle import Bundle

OF_CIRCUITS: dict[str, Callable[[Tables, Row], Figure | None]] = {
    "faithfulness": faithfulness,
    "predictions": predictions,
    "effects": effects,
}
"""Made for each circuit."""

NEWS = {"evidence": ("predictions",), "ablations": ("faithfulness",)}
"""What the bundles of these commands say that is new of the circuits in them: the rest was drawn when those were
computed."""

OF_BUNDLES: dict[str, Callable[[Tables], Figure | None]] = {
    "matrix": matrix,
    "matching": matching,
    "clusterings": clusterings,
}

MOST_CIRCUITS = 12
"""Of one bundle, the first by uid: a thousand prompts' circuits are no pictures to look at."""


def figures(bundle: Bundle) -> Iterator[tuple[str, Figure]]:
    """Each plot that a bundle gives, by the name of its file. To be used, and saved, within `style.styled`."""
    tables = Tables(bundle)
    every = sorted(tables.circuits(), key=lambda circuit: str(circuit["uid"]))
    circuits = every[:MOST_CIRCUITS]
    wanted = NEWS.get(str(bundle.manifest.provenance.get("command")), tuple(OF_CIRCUITS))
    if len(every) > MOST_CIRCUITS:
        console.print(f"{bundle.path}: plots of the first {MOST_CIRCUITS} of {len(every)} circuits")
    for circuit, mark in zip(circuits, _marks(circuits), strict=True):
        for name in wanted:
            if (figure := OF_CIRCUITS[name](tables, circuit)) is not None:
                yield f"{name}{mark}", figure
    for name, of_bundle in OF_BUNDLES.items():
        if (figure := of_bundle(tables)) is not None:
            yield name, figure


def _marks(circuits: list[Row]) -> list[str]:
    """What tells the files of several circuits apart: their names; nothing for one."""
    if len(circuits) == 1:
        return [""]
    return [f"-{name}" for name in told_apart(circuits)]
