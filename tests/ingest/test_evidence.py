"""Observed effects: exact on a linear model, and those of the whole model with hooks in it on a random one."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from ingest.agreement import Agreement, agreement, without_strongest
from ingest.evidence import observed_edges, observed_nodes
from ingest.hooks import Hook
from ingest.models import LanguageModel
from ingest.nodes import METRIC, Node, pair_effects
from ingest.stretches import stretch_to
from tests.ingest.worlds import TOKENS, World, slopes, world_at


def edges_into(world: World, target: Hook | None, targets: list[Node], rows: int = 64) -> Tensor:
    """Of every source into every target, [targets, pairs, sources], as `edge_weights` has them."""
    stretch = stretch_to(target, world.hooks)
    sources = [node for hook in stretch.sources for node in world.sources[hook].nodes]
    edges = [(source, node) for node in targets for source in sources]
    dictionary = world.dictionaries[target] if target else None
    found = observed_edges(
        world.model, stretch, edges, world.sources, dictionary, world.clean, world.metric, world.m_clean, rows
    )
    return found.view(len(targets), len(sources), -1).transpose(1, 2)


def nodes_at(world: World, hook: Hook, rows: int = 64) -> Tensor:
    return observed_nodes(world.model, world.sources[hook], hook, world.clean, world.metric, world.m_clean, rows)


def test_on_a_linear_model_what_is_observed_is_what_is_predicted(linear: World) -> None:
    for hook, at_hook in linear.sources.items():
        predicted = torch.stack(list(pair_effects({hook: at_hook}, slopes(linear.runs.gradient_clean)).values()))
        torch.testing.assert_close(nodes_at(linear, hook), predicted, rtol=1e-3, atol=1e-4)
    for target in (*linear.hooks, None):
        targets = [METRIC] if target is None else linear.sources[target].nodes[::5]
        observed = edges_into(linear, target, targets)
        assert float(observed.abs().max()) > 0.1
        torch.testing.assert_close(observed, linear.weights(target, targets, "clean"), rtol=1e-3, atol=1e-4)


class Patched:
    """The whole model on tokens, with values put in its modules' place: shares no code with `LanguageModel.run`."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model

    def module(self, hook: Hook) -> torch.nn.Module:
        bridge = self.model.bridge
        found = bridge.hook_dict[hook.name] if hook.boundary is None else bridge.blocks[hook.boundary - 1]
        assert isinstance(found, torch.nn.Module)
        return found

    def __call__(self, edits: dict[Hook, Tensor], read: Hook | None = None) -> Tensor:
        """The logits of the last position, or what stands at `read`, with `edits` in place."""
        seen: list[Tensor] = []
        handles = [
            self.module(h).register_forward_hook(partial(lambda v, _m, _i, out: put(out, v), v))
            for h, v in edits.items()
        ]
        if read:
            handles.append(self.module(read).register_forward_hook(lambda _m, _i, out: seen.append(first(out))))
        try:
            with torch.no_grad():
                logits: Tensor = self.model.bridge(TOKENS, use_cache=False)
        finally:
            for handle in handles:
                handle.remove()
        return seen[0] if read else logits[:, -1]


def first(out: Tensor | tuple[Tensor, ...]) -> Tensor:
    return out[0] if isinstance(out, tuple) else out


def put(out: Tensor | tuple[Tensor, ...], value: Tensor) -> Tensor | tuple[Tensor, ...]:
    return (value, *out[1:]) if isinstance(out, tuple) else value


