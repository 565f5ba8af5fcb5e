"""A model as transformers runs it, whole and in double precision, with values put at places in it.

Shares no code with what is tested: plain hooks in the architecture's own modules, found by their names there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ingest.dictionaries import Dictionary

# Where blocks stand, and in a block: what is added to the stream by attention and by the MLP, and the MLP's norm.
_BLOCKS = {"gpt2": "transformer.h", "gpt_neox": "gpt_neox.layers"}
_MODULES = {
    "llama": ("self_attn", "mlp", "post_attention_layernorm"),
    "qwen2": ("self_attn", "mlp", "post_attention_layernorm"),
    "qwen3": ("self_attn", "mlp", "post_attention_layernorm"),
    "gemma2": ("post_attention_layernorm", "post_feedforward_layernorm", "pre_feedforward_layernorm"),
    "gpt2": ("attn", "mlp", "ln_2"),
    "gpt_neox": ("attention", "mlp", "post_attention_layernorm"),
}


class _Double(TorchFunctionMode):
    """Everything in float64: transformers computes norms and softmax in float32, whatever the model is in."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.float:
            return args[0].double()
        kwargs = {key: torch.float64 if one is torch.float32 else one for key, one in (kwargs or {}).items()}
        return func(*[torch.float64 if one is torch.float32 else one for one in args], **kwargs)


class Reference:
    def __init__(self, folder: Path, family: str) -> None:
        self.family = family
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float64, attn_implementation="eager"
        )
        self.model: nn.Module = model.eval()
        names = ("rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps")
        self.eps = next(getattr(model.config, name) for name in names if hasattr(model.config, name))

    @torch.no_grad()
    def __call__(
        self, tokens: Tensor, put: Mapping[str, Tensor], read: Sequence[str]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The values at the hooks `read`, and the logits of the last position, with the values `put` in place."""
        seen: dict[str, Tensor] = {}
        handles = [self._module(name).register_forward_hook(_putting(value)) for name, value in put.items()]
        handles += [self._reading(name, seen) for name in read]
        try:
            with _Double():
                logits: Tensor = self.model(tokens, use_cache=False).logits[:, -1]
        finally:
            for handle in handles:
                handle.remove()
        return seen, logits

    def _module(self, hook: str) -> nn.Module:
        _, layer, place = hook.split(".", 2)
        block = self.model.get_submodule(f"{_BLOCKS.get(self.family, 'model.layers')}.{layer}")
        attention, mlp, norm = _MODULES[self.family]
        within = {"hook_resid_post": "", "hook_attn_out": attention, "hook_mlp_out": mlp, "mlp.hook_in": "mlp"}
        return block.get_submodule(within.get(place, norm))

    def _reading(self, hook: str, seen: dict[str, Tensor]) -> Any:
        def keep(_module: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> None:
            if hook.endswith("mlp.hook_in"):
                seen[hook] = args[0]
            elif hook.endswith("hook_normalized"):
                x = args[0]
                centred = x - x.mean(-1, keepdim=True) if self.family.startswith("gpt") else x
                seen[hook] = centred / (centred.square().mean(-1, keepdim=True) + self.eps).sqrt()
            else:
                seen[hook] = out[0] if isinstance(out, tuple) else out

        return self._module(hook).register_forward_hook(keep)


def _putting(value: Tensor) -> Any:
    def put(_module: nn.Module, _args: Any, out: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        return (value, *out[1:]) if isinstance(out, tuple) else value

    return put


def in_double(dictionary: Dictionary) -> Dictionary:
    """The same dictionary in float64."""

    def doubled(of: Any) -> dict[str, Any]:
        return {name: value.double() for name, value in vars(of).items() if isinstance(value, Tensor)}

    activation: Any = dictionary.activation
    return replace(dictionary, **doubled(dictionary), activation=replace(activation, **doubled(activation)))
