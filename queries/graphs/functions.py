"""Which function makes the rows of a query: one of the query's name, whose keywords are parameters of the query."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from queries.graphs.cuts import min_cut, min_node_cut
from queries.graphs.dominators import bottlenecks, dominators
from queries.graphs.motifs import feed_forward_motifs
from queries.graphs.paths import paths_through, strongest_paths

Function = Callable[..., list[list[Any]]]

FUNCTIONS: dict[str, Function] = {
    function.__name__: function
    for function in (
        bottlenecks, dominators, feed_forward_motifs, min_cut, min_node_cut, paths_through, strongest_paths,
    )
}  # fmt: skip


def keywords(function: Function) -> list[str]:
    return [name for name, parameter in signature(function).parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]
