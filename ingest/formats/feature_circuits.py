"""Sparse feature circuits as saprmarks/feature-circuits saves them (Marks et al. 2024): `.pt` files of torch.save.

`nodes` holds, for each submodule (`embed`, `attn_0`, `mlp_0`, `resid_0` …), the effects of its features and of its
error as a SparseAct: `act` of shape [features] or [position, features], and `resc` of shape [1] or [position, 1].
`edges[upstream][downstream]` is a sparse tensor of shape [*downstream, *upstream], with a submodule's error behind its
features; the metric, `y`, has no shape. No code of the file is run.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.formats.assembly import assembled
from ingest.formats.foreign import ForeignCircuit, ForeignDictionary, ForeignError, hook_of
from ingest.formats.format import GZIP, Format, Source, Tables
from ingest.formats.pickles import Instance
from ingest.formats.torch_file import LEGACY_HEADER, ZIP_HEADER, SparseTensor, Tensor, TorchFileError, read_torch_file

Array = np.ndarray[Any, Any]

METRIC = "y"
_SUBMODULE = re.compile(r"embed|(attn|mlp|resid)_(0|[1-9]\d{0,3})")
_EXAMPLES = 1 << 20
"""Bytes of the examples, as JSON, that are kept."""


@dataclass(frozen=True)
class Submodule:
    """The effects of one place in the model."""

    site: str
    layer: int
    effects: Array
    """[1 or position, features + 1]: the last is the error's."""
    by_position: bool

    @property
    def n_features(self) -> int:
        return int(self.effects.shape[1]) - 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an edge's end there."""
        shape: tuple[int, ...] = self.effects.shape
        return shape if self.by_position else shape[1:]

    @property
    def hook(self) -> str:
        return "hook_embed" if self.layer < 0 else hook_of(self.site, self.layer)


def sniff(name: str, head: bytes) -> bool:
    return head.startswith(LEGACY_HEADER) or (head.startswith(ZIP_HEADER) and b"data.pkl" in head[:4096])


def read(source: Source) -> Iterator[Tables]:
    """The one circuit of a file. Raises ImportFormatError."""
    with source.path.open("rb") as stream:
        if stream.read(len(GZIP)) == GZIP:
            raise source.refuse("a .pt file is not read while gzipped; unpack it first")
    try:
        said = read_torch_file(source.path, ("SparseAct",))
    except TorchFileError as error:
        raise source.refuse(str(error)) from None
    with source.named():
        yield assembled(_foreign(source, said))


def _foreign(source: Source, said: Any) -> ForeignCircuit:
    if not isinstance(said, dict) or not isinstance(said.get("nodes"), dict):
        raise ForeignError("it holds no dict with nodes: a feature circuit has examples, nodes and edges")
    submodules = {
        name: _submodule(name, found)
        for name, found in said["nodes"].items()
        if name != METRIC or not isinstance(found, Tensor)
    }
    if len({one.by_position for one in submodules.values()}) != 1:
        raise ForeignError("nodes: it must hold submodules, all by position or none")
    ordered = sorted(submodules, key=lambda name: (submodules[name].layer, "amr".index(submodules[name].site[0])))
    n_layers = max(one.layer for one in submodules.values()) + 1
    # Nodes are numbered by their place in all the effects, one submodule after the other; the metric comes last.
    starts = dict(zip(ordered, np.cumsum([0, *(submodules[name].effects.size for name in ordered)]), strict=False))
    metric = sum(one.effects.size for one in submodules.values())
    source_, target, weight = _edges(said.get("edges"), submodules, {**starts, METRIC: metric})
    effects = np.concatenate([*(submodules[name].effects.ravel() for name in ordered), [0.0]])
    used = np.union1d(np.union1d(source_, target), np.append(np.flatnonzero(effects), metric)).astype(np.int64)
    params = {"format": "feature-circuits", **_examples(said.get("examples"))}
    return ForeignCircuit(
        name=PurePath(source.name).name.removesuffix(".pt"),
        method="integrated gradients, feature-circuits",
        model={"name": source.model_name(None, f"transformer-{n_layers}-layers"), "n_layers": n_layers},
        nodes=_nodes([submodules[name] for name in ordered], effects, used, n_layers),
        edges=pa.table(
            {
                "source": np.searchsorted(used, source_).astype(np.int32),
                "target": np.searchsorted(used, target).astype(np.int32),
                "weight": weight,
            }
        ),
        dictionaries=[
            ForeignDictionary({"hook": one.hook, "layer": one.layer, "site": one.site, "n_features": one.n_features})
            for one in (submodules[name] for name in ordered)
        ],
        run={"params": json.dumps(params, sort_keys=True)},
    )


