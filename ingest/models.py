"""A language model whose blocks can be run in stretches.

Knows nothing of dictionaries or metrics. A model comes from a hub by name, from a local folder, or from a GGUF
file, which is converted once and kept in the user's cache folder.
"""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import platformdirs
import torch
import transformers
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge

from ingest.hooks import Hook
from ingest.weights import locate, model_uid, weights_hash
from store.errors import ModelError

Edit = Callable[[Tensor], Tensor]
"""What to put in place of a hook's value; shapes [batch, pos, d]."""


class LanguageModel:
    """A model behind TransformerLens's bridge, with its blocks replayable on any residual stream."""

    def __init__(self, bridge: Any, name: str, revision: str | None = None):
        self.bridge = bridge
        self.name = name
        self.revision = revision
        self.tokenizer = bridge.tokenizer
        self.n_layers: int = bridge.cfg.n_layers
        self.d_model: int = bridge.cfg.d_model
        self.d_mlp: int = bridge.cfg.d_mlp or 4 * self.d_model
        self.n_heads: int = bridge.cfg.n_heads
        self.vocab_size: int = bridge.cfg.d_vocab
        self.dtype: torch.dtype = bridge.cfg.dtype
        self.device = torch.device(bridge.cfg.device)
        self._soft_cap: float = max(getattr(bridge.cfg, "output_logits_soft_cap", None) or 0.0, 0.0)  # −1 says none
        self._keywords: dict[int, list[dict[str, Any]]] = {}
        self.is_layer_norm: bool = str(bridge.cfg.normalization_type).startswith("LN")
        bridge.eval()
        for parameter in bridge.parameters():
            parameter.requires_grad_(False)
        self._check_replay()

    @torch.no_grad()
    def embed(self, tokens: Tensor) -> Tensor:
        """The residual stream that enters the first block. tokens: [batch, pos]. Returns [batch, pos, d_model]."""
        entered: list[Tensor] = []
        handle = self.bridge.blocks[0].register_forward_pre_hook(lambda _, args: entered.append(args[0]))
        try:
            self.bridge(tokens.to(self.device), use_cache=False, stop_at_layer=1)
        finally:
            handle.remove()
        return entered[0]

    def run(
        self,
        x: Tensor,
        start: int,
        stop: int,
        edits: Mapping[Hook, Edit] | None = None,
        keywords: Sequence[Mapping[str, Any]] | None = None,
    ) -> Tensor:
        """Blocks start … stop−1 on the residual stream x: [batch, pos, d_model].

        An edit sees the value at its hook and gives the value to go on with. Residual hooks at the boundaries
        start … stop are edited too, both ends included. keywords: what each block of the model is called with
        instead of what `block_keywords` says.
        """
        edits = edits or {}
        at_boundary = {hook.boundary: edit for hook, edit in edits.items() if hook.boundary is not None}
        keywords = self.block_keywords(x.shape[1]) if keywords is None else keywords
        with self._edited_inside({hook: edit for hook, edit in edits.items() if hook.boundary is None}):
            for block in range(start, stop):
                if block in at_boundary:
                    x = at_boundary[block](x)
                out = self.bridge.blocks[block](x, **keywords[block])
                x = out[0] if isinstance(out, tuple) else out
        return at_boundary[stop](x) if stop in at_boundary else x

    def logits(self, x: Tensor) -> Tensor:
        """Final norm and unembedding of the last block's output. [..., d_model] to [..., vocab_size]."""
        logits: Tensor = self.bridge.unembed(self.final_norm(x))
        return torch.tanh(logits / self._soft_cap) * self._soft_cap if self._soft_cap else logits

    def final_norm(self, x: Tensor) -> Tensor:
        """[..., d_model] to the same."""
        normed: Tensor = self.bridge.ln_final(x)
        return normed

    @property
    def unembedding(self) -> Tensor:
        """W_U: [d_model, vocab_size]."""
        weights: Tensor = self.bridge.unembed.W_U
        return weights

    def has(self, hook: Hook) -> bool:
        """Whether this architecture computes what the hook names."""
        return hook.boundary is not None or hook.name in self.bridge.hook_dict

    @contextlib.contextmanager
    def _edited_inside(self, edits: Mapping[Hook, Edit]) -> Iterator[None]:
        # By the points' own hooks: without one, a norm computes what stands at its points without gradients.
        points = [self.bridge.hook_dict[hook.name] for hook in edits]
        for point, edit in zip(points, edits.values(), strict=True):
            point.add_hook(lambda x, hook, edit=edit: edit(x))
        added = [(point, point.fwd_hooks[-1]) for point in points]
        try:
            yield
        finally:
            for point, handle in added:
                handle.hook.remove()
                point.fwd_hooks.remove(handle)

    @torch.no_grad()
    def block_keywords(self, n_positions: int) -> list[dict[str, Any]]:
        """What each block is called with (masks, rotary embeddings), recorded on one prompt of that length."""
        if n_positions not in self._keywords:
            recorded: list[dict[str, Any]] = []
            handles = [
                block.register_forward_pre_hook(lambda _m, _a, keywords: recorded.append(keywords), with_kwargs=True)
                for block in self.bridge.blocks
            ]
            try:
                self.bridge(torch.zeros((1, n_positions), dtype=torch.long, device=self.device), use_cache=False)
            finally:
                for handle in handles:
                    handle.remove()
            self._keywords[n_positions] = recorded
        return self._keywords[n_positions]

    @torch.no_grad()
    def _check_replay(self) -> None:
        tokens = torch.arange(10, 14, device=self.device).repeat(2, 1) % self.vocab_size
        whole = self.bridge(tokens, use_cache=False)
        if not bool(torch.isfinite(whole).all()):
            raise ModelError(f"the model {self.name!r} gives logits that are not finite: its weights are damaged, or "
                             f"too large for {self.dtype}")  # fmt: skip
        replayed = self.logits(self.run(self.embed(tokens), 0, self.n_layers))
        if not torch.allclose(whole, replayed, rtol=1e-3, atol=1e-3 * float(whole.abs().max())):
            raise ModelError(f"the model {self.name!r} can't be run block by block: its replayed logits differ")


