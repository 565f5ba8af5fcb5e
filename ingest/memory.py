"""How many rows of a batch fit a memory limit."""

from collections.abc import Iterator

import psutil
import torch

from ingest.models import LanguageModel


def free_memory(device: torch.device) -> int:
    """Bytes free on the device that computes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def rows_that_fit(
    limit: int, model: LanguageModel, n_positions: int, n_blocks: int, n_features: int, *, gradient: bool, most: int
) -> int:
    """Rows of a batch through `n_blocks` blocks whose activations stay within `limit` bytes, 1 … `most`.

    n_features: of the largest dictionary that encodes a row on the way; three tensors of that width stand at once.
    `most` keeps the sizes, and with them the last bits of every result, the same wherever memory suffices.
    """
    per_token = 16 * model.d_model + 8 * model.d_mlp + 4 * model.n_heads * n_positions
    kept_blocks = max(1, n_blocks) if gradient else 2
    row = 4 * n_positions * (per_token * kept_blocks + 3 * n_features) + 8 * model.vocab_size
    return max(1, min(most, limit // row))


def slices(n: int, rows: int) -> Iterator[slice]:
    """0 … n in slices of at most so many rows."""
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))