def _submodule(name: Any, found: Any) -> Submodule:
    where = f"nodes[{name!r}]"
    match = _SUBMODULE.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ForeignError(f"{where} is no submodule: they are embed, attn_0, mlp_0, resid_0 …")
    if not isinstance(found, Instance) or set(found.attributes) - {"act", "res", "resc"}:
        raise ForeignError(f"{where} is no SparseAct of act, res and resc")
    act, resc = found.attributes.get("act"), found.attributes.get("resc")
    if not isinstance(act, Tensor) or not isinstance(resc, Tensor) or found.attributes.get("res") is not None:
        raise ForeignError(f"{where}: act and resc must be tensors, and res none: an effect is one number a node")
    if len(act.shape) not in (1, 2) or resc.shape not in ((*act.shape[:-1], 1), act.shape[:-1]):
        raise ForeignError(f"{where}: act has shape {act.shape} and resc {resc.shape}; expected are [features] and "
                           "[1], or [position, features] and [position, 1]")  # fmt: skip
    n = act.shape[0] if len(act.shape) == 2 else 1
    effects = np.column_stack([act.array().reshape(n, -1), resc.array().reshape(n, 1)]).astype(np.float64)
    _check_finite(effects, f"{where}: an effect")
    return Submodule(match[1] or "resid", -1 if match[2] is None else int(match[2]), effects, len(act.shape) == 2)


def _edges(said: Any, submodules: Mapping[str, Submodule], starts: Mapping[str, int]) -> tuple[Array, Array, Array]:
    """Sources and targets as places in all the effects, and weights; a place that comes twice is summed."""
    columns: list[tuple[Array, Array, Array]] = []
    if said is not None and not isinstance(said, dict):
        raise ForeignError("edges is no dict")
    for up, found in (said or {}).items():
        if not isinstance(found, dict):
            raise ForeignError(f"edges[{up!r}] is no dict")
        for down, tensor in found.items():
            where = f"edges[{up!r}][{down!r}]"
            for end in (up, down):
                if end not in submodules and (end != METRIC or end == up):
                    raise ForeignError(f"{where}: nodes has no {end!r}")
            if starts[up] >= starts[down]:
                raise ForeignError(f"{where}: {down} can't read what {up} writes")
            upper = submodules[up].shape
            lower = submodules[down].shape if down != METRIC else ()
            if not isinstance(tensor, SparseTensor) or tensor.shape != (*lower, *upper):
                shape = getattr(tensor, "shape", None)
                raise ForeignError(
                    f"{where} has shape {shape}; expected is a sparse tensor of shape {(*lower, *upper)}"
                )
            indices, values = tensor.indices.array(), tensor.values.array().astype(np.float64)
            limits = np.array(tensor.shape)[:, None]
            if np.any((indices < 0) | (indices >= limits)):
                raise ForeignError(f"{where}: an index is out of its shape {tensor.shape}")
            _check_finite(values, f"{where}: a weight")
            target = np.full(len(values), starts[METRIC])
            if lower:
                target = starts[down] + np.ravel_multi_index(tuple(indices[: len(lower)]), lower)
            columns.append((starts[up] + np.ravel_multi_index(tuple(indices[len(lower) :]), upper), target, values))
    if not columns:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    source, target, weight = (np.concatenate(each) for each in zip(*columns, strict=True))
    pairs, place = np.unique(np.stack([source, target]), axis=1, return_inverse=True)
    summed = np.bincount(place.ravel(), weight, pairs.shape[1])
    kept = summed != 0
    return pairs[0][kept], pairs[1][kept], summed[kept]


def _nodes(submodules: list[Submodule], effects: Array, used: Array, n_layers: int) -> pa.Table:
    """used: the places in all the effects whose nodes there are; the last is the metric's."""
    starts = np.cumsum([0, *(one.effects.size for one in submodules)])
    number = np.searchsorted(starts, used[:-1], side="right") - 1
    width = np.array([one.effects.shape[1] for one in submodules])[number]
    position, index = np.divmod(used[:-1] - starts[number], width)
    error = index == width - 1
    layer = np.array([one.layer for one in submodules])[number]
    part = np.array([None if one.site == "resid" else one.site for one in submodules], object)[number]
    by_position = submodules[0].by_position

    def column(values: Any, of_metric: Any, type_: pa.DataType, absent: Array | None = None) -> pa.Array:
        given = pa.array(values, type_, mask=absent)
        return pa.concat_arrays([given, pa.array([of_metric], type_)])

    nothing = np.full(len(number), not by_position)
    return pa.table(
        {
            "kind": column(np.where(error, "error", "feature").astype(object), "metric", pa.string()),
            "part": column(part, None, pa.string()),
            "layer": column(layer, n_layers, pa.int64()),
            "index": column(index, None, pa.int64(), error),
            "position": column(position, None, pa.int64(), nothing),
            "effect": column(effects[used[:-1]], None, pa.float64()),
            "dictionary": column(number, None, pa.int32(), error),
        }
    )


def _examples(said: Any) -> dict[str, Any]:
    """The prompts that the circuit was found on, as token numbers, where they are few."""
    if said is None:
        return {}
    n = {"n_examples": len(said) if isinstance(said, list) else 1}
    text = ""
    try:
        for part in json.JSONEncoder(default=_plain, allow_nan=False).iterencode(said):
            text += part
            if len(text) > _EXAMPLES:  # a small file may say a large text: a list that holds one list often
                return n
    except (TypeError, ValueError, RecursionError):
        return n
    return n | {"examples": json.loads(text)}


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor) and math.prod(value.shape) <= _EXAMPLES:
        return value.array().tolist()
    raise TypeError


def _check_finite(values: Array, what: str) -> None:
    if not np.isfinite(values).all():
        raise ForeignError(f"{what} is NaN or infinite")


FORMAT = Format(
    "feature-circuits", ".pt", "Sparse feature circuits of feature-circuits, as torch.save wrote them.", sniff, read
)
