"""Dictionaries (sparse autoencoders, transcoders) behind one protocol, whatever their architecture.

Every architecture here is a linear map followed by an element-wise activation function, f = φ(π) with
π = (x − b_in) W_enc, and a linear decoder ŷ = f W_dec + b_dec of what stands at the dictionary's hook, y = ŷ + ε.
An autoencoder reads what it writes, x = y. A transcoder (Dunefsky et al. 2024) reads the MLP's input and writes its
output. The activation functions differ only in φ, so that attribution needs to know four things of a dictionary:
where x stands, π, φ and the decoder's rows.

A skip transcoder adds x W_skip to ŷ. That part is no feature's, so here it stands in ε, with the rest that no feature
explains: ε = y − f W_dec − b_dec, whatever the architecture, and features and error terms always add up to y.
"""

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from sae_lens import SAE
from torch import Tensor

from ingest.hooks import Hook, parse_hook, parse_mlp_input
from ingest.models import Edit, LanguageModel
from ingest.progress import console
from ingest.weights import weights_hash
from store.errors import ModelError
from store.uids import slug


class Activation(Protocol):
    """φ, element-wise on π: [..., d_sae]."""

    def __call__(self, pi: Tensor) -> Tensor: ...

    def slope(self, pi: Tensor) -> Tensor:
        """dφ/dπ, zero where a feature is silent."""
        ...

    def of(self, feature: int, pi: Tensor) -> Callable[[Tensor], Tensor]:
        """φ of one feature, as a function of its own π: [...], with all others as they are in `pi`: [..., d_sae]."""
        ...

    def only(self, features: Sequence[int]) -> "Activation | None":
        """φ of some features, as a function of their own π: [..., n]. None where it depends on the others' as well."""
        ...


@dataclass(frozen=True)
class JumpReLU:
    """φ = z · 1[z > θ] with z = π + b (Rajamanoharan et al. 2024). ReLU is θ = 0."""

    bias: Tensor
    threshold: Tensor

    def __call__(self, pi: Tensor) -> Tensor:
        return (pi + self.bias) * self.slope(pi)

    def slope(self, pi: Tensor) -> Tensor:
        return (pi + self.bias > self.threshold).to(pi.dtype)

    def of(self, feature: int, pi: Tensor) -> Callable[[Tensor], Tensor]:
        return JumpReLU(self.bias[feature], self.threshold[feature])

    def only(self, features: Sequence[int]) -> Activation:
        return JumpReLU(self.bias[features], self.threshold[features])


@dataclass(frozen=True)
class Gated:
    """φ = 1[π + b_gate > 0] · ReLU(e^r π + b_mag) (Rajamanoharan et al. 2024, Gated SAEs)."""

    gate_bias: Tensor
    magnitude_bias: Tensor
    log_scale: Tensor

    def __call__(self, pi: Tensor) -> Tensor:
        magnitude = pi * self.log_scale.exp() + self.magnitude_bias
        return magnitude.relu() * (pi + self.gate_bias > 0)

    def slope(self, pi: Tensor) -> Tensor:
        return (self(pi) > 0) * self.log_scale.exp()

    def of(self, feature: int, pi: Tensor) -> Callable[[Tensor], Tensor]:
        return Gated(self.gate_bias[feature], self.magnitude_bias[feature], self.log_scale[feature])

    def only(self, features: Sequence[int]) -> Activation:
        return Gated(self.gate_bias[features], self.magnitude_bias[features], self.log_scale[features])


@dataclass(frozen=True)
class TopK:
    """φ keeps the k largest of z = π + b at each position, after ReLU (Gao et al. 2024)."""

    bias: Tensor
    k: int

    def __call__(self, pi: Tensor) -> Tensor:
        return (pi + self.bias) * self.slope(pi)

    def slope(self, pi: Tensor) -> Tensor:
        z = pi + self.bias
        return torch.zeros_like(z).scatter_(-1, z.topk(self.k, dim=-1).indices, 1.0) * (z > 0)

    def of(self, feature: int, pi: Tensor) -> Callable[[Tensor], Tensor]:
        others = pi + self.bias
        others[..., feature] = -torch.inf
        return JumpReLU(self.bias[feature], others.topk(self.k, dim=-1).values[..., -1].clamp(min=0))

    def only(self, features: Sequence[int]) -> None:
        return None


