"""Where each view stands, for something that is stored."""

from collections.abc import Callable
from typing import Any

VIEWS = (
    "circuits", "circuit", "node", "paths", "compare", "feature", "clusterings", "clustering", "cluster",
    "ablations", "ablations of a circuit", "questions", "question", "paths as an answer",
)  # fmt: skip


def addresses(json: Callable[[str], Any]) -> dict[str, str]:
    """json: what the service answers at a path."""
    first, *others = json("/circuits?aggregation=task&sort=name")["rows"]
    circuit = first["uid"]
    alike = [row["uid"] for row in others if row["model"] == first["model"]]
    alike += [row["circuit"] for row in json(f"/queries/similar_circuits?circuit={circuit}")["rows"]]
    nodes = json(f"/circuits/{circuit}/graph?top_nodes=60")["nodes"]["rows"]
    node = next(row for row in nodes if row["feature"] and row["label"])
    clustering = json("/queries/clusterings")["rows"][0]["uid"]
    return dict(
        zip(
            VIEWS,
            (
                "/",
                f"/circuits/{circuit}",
                f"/circuits/{circuit}?node={node['uid']}",
                f"/circuits/{circuit}?panel=paths&path=1",
                f"/compare?left={circuit}&right={alike[0]}",
                f"/features/{node['feature']}",
                "/clusterings",
                f"/clusterings/{clustering}",
                f"/clusters/{clustering}:0",
                "/ablations",
                f"/ablations?circuit={circuit}",
                "/queries",
                "/queries/recurring_features",
                f"/queries/strongest_paths?circuit={circuit}",
            ),
            strict=True,
        )
    )