def open_model(source: str, name: str | None = None, device: str = "cpu", dtype: str = "float32") -> LanguageModel:
    """Opens a model.

    source: a hub's name, a folder, a .gguf file, or `package:PACKAGE/FILE.gguf` for one that an installed Python
    package carries. Raises ModelError where it can't be had.
    """
    _quiet()
    path = locate(source)
    if path is None:
        origin, revision = source, None
    elif path.is_dir():
        origin, revision = str(path), weights_hash(path)
    else:
        revision = weights_hash(path)
        origin = str(_converted(path, revision))
    try:
        bridge = TransformerBridge.boot_transformers(origin, device=device, dtype=getattr(torch, dtype))
    except Exception as error:  # the libraries below raise many kinds
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        raise ModelError(
            f"the model {source!r} could not be opened ({reason}); name a folder, a .gguf file or a hub's model"
        ) from error
    return LanguageModel(bridge, model_uid(source, name), revision)


def _converted(gguf: Path, revision: str) -> Path:
    """A GGUF file as a transformers folder in the cache: reading one takes half a minute, the folder no second."""
    folder = Path(platformdirs.user_cache_dir("circuitstore")) / "models" / f"{gguf.stem}-{revision[:12]}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".converting-"))
    try:
        try:
            loaded = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
            tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        except Exception as error:  # the libraries below raise many kinds
            raise ModelError(f"{gguf} is not a GGUF file that transformers can read: {error}") from error
        config = loaded.config
        del config.quantization_config  # transformers refuses to save what came from GGUF; a fresh model it saves
        fresh = type(loaded)(config)
        fresh.load_state_dict(loaded.state_dict())
        fresh.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        with contextlib.suppress(FileExistsError):  # another process was first: its copy is as good
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _quiet() -> None:
    """Loading bars and advice of the libraries below: progress is ours to show."""
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers gives it no type
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # nor this
    logging.getLogger("transformer_lens").setLevel(logging.ERROR)