@dataclass(frozen=True)
class Dictionary:
    """One dictionary; all of it in float32. W_enc: [d_in, d_sae]; W_dec: [d_sae, d_out].

    `hook` is where its features act and its error term stands; `reads` where their activations come from.
    """

    hook: Hook
    reads: Hook
    architecture: str
    source: str
    sha256: str
    W_enc: Tensor
    W_dec: Tensor
    b_in: Tensor
    b_dec: Tensor
    activation: Activation

    @property
    def d_in(self) -> int:
        return self.W_enc.shape[0]

    @property
    def d_out(self) -> int:
        return self.W_dec.shape[1]

    @property
    def n_features(self) -> int:
        return self.W_enc.shape[1]

    def linear(self, x: Tensor) -> Tensor:
        """π = (x − b) W_enc, before any bias of the activation function. [..., d_in] to [..., d_sae]."""
        return (x.to(self.W_enc.dtype) - self.b_in) @ self.W_enc

    def encode(self, x: Tensor) -> Tensor:
        """Feature activations f = φ(π). [..., d_in] to [..., d_sae]."""
        return self.activation(self.linear(x))

    def encode_only(self, x: Tensor, features: Sequence[int]) -> Tensor:
        """Those features' activations, without computing others where that can be. [..., d_in] to [..., n]."""
        activation = self.activation.only(features)
        if activation is None:
            return self.encode(x)[..., features]
        return activation((x.to(self.W_enc.dtype) - self.b_in) @ self.W_enc[:, features])

    def decode(self, f: Tensor) -> Tensor:
        """The reconstruction ŷ. [..., d_sae] to [..., d_out]."""
        return f @ self.W_dec + self.b_dec

    def error(self, x: Tensor, y: Tensor) -> Tensor:
        """The error term ε = y − ŷ(x). x: what it reads, [..., d_in]; y: what it writes, [..., d_out]."""
        return y.to(self.W_dec.dtype) - self.decode(self.encode(x))

    def read(self, values: Mapping[Hook, Tensor]) -> tuple[Tensor, Tensor]:
        """x and y among the values at hooks: for an autoencoder, the same."""
        return values[self.reads], values[self.hook]


def places(dictionaries: Iterable[Dictionary]) -> list[Hook]:
    """Every hook that some of the dictionaries read or write, each once."""
    return list(dict.fromkeys(hook for one in dictionaries for hook in (one.reads, one.hook)))


def edits_at(dictionary: Dictionary, edit: Callable[[Tensor, Tensor], Tensor]) -> dict[Hook, Edit]:
    """Edits of a run that put `edit` of what the dictionary reads and writes, (x, y), in the place of y."""
    if dictionary.reads == dictionary.hook:
        return {dictionary.hook: lambda y: edit(y, y)}
    read: list[Tensor] = []

    def keep(x: Tensor) -> Tensor:
        read[:] = [x]
        return x

    return {dictionary.reads: keep, dictionary.hook: lambda y: edit(read[0], y)}


def open_dictionary(sae: SAE[Any], hook: Hook, source: str, sha256: str, reads: Hook | None = None) -> Dictionary:
    """A SAELens autoencoder or transcoder as a dictionary. Raises ModelError for one that can't be represented.

    reads: another hook than `hook`, for a transcoder.
    """
    architecture = sae.cfg.architecture()
    if sae.cfg.normalize_activations not in ("none", "expected_average_only_in"):
        raise ModelError(
            f"{source}: activations normalised by {sae.cfg.normalize_activations!r} are not supported; "
            "fold the normalisation into the weights first"
        )
    if sae.cfg.reshape_activations != "none":
        raise ModelError(
            f"{source}: dictionaries of reshaped activations ({sae.cfg.reshape_activations}) are not supported"
        )
    if getattr(sae.cfg, "rescale_acts_by_decoder_norm", False):
        sae.fold_W_dec_norm()
    weights = {name: value.detach().float() for name, value in sae.state_dict().items()}
    for name, value in weights.items():
        if not bool(torch.isfinite(value).all()):
            raise ModelError(f"{source}: {name} has values that are not finite (NaN or infinity); get the file again")
    b_dec = weights["b_dec"]
    b_in = b_dec if sae.cfg.apply_b_dec_to_input else torch.zeros_like(weights["W_enc"][:, 0])
    if _reads_centred(sae) and reads is None:  # a norm centres what a transcoder reads
        weights = _centred(weights, b_in)
    activation: Activation
    if architecture in ("standard", "transcoder", "skip_transcoder"):
        activation = JumpReLU(weights["b_enc"], torch.zeros_like(weights["b_enc"]))
    elif architecture in ("jumprelu", "jumprelu_transcoder", "jumprelu_skip_transcoder"):
        activation = JumpReLU(weights["b_enc"], weights["threshold"].clamp(min=0))
    elif architecture == "topk":
        activation = TopK(weights["b_enc"], sae.cfg.k)
    elif architecture == "gated":
        activation = Gated(weights["b_gate"], weights["b_mag"], weights["r_mag"])
    else:
        raise ModelError(
            f"{source}: the architecture {architecture!r} is not supported; use jumprelu, standard, topk, gated, "
            "transcoder, skip_transcoder or jumprelu_transcoder"
        )
    return Dictionary(
        hook, reads or hook, architecture, source, sha256, weights["W_enc"], weights["W_dec"], b_in, b_dec, activation
    )


def hook_of(folder: Path, model: LanguageModel) -> Hook:
    """The hook that the dictionary in a SAELens folder decomposes. Raises ModelError."""
    return _hooks_of(folder, model)[0]


def _hooks_of(folder: Path, model: LanguageModel) -> tuple[Hook, Hook | None]:
    config = _read_config(folder)
    metadata = config.get("metadata")
    told: dict[str, Any] = config | (metadata if isinstance(metadata, dict) else {})
    architecture = str(config.get("architecture", "standard"))
    return _hooks(told.get("hook_name"), told.get("hook_name_out"), architecture, model, str(folder / "cfg.json"))


