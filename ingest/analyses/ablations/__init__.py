"""Ablation studies of the tasks' circuits that are stored, on held-out pairs.

What each circuit recovers, by size, baseline and treatment of errors, beside random circuits; what it loses with each
of its features; how it does when cut to edges. And features, circuits and clusters ablated in every task: what is
shared and what is not; and steered.
"""

from collections import defaultdict

import pyarrow as pa

from ingest.analyses.ablations.curves import measure_curves
from ingest.analyses.ablations.matrix import measure_matrix
from ingest.analyses.registry import Analysing
from ingest.analyses.studies import Study, open_studies
from ingest.progress import step
from ingest.rows import Row, Rows
from store.export import circuit_tables, completed
from store.schema import TABLES


def analyse(given: Analysing) -> Rows:
    """Raises NotFoundError where no task's circuit is stored that can be measured again."""
    said = given.recipe.ablations
    assert said is not None
    studies = open_studies(given, said.pairs)
    rows: Rows = defaultdict(list)
    for study in studies:
        with step(f"ablations of {study.name}") as bar:
            _add(rows, study, measure_curves(given, said, study, bar), given.run)
    with step("features, circuits and clusters in all tasks") as bar:
        for study, measured in measure_matrix(given, said, studies, bar):
            _add(rows, study, measured, given.run)
    tables = circuit_tables(given.store, [study.circuit for study in studies])
    for name, found in rows.items():
        new = pa.Table.from_pylist(found, schema=TABLES[name].schema)
        tables[name] = pa.concat_tables([tables[name], new]) if name in tables else new
    complete = completed(given.store, tables)
    return defaultdict(list, {name: table.to_pylist() for name, table in complete.items()})


def _add(rows: Rows, study: Study, measured: list[tuple[Row, dict[str, list[str]]]], run: str) -> None:
    """Adds measurements that are not stored, each with what it ablated: uids by label."""
    for row, ablated in measured:
        if row["uid"] in study.measured:
            continue
        rows["Ablation"].append(row)
        ends = {"TESTS": study.circuit, "FOR_TASK.Ablation-Task": study.task, "PRODUCED_BY.Ablation-Run": run}
        for name, target in ends.items():
            rows[name].append({"source": row["uid"], "target": target})
        for label, uids in ablated.items():
            rows[f"ABLATES.Ablation-{label}"] += [{"source": row["uid"], "target": uid} for uid in uids]
