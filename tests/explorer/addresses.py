"""Where each view stands, for something that is stored."""

from collections.abc import Callable
from typing import Any

VIEWS = (
    "circuits", "circuit", "node", "paths", "compare", "feature", "clusterings", "clustering", "cluster",
    "ablations", "ablations of a circuit", "questions", "question", "paths as an answer",
)  # fmt: skip


def addresses(json: Callable[[str], Any]) -> dict[str, str]:
    """Of the views that what is stored is enough for. json: what the service answers at a path."""
    found = {"circuits": "/", "clusterings": "/clusterings", "ablations": "/ablations", "questions": "/queries"}
    found["question"] = "/queries/recurring_features"
    for clustering in json("/queries/clusterings")["rows"][:1]:
        found["clustering"] = f"/clusterings/{clustering['uid']}"
        found["cluster"] = f"/clusters/{clustering['uid']}:0"
    tasks = json("/circuits?aggregation=task&sort=name")["rows"]
    if not tasks:
        return found
    first, *others = tasks
    circuit = first["uid"]
    found["circuit"] = f"/circuits/{circuit}"
    found["paths"] = f"/circuits/{circuit}?panel=paths&path=1"
    found["ablations of a circuit"] = f"/ablations?circuit={circuit}"
    found["paths as an answer"] = f"/queries/strongest_paths?circuit={circuit}"
    alike = [row["uid"] for row in others if row["model"] == first["model"]]
    alike += [row["circuit"] for row in json(f"/queries/similar_circuits?circuit={circuit}")["rows"]]
    if alike:
        found["compare"] = f"/compare?left={circuit}&right={alike[0]}"
    nodes = json(f"/circuits/{circuit}/graph?top_nodes=60")["nodes"]["rows"]
    if node := next((row for row in nodes if row["feature"] and row["label"]), None):
        found["node"] = f"/circuits/{circuit}?node={node['uid']}"
        found["feature"] = f"/features/{node['feature']}"
    return found
