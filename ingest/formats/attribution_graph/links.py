"""The links of an attribution graph, as columns of numbers: millions of them in little memory."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from ingest.formats.attribution_graph.wire import Link
from ingest.formats.format import Source
from ingest.formats.json_stream import strict
from store.digest import blocks

Array = np.ndarray[Any, Any]

_DECODER = msgspec.json.Decoder(list[Link])
_QUOTES = 10
"""Of a link with its three keys and two ids and nothing else."""


class _Codes(dict[str, int]):
    """A number for each id, in the order in which they come."""

    def __missing__(self, id: str) -> int:
        number = len(self)
        self[id] = number
        return number


class Links:
    """Fed in batches, before the nodes or after them; then `finish`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._codes = _Codes()
        self._columns = {"source": _Column(np.int32), "target": _Column(np.int32), "weight": _Column(np.float64)}
        self._known: int | None = None
        """How many ids nodes have, where the nodes came first."""

    def expect(self, ids: Sequence[str]) -> None:
        """The nodes came first: a link to another node is refused as soon as it comes."""
        for id in ids:
            self._codes[id]
        self._known = len(self._codes)

    @staticmethod
    def decode(text: bytes) -> list[Link]:
        links = _DECODER.decode(text)
        if text.count(b'"') != _QUOTES * len(links) or b"\\" in text:
            strict(text)  # something stands there beside what each link must have: perhaps a key twice
        return links

    def add(self, batch: list[Link]) -> None:
        """Raises ImportFormatError."""
        code, n = self._codes.__getitem__, len(batch)
        for end in ("source", "target"):
            self._columns[end].add(map(code, map(attrgetter(end), batch)), n)
        self._columns["weight"].add(map(attrgetter("weight"), batch), n)
        if self._known is not None and len(self._codes) > self._known:
            self._refuse_missing(np.arange(len(self._codes)) >= self._known)

    def finish(self, of_id: Mapping[str, Sequence[int]], layer: Array) -> pa.Table:
        """The table of a ForeignCircuit. of_id: the nodes of each id. layer: of each node.

        An id of two nodes leaves open which is meant: the link becomes an edge for each reading in which it does not
        run from a later layer to an earlier one, all marked as ambiguous.
        """
        first, second = np.full(len(self._codes), -1, np.int32), np.full(len(self._codes), -1, np.int32)
        for id, code in self._codes.items():
            if nodes := of_id.get(id):
                first[code], second[code] = nodes[0], nodes[-1]
        if np.any(first < 0):
            self._refuse_missing(first < 0)
        source, target, weight = (self._columns.pop(name).whole() for name in ("source", "target", "weight"))
        if np.array_equal(first, second):
            return pa.table(
                {"source": _renumbered(source, first), "target": _renumbered(target, first), "weight": weight}
            )
        open_ = first != second
        flags = open_[source] | open_[target]
        return _readings(flags, (first, second), source, target, weight, layer)

    def _refuse_missing(self, missing: Array) -> None:
        """missing: of each code, whether no node has the id."""
        source, target = (self._columns[end].whole() for end in ("source", "target"))
        place = int(np.flatnonzero(missing[source] | missing[target])[0])
        end, code = ("source", source[place]) if missing[source[place]] else ("target", target[place])
        id = next(id for id, given in self._codes.items() if given == code)
        raise self._source.refuse(f"links[{place}].{end}: no node has the node_id {id!r}; "
                                  "add the node or remove the link")  # fmt: skip


class _Column:
    """An array that grows where it stands, so that many numbers are not in memory twice."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._values = np.empty(1 << 16, kind)
        self._n = 0

    def add(self, values: Iterator[Any], n: int) -> None:
        if self._n + n > len(self._values):
            self._values.resize(max(self._n + n, len(self._values) * 3 // 2), refcheck=False)
        self._values[self._n : self._n + n] = np.fromiter(values, self._values.dtype, n)
        self._n += n

    def whole(self) -> Array:
        self._values.resize(self._n, refcheck=False)
        return self._values


def _renumbered(codes: Array, numbers: Array) -> Array:
    """numbers[codes], in the place of the codes."""
    for block in blocks(len(codes)):
        codes[block] = numbers[codes[block]]
    return codes


def _readings(
    flags: Array, ways: tuple[Array, Array], source: Array, target: Array, weight: Array, layer: Array
) -> pa.Table:
    """Edges of links of which some are ambiguous; the first reading of each stands in the link's place."""
    at = np.flatnonzero(flags)
    ends = [(a[source[at]], b[target[at]]) for a, b in product(ways, ways)]
    sources, targets = np.stack([s for s, _ in ends]), np.stack([t for _, t in ends])
    possible = (layer[sources] <= layer[targets]) & (sources != targets)
    possible |= ~possible.any(0)  # none is: the check of the whole circuit will tell
    for later in range(1, len(ends)):  # a reading counts once
        for before in range(later):
            same = (sources[before] == sources[later]) & (targets[before] == targets[later])
            possible[later] &= ~(possible[before] & same)
    chosen = possible.argmax(0)
    source, target = ways[0][source], ways[0][target]
    link = np.arange(len(at))
    source[at], target[at] = sources[chosen, link], targets[chosen, link]
    possible[chosen, link] = False
    way, more = np.nonzero(possible)
    ambiguous = np.concatenate([flags, np.ones(len(more), bool)])
    return pa.table(
        {
            "source": np.concatenate([source, sources[way, more]]),
            "target": np.concatenate([target, targets[way, more]]),
            "weight": np.concatenate([weight, weight[at[more]]]),
            "ambiguous": pa.array(ambiguous, mask=~ambiguous),
        }
    )