@pytest.mark.parametrize("kind", ["jumprelu", "topk"])
@pytest.mark.parametrize(
    "names",
    [
        ("blocks.0.hook_resid_post", "blocks.2.hook_resid_post"),
        ("blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.2.hook_resid_post"),
    ],
)
def test_what_is_observed_and_patched_is_what_the_whole_model_does_with_hooks_in_it(
    tiny: LanguageModel, kind: str, names: tuple[str, ...]
) -> None:
    world, run = world_at(tiny, *names, kind=kind), Patched(tiny)
    last = world.hooks[-1]
    dictionary = world.dictionaries[last]
    targets = [*[n for n in world.sources[last].nodes if n.position == 4][::7], Node("error", last, 5)]
    sources = [(hook, n) for hook in world.hooks[:-1] for n in range(len(world.sources[hook].nodes))]
    weights = edges_into(world, last, targets)
    patched_weights = world.weights(last, targets, "patched")
    whole = world.m_patch - world.m_clean
    for number in range(0, len(sources), 9):
        hook, n = sources[number]
        at_hook = world.sources[hook]
        patched = world.clean[hook].clone()
        patched[:, at_hook.positions[n]] += at_hook.change[:, n]
        alone = world.metric(run({hook: patched})) - world.m_clean
        torch.testing.assert_close(nodes_at(world, hook)[n], alone, rtol=1e-3, atol=1e-4)
        held = {h: world.clean[h] for h in world.hooks[1:-1]} if hook == world.hooks[0] else {}
        reached = run(held | {hook: patched}, read=last)
        for t, target in enumerate(targets):
            at = (slice(None), target.position)
            x, y = world.clean[last][at], reached[at]
            change = dictionary.error(y, y) - dictionary.error(x, x)
            if target.index is not None:
                step = (dictionary.encode(y) - dictionary.encode(x))[:, target.index]
                change = step[:, None] * dictionary.W_dec[target.index]
            value = world.clean[last].clone()
            value[at] += change
            expected = world.metric(run({last: value})) - world.m_clean
            in_order = [s for h in stretch_to(last, world.hooks).sources for s in world.sources[h].nodes]
            s = in_order.index(at_hook.nodes[n])
            torch.testing.assert_close(weights[t, :, s], expected, rtol=1e-3, atol=1e-4)
            by_clean, by_path = (
                (gradients[last][at] * change).sum(-1)
                for gradients in (world.runs.gradient_clean, world.runs.gradient_path)
            )
            share = (2 * by_path / whole).abs().clamp(max=1)
            predicted = by_clean + share * (by_path - by_clean)
            torch.testing.assert_close(patched_weights[t, :, s], predicted, rtol=1e-3, atol=1e-4)


def test_edges_into_the_metric_are_their_sources_effects_there(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    torch.testing.assert_close(
        edges_into(world, None, [METRIC])[0].T, nodes_at(world, world.hooks[-1]), rtol=1e-3, atol=1e-4
    )


def test_observations_do_not_depend_on_the_size_of_batches(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    first_hook, last = world.hooks
    targets = world.sources[last].nodes[::9]
    torch.testing.assert_close(edges_into(world, last, targets, rows=1), edges_into(world, last, targets, rows=4096))
    torch.testing.assert_close(nodes_at(world, first_hook, rows=5), nodes_at(world, first_hook, rows=4096))


def test_agreement_is_told_in_the_usual_figures() -> None:
    predicted, observed = [1.0, 2.0, -3.0, 0.001], [2.0, 4.0, -6.0, -0.002]
    found = agreement(predicted, observed, whole=10.0)
    assert found.n == 4
    assert found.pearson == pytest.approx(np.corrcoef(predicted, observed)[0, 1])
    assert found.spearman == pytest.approx(1.0)
    assert found.slope == pytest.approx(2.0, rel=1e-4)
    assert found.sign == 1.0  # the one that is wrong is below 1 % of the whole
    assert agreement([1.0], [2.0], 10.0) == Agreement(1, None, None, None, 1.0)
    assert agreement(predicted, observed, whole=None) == replace(found, sign=None)
    assert agreement([], [], 10.0) == Agreement(0, None, None, None, None)
    assert without_strongest(predicted, observed, 2) == ([1.0, 0.001], [2.0, -0.002])
