"""The nodes of an attribution graph, as columns."""

import re
from collections import Counter, defaultdict
from typing import Any

import msgspec
import pyarrow as pa

from ingest.formats.attribution_graph.influence import is_running, shares
from ingest.formats.attribution_graph.wire import Node, index_of, kind_of, layer_of, old_error_id, site_of
from ingest.formats.foreign import ForeignDictionary, hook_of
from ingest.formats.format import Source
from ingest.formats.json_stream import strict
from store.schema import TABLES

_OUTPUT = re.compile(r'Output "(.*)" \(p=[^()]*\)', re.DOTALL)
_TYPES = {column.name: column.type.arrow for column in TABLES["CircuitNode"].columns} | {"part": pa.string()}


class Nodes:
    """Fed in batches; then `finish`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._columns: dict[str, list[Any]] = defaultdict(list)
        self._types: list[str | None] = []
        """Of features."""
        self.of_id: dict[str, list[int]] = {}
        """The nodes of each id: one, or a feature of layer 0 and an error."""
        self.old_error_ids = False
        """Whether errors have ids that features of layer 0 may have."""
        self.influences_as_given = False
        """Whether influences are no running sums, and kept as they are."""

    def __len__(self) -> int:
        return len(self._types)

    @staticmethod
    def decode(text: bytes) -> list[Node]:
        return msgspec.convert(strict(text), list[Node])

    def add(self, batch: list[Node]) -> None:
        """Raises ImportFormatError."""
        for node in batch:
            try:
                self._add(node)
            except ValueError as error:
                raise self._source.refuse(f"nodes[{len(self)}]: {error}") from error

    def _add(self, node: Node) -> None:
        layer, kind = layer_of(node), kind_of(node.feature_type)
        index = index_of(node, layer)
        position: int | None = node.ctx_idx
        if kind in ("head", "mlp", "metric"):
            index, position = _own_place(node.node_id)
        elif node.ctx_idx < 0:
            raise ValueError(f"ctx_idx {node.ctx_idx} is no position")
        site = site_of(node.feature_type) if kind in ("feature", "error") else "resid"
        said = _OUTPUT.fullmatch(node.clerp or "") if kind == "logit" else None
        row = {
            "kind": kind,
            "part": None if site == "resid" else site,
            "layer": layer,
            "index": index,
            "position": position,
            "token": said[1] if said else None,
            "activation": node.activation,
            "influence": node.influence,
            "probability": node.token_prob if kind == "logit" else None,
            "is_target": node.is_target_logit if kind == "logit" else None,
            "label": node.clerp or None,
        }
        self._name(node.node_id, kind, layer, node.ctx_idx)
        for name, value in row.items():
            self._columns[name].append(value)
        self._types.append(node.feature_type if kind == "feature" else None)

    def _name(self, id: str, kind: str, layer: int, position: int) -> None:
        of_id = self.of_id.setdefault(id, [])
        old = kind == "error" and id == old_error_id(layer, position)
        self.old_error_ids |= old
        kinds = {kind, *(self._columns["kind"][number] for number in of_id)}
        if of_id and (len(of_id) > 1 or kinds != {"feature", "error"}):
            raise ValueError(f"node_id {id!r} is that of nodes[{of_id[0]}] already")
        of_id.append(len(self))

    def finish(self, tokens: list[str], release: str | None) -> tuple[pa.Table, list[ForeignDictionary], int | None]:
        """The table of a ForeignCircuit, its dictionaries, and the model's number of layers if logits tell it.

        tokens: of the prompt. release: the name of the set that the dictionaries are of.
        """
        columns = self._columns
        n_layers = self._n_layers()
        if n_layers is not None:
            columns["layer"] = [
                n_layers if kind in ("logit", "metric") else layer
                for kind, layer in zip(columns["kind"], columns["layer"], strict=True)
            ]
        self.influences_as_given = not is_running(columns["influence"])
        if not self.influences_as_given:
            columns["influence"] = shares(columns["influence"])
        columns["token"] = [
            tokens[position] if kind != "logit" and position is not None and position < len(tokens) else token
            for kind, position, token in zip(columns["kind"], columns["position"], columns["token"], strict=True)
        ]
        dictionaries, numbers = self._dictionaries(release)
        table = pa.table({name: pa.array(columns[name], _TYPES[name]) for name in _TYPES if name in columns})
        return table.append_column("dictionary", pa.array(numbers, pa.int32())), dictionaries, n_layers

    def _n_layers(self) -> int | None:
        """Logits stand in layer n_layers + 1; or where a block is in the layer before that, right after it."""
        above, below = set[int](), {-1}
        for kind, layer in zip(self._columns["kind"], self._columns["layer"], strict=True):
            (above if kind in ("logit", "metric") else below).add(layer)
        if not above:
            return None
        if len(above) > 1 or max(below) >= min(above):
            raise self._source.refuse(f"nodes: logits stand in layers {sorted(above)}, other nodes in layers up to "
                                      f"{max(below)}; logits must all stand in one layer, above")  # fmt: skip
        return max(min(above) - 1, max(below) + 1)

    def _dictionaries(self, release: str | None) -> tuple[list[ForeignDictionary], list[int | None]]:
        """One a type and layer; and of each node, the number of its own."""
        places = sorted({(kind, layer) for kind, layer in self._places() if kind})
        at_site = Counter(site_of(kind) for kind in {kind for kind, _ in places})
        number: dict[tuple[str | None, int], int] = {place: n for n, place in enumerate(places)}
        made = []
        for kind, layer in places:
            site = site_of(kind)
            properties = {
                "hook": hook_of(site, layer),
                "layer": layer,
                "site": site,
                "architecture": kind,
                "source": release,
            }
            alone = release is not None and at_site[site] == 1
            made.append(ForeignDictionary(properties, str(release) if alone else f"{release or ''} {kind}".strip()))
        return made, [number.get(place) for place in self._places()]

    def _places(self) -> list[tuple[str | None, int]]:
        return list(zip(self._types, self._columns["layer"], strict=True))


def _own_place(id: str) -> tuple[int | None, int | None]:
    """Index and position, of an id that ends as a circuit node's uid does: kind:layer:index:position."""
    parts = [None if part == "_" else part for part in (*id.split(":")[2:4], "_", "_")]
    if any(part is not None and not re.fullmatch(r"\d{1,9}", part) for part in parts[:2]):
        raise ValueError(f"node_id {id!r} does not end as kind:layer:index:position")
    index, position = (None if part is None else int(part) for part in parts[:2])
    return index, position
