"""What the demo shows of a task's circuit: five answers of the catalogue, told in order, and what to ask next.

Asks the catalogue and nothing else. The circuit is one that a recipe made, with the prompt circuits of its task.
"""

from statistics import fmean
from typing import Any, TextIO

from queries import output
from queries.catalogue import catalogue
from store.database import Rows, Store

_SHOWN_TOKENS = 5


def tell(store: Store, circuit: str, out: TextIO) -> None:
    """Writes the tour of a task's circuit. Raises NotFoundError for a circuit that is not stored."""
    about = _ask(store, "circuit", circuit=circuit)[0]
    metric = _ask(store, "top_nodes", circuit=circuit, kind="metric")[0]["uid"]
    out.write(f"\n{about['name']}: {about['n_nodes']} nodes, {about['n_edges']} edges   {circuit}\n")
    _faithfulness(store, circuit, out)
    _path(store, metric, out)
    _evidence(store, circuit, out)
    _recurring(store, about["name"], out)
    feature = _ask(store, "top_nodes", circuit=circuit, kind="feature", limit=1)[0]["feature"]
    out.write(
        "\nAsk on:\n"
        "  circuitstore circuits\n"
        f"  circuitstore query upstream_paths node={metric} max_hops=3\n"
        f"  circuitstore query feature feature={feature}\n"
        "  circuitstore query recurring_edges\n"
        "  circuitstore queries              # everything that can be asked\n"
        "  circuitstore serve                # look at it, at http://127.0.0.1:8000/; the API: /docs\n"
    )


def _faithfulness(store: Store, circuit: str, out: TextIO) -> None:
    measured = _ask(store, "ablations", circuit=circuit)
    if not measured:
        return
    out.write(
        f"\n1. Is it the circuit? Faithfulness on {measured[0]['n_pairs']} held-out pairs, all else at its mean: 1 is"
        "\n   the whole model, 0 nothing. Beside it random circuits, and the model without the circuit (0 is ideal),"
        "\n   with every dictionary's error term ablated, and kept.\n\n"
    )
    rows = []
    for size in sorted({m["n_nodes"] for m in measured if m["n_nodes"]}):
        row: list[Any] = [size]
        for errors in ("ablated", "kept"):
            for kind in ("faithfulness", "random", "completeness"):
                values = [
                    m["faithfulness"]
                    for m in measured
                    if (m["n_nodes"], m["errors"], m["kind"]) == (size, errors, kind) and m["faithfulness"] is not None
                ]
                row.append(round(fmean(values), 3) if values else None)
        rows.append(row)
    columns = ["features", "ablated: circuit", "random", "without", "kept: circuit", "random", "without"]
    _table(columns, rows, out)


def _path(store: Store, metric: str, out: TextIO) -> None:
    found = _ask(store, "upstream_paths", node=metric, start_kind="token", max_hops=8, limit=1)
    out.write(
        "\n2. How does it work? The strongest path from a token to the metric: each edge's predicted effect, and the"
        "\n   one observed when it alone is changed.\n\n"
    )
    if not found:
        out.write("   (no path of at most 8 edges)\n")
        return
    path = found[0]
    rows = []
    steps = zip(path["nodes"], path["labels"], [None, *path["weights"]], [None, *path["observed"]], strict=True)
    for uid, label, weight, observed in steps:
        node = _ask(store, "node", node=uid)[0]
        rows.append([label, weight, observed, _tokens(node["top_tokens"]), _tokens(node["bottom_tokens"])])
    _table(["node", "weight", "observed", "promotes", "suppresses"], rows, out)


def _evidence(store: Store, circuit: str, out: TextIO) -> None:
    found = _ask(store, "evidence", circuit=circuit)
    if not found:
        return
    out.write("\n3. Can the weights be believed? The strongest edges and a random sample, each changed alone.\n\n")
    columns = ["layers", "edges", "r", "slope", "sign right"]
    rows = [
        [f"{f['source_layer']} → {f['target_layer']}", *(f[key] for key in ("n", "r", "slope", "sign_agreement"))]
        for f in found
    ]
    _table(columns, rows, out)


def _recurring(store: Store, task: str, out: TextIO) -> None:
    found = _ask(store, "recurring_features", task=task, limit=8)
    if not found:
        return
    out.write("\n4. What recurs? Features over the circuits of the single prompts.\n\n")
    rows = []
    for f in found:
        about = f["label"] or _tokens(_ask(store, "feature", feature=f["uid"])[0]["top_tokens"])
        rows.append([f"{f['layer']}:{f['index']}", f["n_circuits"], round(f["share"], 2), f["mean_effect"], about])
    _table(["feature", "circuits", "share", "mean effect", "about"], rows, out)


def _tokens(tokens: list[str] | None) -> str | None:
    return None if tokens is None else " ".join(repr(token)[1:-1].strip() or "␣" for token in tokens[:_SHOWN_TOKENS])


def _ask(store: Store, query: str, **given: object) -> list[dict[str, Any]]:
    return output.as_objects(catalogue().run(store, query, given))


def _table(columns: list[str], rows: list[list[Any]], out: TextIO) -> None:
    output.write(Rows(columns, rows, truncated=False), output.Format.TABLE, out, lambda note: None)