def _hooks(
    name: object, name_out: object, architecture: str, model: LanguageModel, where: str
) -> tuple[Hook, Hook | None]:
    """The hook that a dictionary decomposes, and the one that it reads where that is another: a transcoder's."""
    if not isinstance(name, str):
        raise ModelError(f"{where}: it does not say which hook the dictionary reads (hook_name)")
    if not architecture.endswith("transcoder"):
        return parse_hook(name, model.n_layers), None
    if not isinstance(name_out, str):
        raise ModelError(f"{where}: it does not say which hook the transcoder writes (hook_name_out)")
    hook = parse_hook(name_out, model.n_layers)
    return hook, parse_mlp_input(name, hook)


def from_folder(folder: Path, model: LanguageModel) -> Dictionary:
    """The dictionary in a SAELens folder (`cfg.json` and `sae_weights.safetensors`). Raises ModelError."""
    hook, reads = _hooks_of(folder, model)
    try:
        with _without_advice():
            sae = SAE.load_from_disk(folder, dtype="float32", device=str(model.device))
    except Exception as error:  # SAELens raises many kinds
        raise ModelError(f"{folder} is not a dictionary that SAELens can load: {_first_line(error)}") from error
    sha256 = weights_hash(folder / "sae_weights.safetensors")
    return _fitting(open_dictionary(sae, hook, folder.name, sha256, reads), sae, model)


def from_release(release: str, sae_id: str, model: LanguageModel) -> Dictionary:
    """A dictionary of a SAELens release, fetched from its hub. Raises ModelError."""
    try:
        with _without_advice():
            sae = SAE.from_pretrained(release, sae_id, device=str(model.device))
    except Exception as error:  # SAELens raises many kinds
        raise ModelError(f"the dictionary {sae_id!r} of {release!r} could not be had: {_first_line(error)}") from error
    told, source = sae.cfg.metadata, f"{release}/{sae_id}"
    hook, reads = _hooks(told.hook_name, told.hook_name_out, sae.cfg.architecture(), model, source)
    return _fitting(open_dictionary(sae, hook, source, "", reads), sae, model)


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep back SAELens's advice on how to load the model: what it asks for is done to the dictionary instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _fitting(dictionary: Dictionary, sae: SAE[Any], model: LanguageModel) -> Dictionary:
    """The same dictionary. Raises ModelError where it can't read this model's activations."""
    for width, hook in ((dictionary.d_in, dictionary.reads), (dictionary.d_out, dictionary.hook)):
        if width != model.d_model:
            raise ModelError(
                f"{dictionary.source}: the dictionary is {width} wide, but the model {model.name} has d_model "
                f"{model.d_model} at {hook.name}; use dictionaries that were trained on this model"
            )
        if not model.has(hook):
            raise ModelError(
                f"{dictionary.source}: the model {model.name} has no hook {hook.name!r}; "
                "use dictionaries that were trained on this model"
            )
    trained_on = sae.cfg.metadata.model_name
    if trained_on and slug(str(trained_on).rpartition("/")[2]) != model.name:
        console.print(f"{dictionary.source}: was trained on {trained_on}, and is used on {model.name}")
    if _reads_centred(sae) and dictionary.reads == dictionary.hook and not model.is_layer_norm:
        raise ModelError(
            f"{dictionary.source}: was trained on centred weights, which only models with LayerNorm have; "
            f"{model.name} has another norm"
        )
    return dictionary


def _reads_centred(sae: SAE[Any]) -> bool:
    """Whether it was trained on a model whose writing weights had been centred (see `_centred`)."""
    return bool((sae.cfg.metadata.model_from_pretrained_kwargs or {}).get("center_writing_weights"))


def _centred(weights: dict[str, Tensor], b_in: Tensor) -> dict[str, Tensor]:
    """Weights that read the stream x itself where they were trained on x − mean(x).

    Centring what is written into the stream changes nothing behind a LayerNorm, so many models are trained on so.
    (x − mean(x) − b) W = (x − b) W' + b (W' − W), where W' is W with every column free of its mean.
    """
    encoder = weights["W_enc"] - weights["W_enc"].mean(0)
    shift = b_in @ (encoder - weights["W_enc"])
    shifted: dict[str, Tensor] = {name: weights[name] + shift for name in ("b_enc", "b_gate") if name in weights}
    if "r_mag" in weights:
        shifted["b_mag"] = weights["b_mag"] + weights["r_mag"].exp() * shift
    return weights | shifted | {"W_enc": encoder}


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / "cfg.json"
    try:
        config = json.loads(file.read_text())
    except FileNotFoundError:
        raise ModelError(f"there is no dictionary in {folder}: it has no cfg.json") from None
    except ValueError as error:
        raise ModelError(f"{file} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{file} is not a dictionary's configuration")
    if not (folder / "sae_weights.safetensors").exists():
        raise ModelError(f"there are no weights in {folder}: it has no sae_weights.safetensors")
    return config


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
