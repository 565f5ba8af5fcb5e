"""Small things to compute circuits of: random transformers, random dictionaries, and a model that is linear."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from sae_lens import SAE
from sae_lens.saes.gated_sae import GatedSAE, GatedSAEConfig
from sae_lens.saes.jumprelu_sae import JumpReLUSAE, JumpReLUSAEConfig
from sae_lens.saes.sae import SAEConfig, SAEMetadata
from sae_lens.saes.standard_sae import StandardSAE, StandardSAEConfig
from sae_lens.saes.topk_sae import TopKSAE, TopKSAEConfig
from sae_lens.saes.transcoder import (
    JumpReLUTranscoder,
    JumpReLUTranscoderConfig,
    SkipTranscoder,
    SkipTranscoderConfig,
    Transcoder,
    TranscoderConfig,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor

from ingest.dictionaries import Dictionary, JumpReLU
from ingest.hooks import Hook, parse_hook
from ingest.models import Edit

WORDS = "<s> <unk> the a key keys cab cabs car cars dog dogs near by is are has have one two three four".split()
N_LAYERS, D_MODEL = 4, 24


_WIDTHS: dict[str, Any] = {
    "hidden_size": D_MODEL,
    "intermediate_size": 48,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
}
_GROUPED = _WIDTHS | {"num_key_value_heads": 2}
# The caps are low and the window is short, so that they act on what is tiny, too.
_GEMMA2: dict[str, Any] = {
    "head_dim": 6,
    "query_pre_attn_scalar": 6,
    "attn_logit_softcapping": 2.0,
    "final_logit_softcapping": 4.0,
    "sliding_window": 3,
    "pad_token_id": 1,
}
_CONFIGURATIONS: dict[str, Callable[..., transformers.PreTrainedConfig]] = {
    "llama": partial(transformers.LlamaConfig, **_GROUPED),
    "gpt2": partial(
        transformers.GPT2Config, n_embd=D_MODEL, n_layer=N_LAYERS, n_head=4, n_positions=64, initializer_range=0.2
    ),
    "gpt_neox": partial(transformers.GPTNeoXConfig, **_WIDTHS),
    "gemma2": partial(transformers.Gemma2Config, **_GROUPED, **_GEMMA2),
    "qwen2": partial(transformers.Qwen2Config, **_GROUPED),
    "qwen3": partial(transformers.Qwen3Config, **_GROUPED, head_dim=6),
    "mamba": partial(transformers.MambaConfig, hidden_size=D_MODEL, num_hidden_layers=N_LAYERS, state_size=4),
}
FAMILIES = ("llama", "gpt2", "gpt_neox", "gemma2", "qwen3")  # of qwen2, transformers loads no tokenizer but its own


def save_model(folder: Path, family: str = "llama", *, worn: bool = False) -> Path:
    """A random transformer with a tokenizer of one token a word, as a folder that `open_model` opens.

    worn: with norms and biases that do something; fresh ones are all 1 and 0, and would hide a mistake.
    """
    known = {word: n for n, word in enumerate(WORDS)}
    words = Tokenizer(models.WordLevel(known))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special: dict[str, Any] = {"bos_token": "<s>", "eos_token": "<s>", "unk_token": "<unk>", "pad_token": "<s>"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special)  # type: ignore[no-untyped-call]
    ends: dict[str, Any] = {"vocab_size": len(WORDS), "bos_token_id": 0, "eos_token_id": 0}
    config = _CONFIGURATIONS[family](**ends)
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    if worn:
        _wear(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _wear(model: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.data += 0.1 * noise if name.endswith("bias") else 0.3 * noise


_KINDS: dict[str, tuple[type[SAE[Any]], type[SAEConfig], dict[str, Any]]] = {
    "standard": (StandardSAE, StandardSAEConfig, {}),
    "jumprelu": (JumpReLUSAE, JumpReLUSAEConfig, {}),
    "topk": (TopKSAE, TopKSAEConfig, {"k": 6}),
    "gated": (GatedSAE, GatedSAEConfig, {}),
}


_TRANSCODERS: dict[str, tuple[type[Transcoder], type[TranscoderConfig]]] = {
    "transcoder": (Transcoder, TranscoderConfig),
    "skip_transcoder": (SkipTranscoder, SkipTranscoderConfig),
    "jumprelu_transcoder": (JumpReLUTranscoder, JumpReLUTranscoderConfig),
}
TRANSCODERS = {"standard": "transcoder", "jumprelu": "jumprelu_transcoder", "skip": "skip_transcoder"}


def random_sae(kind: str, hook: str, d_in: int = D_MODEL, d_sae: int = 40, seed: int = 0, **settings: Any) -> SAE[Any]:
    """A random autoencoder of SAELens. settings: of its configuration."""
    sae_class, config_class, more = _KINDS[kind]
    sae = sae_class(config_class(d_in=d_in, d_sae=d_sae, metadata=SAEMetadata(hook_name=hook), **more, **settings))
    return _random(sae, seed)


def random_transcoder(
    kind: str, reads: str, writes: str, d_in: int = D_MODEL, d_out: int = D_MODEL, d_sae: int = 40, seed: int = 0
) -> Transcoder:
    """A random transcoder of SAELens."""
    transcoder_class, config_class = _TRANSCODERS[kind]
    metadata = SAEMetadata(hook_name=reads, hook_name_out=writes)
    made = transcoder_class(
        config_class(d_in=d_in, d_out=d_out, d_sae=d_sae, metadata=metadata, apply_b_dec_to_input=False)
    )
    return _random(made, seed)


def _random(sae: Any, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sae.named_parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
        if name == "threshold":
            parameter.data = parameter.data.abs()
    return sae


def save_dictionaries(folder: Path, kind: str = "jumprelu", layers: tuple[int, ...] = (0, 1, 2)) -> Path:
    for layer in layers:
        hook = f"blocks.{layer}.hook_resid_post"
        random_sae(kind, hook, seed=layer).save_model(folder / hook)
    return folder


def save_pairs(file: Path, n: int = 12) -> Path:
    """Agreement pairs in the tiny model's words."""
    nouns = [("key", "keys"), ("cab", "cabs"), ("car", "cars"), ("dog", "dogs")]
    lines = []
    for k in range(n):
        one, many = nouns[k % 4]
        other = nouns[(k // 4 + k + 1) % 4][k % 2]
        clean, patch, right, wrong = (one, many, " is", " are") if k % 2 else (many, one, " are", " is")
        prefix = ["the", "a"][(k // 8) % 2]
        lines.append(
            {
                "clean_prefix": f"{prefix} {clean} near the {other}",
                "patch_prefix": f"{prefix} {patch} near the {other}",
                "clean_answer": right,
                "patch_answer": wrong,
            }
        )
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return file


def save_recipe(folder: Path, **changes: str) -> Path:
    """A whole tiny world and the recipe for it. changes: sections to replace, as TOML."""
    if not (folder / "model").exists():
        save_model(folder / "model")
        save_dictionaries(folder / "dictionaries")
        save_pairs(folder / "pairs.jsonl")
    sections = {
        "model": 'source = "./model"\nname = "tiny"\nstart_token = "<s>"',
        "dictionaries": 'folder = "dictionaries"',
        "task": 'file = "pairs.jsonl"\npairs = 8\nheld_out = 4',
        "nodes": "steps = 3",
        "edges": "steps = 2",
        "pruning": "top_nodes = 12",
        "faithfulness": "sizes = [2, 6]\nrandom_circuits = 1",
    } | changes
    recipe = folder / "tiny.toml"
    recipe.write_text("\n".join(f"[{name}]\n{body}" for name, body in sections.items()))
    return recipe


class LinearModel:
    """Behaves as `LanguageModel`, but every block is a linear map of the whole [pos, d] state, causal in pos."""

    def __init__(self, n_layers: int = 3, n_positions: int = 4, d_model: int = 6, vocab_size: int = 5, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        self.name, self.revision = "linear", None
        self.n_layers, self.d_model, self.vocab_size = n_layers, d_model, vocab_size
        self.d_mlp, self.n_heads = 4 * d_model, 1
        self.device, self.dtype = torch.device("cpu"), torch.float32
        size = n_positions * d_model
        causal = torch.tril(torch.ones(n_positions, n_positions)).repeat_interleave(d_model, 0)
        causal = causal.repeat_interleave(d_model, 1)
        self.maps = [
            torch.eye(size) + 0.2 * causal * torch.randn(size, size, generator=generator) for _ in range(n_layers)
        ]
        self.embedding = torch.randn(vocab_size, d_model, generator=generator)
        self.unembedding = torch.randn(d_model, vocab_size, generator=generator)

    def embed(self, tokens: Tensor) -> Tensor:
        return self.embedding[tokens]

    def block_keywords(self, n_positions: int) -> list[dict[str, Any]]:
        return [{} for _ in range(self.n_layers)]

    def run(
        self, x: Tensor, start: int, stop: int, edits: Mapping[Hook, Edit] | None = None, keywords: Any = None
    ) -> Tensor:
        at = {hook.boundary: edit for hook, edit in (edits or {}).items()}
        for block in range(start, stop):
            if block in at:
                x = at[block](x)
            size = x.shape[1] * self.d_model
            x = (x.flatten(1) @ self.maps[block][:size, :size].T).view(x.shape)
        return at[stop](x) if stop in at else x

    def logits(self, x: Tensor) -> Tensor:
        return x @ self.unembedding


def linear_dictionary(layer: int, d_model: int = 6, d_sae: int = 9) -> Dictionary:
    """A dictionary whose features are always active: on it every formula is exact."""
    generator = torch.Generator().manual_seed(100 + layer)
    encoder, decoder = (
        torch.randn(d_model, d_sae, generator=generator),
        torch.randn(d_sae, d_model, generator=generator),
    )
    always = JumpReLU(torch.full((d_sae,), 1000.0), torch.zeros(d_sae))
    hook = parse_hook(f"blocks.{layer}.hook_resid_post", 3)
    return Dictionary(
        hook, hook, "jumprelu", "linear", "", encoder, decoder, torch.zeros(d_model), torch.zeros(d_model), always
    )
