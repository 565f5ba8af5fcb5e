"""Files as feature-circuits saves them: by torch.save, from a class of its name and shape."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


class SparseAct:
    """Has the attributes of feature-circuits' own."""

    def __init__(self, act: Any = None, res: Any = None, resc: Any = None) -> None:
        self.act, self.res, self.resc = act, res, resc


@contextmanager
def in_its_module(kind: type) -> Iterator[None]:
    """What pickles of the class will name: activation_utils."""
    module = ModuleType("activation_utils")
    setattr(module, kind.__name__, kind)
    before = kind.__module__
    sys.modules[module.__name__], kind.__module__ = module, module.__name__
    try:
        yield
    finally:
        del sys.modules[module.__name__]
        kind.__module__ = before


def save(path: Path, content: object, *, legacy: bool = False) -> Path:
    with in_its_module(SparseAct):
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def circuit(by_position: bool = True, seed: int = 0, n_layers: int = 2, n: int = 3, f: int = 5) -> dict[str, Any]:
    """n: positions. f: features a dictionary. Edges are between neighbours, as feature-circuits finds them."""
    generator = torch.Generator().manual_seed(seed)

    def sparse(*shape: int) -> torch.Tensor:
        values = torch.randn(shape, generator=generator)
        return (values * (torch.rand(shape, generator=generator) < 0.1)).to_sparse()

    submodules = ["embed", *(f"{site}_{layer}" for layer in range(n_layers) for site in ("attn", "mlp", "resid"))]
    at = (n,) if by_position else ()
    effects = {name: sparse(*at, f + 1).to_dense() for name in submodules}
    edges: dict[str, dict[str, torch.Tensor]] = {}
    for layer in range(n_layers):
        below = f"resid_{layer - 1}" if layer else "embed"
        ways = [(below, f"{site}_{layer}") for site in ("attn", "mlp", "resid")]
        for up, down in [*ways, (f"attn_{layer}", f"resid_{layer}"), (f"mlp_{layer}", f"resid_{layer}")]:
            edges.setdefault(up, {})[down] = sparse(*at, f + 1, *at, f + 1)
    edges[submodules[-1]] = {"y": sparse(*at, f + 1)}
    examples = [{"clean_prefix": torch.tensor([[1, 2, 3]]), "clean_answer": 4, "patch_answer": 5}]
    nodes = {name: SparseAct(act=each[..., :-1], resc=each[..., -1:]) for name, each in effects.items()}
    return {"examples": examples, "nodes": nodes, "edges": edges}
