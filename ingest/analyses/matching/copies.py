"""Many changes of one prompt's positions in one run, each as if it were the only one.

A change at a position reaches its own later values through nothing but that position: earlier ones don't see it. So
behind the prompt stand copies of positions, changed, and each sees what its original sees and itself, no other copy.
One run of n + m positions does what takes m runs of n.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ingest.hooks import Hook
from ingest.models import LanguageModel

Keywords = Sequence[Mapping[str, Any]]


def keywords_with_copies(keywords: Keywords, x: Tensor, positions: Tensor) -> list[dict[str, Any]]:
    """What blocks are called with for a prompt with copies of some positions behind it.

    keywords: for the prompt alone. x: its residual stream, [pos, d_model]. positions: of the originals, [copies].
    A block that is given no mask sees what is before, and is told so.
    """
    n = len(x)
    whole = torch.cat([torch.arange(n, device=x.device), positions.to(x.device)])
    made: dict[int, Any] = {}  # blocks share their masks
    causal = _mask(torch.full((n, n), torch.finfo(x.dtype).min, dtype=x.dtype).triu(1)[None, None], n, positions.cpu())

    def extended(value: Any) -> Any:
        if id(value) not in made:
            made[id(value)] = _extended(value, n, positions, whole)
        return made[id(value)]

    found = [{name: extended(value) for name, value in block.items()} for block in keywords]
    for block, before in zip(found, keywords, strict=True):
        if not any(_is_mask(value, n) for value in before.values()):
            block["attention_mask"] = causal.to(x.device)
    return found


@torch.no_grad()
def run_changed(
    model: LanguageModel,
    x: Tensor,
    start: int,
    stop: int,
    changed: Hook,
    change: Tensor,
    positions: Tensor,
    read: Hook,
    at_once: bool,
) -> Tensor:
    """The value at the hook `read`, at each position where `changed` alone has got `change` there: [changes, d].

    x: the residual stream at boundary `start`, [pos, d_model]. change: [changes, d]. positions: [changes].
    at_once: by copies (see `can_copy`); otherwise each change takes a row of its own.
    """
    n = len(x)
    kept: list[Tensor] = []
    numbers = torch.arange(len(positions), device=x.device)
    at = (0, n + numbers) if at_once else (numbers, positions)

    def edit(value: Tensor) -> Tensor:
        value = value.clone()
        value[at] += change.to(value.dtype)
        return value

    def keep(value: Tensor) -> Tensor:
        kept.append(value[at].float())
        return value

    rows = torch.cat([x, x[positions]])[None] if at_once else x.expand(len(positions), -1, -1)
    keywords = keywords_with_copies(model.block_keywords(n), x, positions) if at_once else None
    model.run(rows, start, stop, {changed: edit, read: keep}, keywords)
    return kept[0]


@torch.no_grad()
def can_copy(model: LanguageModel, x: Tensor, start: int, stop: int) -> bool:
    """Whether unchanged copies come out as their originals do: what blocks are called with differs between models."""
    n = len(x)
    positions = torch.arange(n, device=x.device)
    keywords = keywords_with_copies(model.block_keywords(n), x, positions)
    try:
        out = model.run(torch.cat([x, x])[None], start, stop, None, keywords)[0].float()
        plain = model.run(x[None], start, stop)[0].float()
    except (RuntimeError, ValueError, TypeError, IndexError):
        return False
    near = 1e-4 * float(plain.abs().max())
    return all(torch.allclose(part, plain, rtol=1e-3, atol=near) for part in (out[:n], out[n:]))


def _is_mask(value: Any, n: int) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4 and value.shape[-2:] == (n, n)


def _extended(value: Any, n: int, positions: Tensor, whole: Tensor) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_extended(one, n, positions, whole) for one in value)
    if not isinstance(value, Tensor):
        return value
    positions, whole = positions.to(value.device), whole.to(value.device)
    if _is_mask(value, n):
        return _mask(value, n, positions)
    if value.ndim == 1 and len(value) == n:
        return value[whole]
    return value[:, whole] if value.ndim in (2, 3) and value.shape[1] == n else value


def _mask(mask: Tensor, n: int, positions: Tensor) -> Tensor:
    """mask: true, or 0, where a row's position sees a column's; false, or very negative, elsewhere."""
    hidden = False if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
    m = len(positions)
    numbers = torch.arange(m, device=mask.device)
    larger = mask.new_full((*mask.shape[:-2], n + m, n + m), hidden)
    larger[..., :n, :n] = mask
    seen = mask[..., positions, :].clone()
    itself = seen[..., numbers, positions]
    seen[..., numbers, positions] = hidden
    larger[..., n:, :n] = seen
    larger[..., n + numbers, n + numbers] = itself
    return larger
