"""Where in a model a dictionary reads and writes: hook names, and their order in depth.

Names are TransformerLens's. A residual hook is a *boundary* between blocks: boundary b is the residual stream
after b blocks, so `blocks.3.hook_resid_post` and `blocks.4.hook_resid_pre` are one place. `hook_attn_out` and
`hook_mlp_out` are what is added to the stream: behind the second norm where an architecture has one (Gemma 2).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from store.errors import ModelError

Site = Literal["resid", "mlp", "attn"]

_NAME = re.compile(r"blocks\.(\d+)\.hook_(resid_pre|resid_post|out|mlp_out|attn_out)")
_MLP_INPUT = re.compile(r"blocks\.(\d+)\.(ln2\.hook_normalized|ln2\.hook_out|mlp\.hook_in)")
_DEPTH_IN_BLOCK: dict[Site, int] = {"attn": 0, "mlp": 1, "resid": 2}


@dataclass(frozen=True)
class Hook:
    """One place in the model. `boundary` is set for residual hooks only."""

    name: str
    layer: int
    site: Site
    boundary: int | None

    @property
    def depth(self) -> tuple[int, int]:
        """Sorts hooks in the order in which a forward pass meets them."""
        if self.boundary is not None:
            return (self.boundary - 1, _DEPTH_IN_BLOCK["resid"])
        return (self.layer, _DEPTH_IN_BLOCK[self.site])

    @property
    def stop(self) -> int:
        """The boundary up to which a run must go to compute what stands here."""
        return self.layer + 1 if self.boundary is None else self.boundary


def parse_hook(name: str, n_layers: int) -> Hook:
    """The hook of that name in a model of `n_layers` blocks. Raises ModelError where there is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ModelError(
            f"the hook {name!r} is not one that circuits can be made of; "
            "use blocks.N.hook_resid_post, hook_resid_pre, hook_mlp_out or hook_attn_out"
        )
    layer, place = int(match[1]), match[2]
    if layer >= n_layers:
        raise ModelError(f'the model has no hook "{name}" (it has {n_layers} blocks, 0 to {n_layers - 1})')
    if place == "resid_pre":
        if layer == 0:
            raise ModelError(f"the hook {name!r} is the embedding, where the tokens stand already; leave it out")
        return Hook(f"blocks.{layer - 1}.hook_resid_post", layer - 1, "resid", layer)
    if place in ("resid_post", "out"):
        return Hook(f"blocks.{layer}.hook_resid_post", layer, "resid", layer + 1)
    return Hook(name, layer, "mlp" if place == "mlp_out" else "attn", None)


def parse_mlp_input(name: str, output: Hook) -> Hook:
    """The hook of that name as what a transcoder to `output` reads. Raises ModelError where it can't be.

    `ln2.hook_normalized` is the norm's output before its weights, `ln2.hook_out` and `mlp.hook_in` behind them.
    """
    match = _MLP_INPUT.fullmatch(name)
    if match is None:
        raise ModelError(
            f"the hook {name!r} is not one that a transcoder can read; "
            "use blocks.N.ln2.hook_normalized, ln2.hook_out or mlp.hook_in"
        )
    if output.site != "mlp" or int(match[1]) != output.layer:
        raise ModelError(
            f"a transcoder from {name!r} to {output.name!r} is not supported: "
            "it has to write the output of the MLP whose input it reads (blocks.N.hook_mlp_out)"
        )
    return Hook(name, output.layer, "mlp", None)


def start_for(hook: Hook, hooks: Iterable[Hook]) -> Hook:
    """The deepest residual hook among `hooks` that is not behind `hook`: a run that changes it can start there."""
    return max((h for h in hooks if h.boundary is not None and h.depth <= hook.depth), key=lambda h: h.depth)


EMBEDDING = Hook("hook_embed", -1, "resid", 0)
"""The residual stream before the first block: token nodes live here."""
