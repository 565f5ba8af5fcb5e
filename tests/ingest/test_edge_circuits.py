"""Circuits cut to edges, and features changed in the whole model, against answers that are known."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ingest.ablation import Intervention, measure
from ingest.dictionaries import places
from ingest.edge_circuits import measure_edges
from ingest.hooks import EMBEDDING, Hook
from ingest.models import LanguageModel, open_model
from ingest.nodes import METRIC, Means, Node, means_of
from ingest.steering import Change, measure_change
from tests.ingest.tiny import N_LAYERS, save_model
from tests.ingest.worlds import ANSWERS, CLEAN, TINY_METRIC, TOKENS, World, linear_world, world_at


@pytest.fixture(scope="module")
def linear() -> World:
    return linear_world()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return open_model(str(save_model(tmp_path_factory.mktemp("tiny") / "llama")))


def baselines(world: World) -> dict[Hook, Means]:
    return {
        hook: means_of(d, {h: torch.cat([world.clean[h], world.patch[h]]) for h in places([d])})
        for hook, d in world.dictionaries.items()
    }


def nodes_of(world: World) -> dict[Hook, list[Node]]:
    """Every token and every feature, at every position."""
    n = CLEAN.shape[1] if world.metric is ANSWERS else TOKENS.shape[1]
    nodes = {EMBEDDING: [Node("token", EMBEDDING, p) for p in range(n)]}
    for hook, dictionary in world.dictionaries.items():
        nodes[hook] = [Node("feature", hook, p, i) for p in range(n) for i in range(dictionary.n_features)]
    return nodes


def cut(world: World, edges: list[tuple[Node, Node]], rows: int = 64) -> Tensor:
    embedded = world.clean[EMBEDDING]
    base = torch.cat([embedded, world.patch[EMBEDDING]]).mean(0)
    return measure_edges(
        world.model, world.dictionaries, baselines(world), embedded, base, world.metric, world.hooks, edges, rows
    )


def test_no_edge_at_all_is_what_follows_the_mean_of_the_last_dictionary(linear: World) -> None:
    last = linear.hooks[-1]
    assert last.boundary is not None
    mean = baselines(linear)[last].value.expand_as(linear.clean[last])
    out = linear.model.run(mean, last.boundary, linear.model.n_layers)
    torch.testing.assert_close(cut(linear, []), linear.metric(linear.model.logits(out[:, -1])))


def test_all_edges_are_the_circuit_of_all_features_without_errors(tiny: LanguageModel) -> None:
    """Each feature sees everything: the same as all features kept, error terms at their mean, hook by hook."""
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    nodes, base = nodes_of(world), baselines(world)
    first, last = world.hooks
    edges = [(s, t) for up, down in ((EMBEDDING, first), (first, last)) for s in nodes[up] for t in nodes[down]]
    edges += [(s, METRIC) for s in nodes[last]]
    x = world.clean[EMBEDDING]
    start = 0
    with torch.no_grad():
        for hook in world.hooks:
            assert hook.boundary is not None
            x = world.model.run(x, start, hook.boundary)
            d, mean = world.dictionaries[hook], base[hook]
            x = mean.value + (d.encode(x) - mean.features) @ d.W_dec
            start = hook.boundary
        out = world.model.run(x, start, N_LAYERS)
        wanted = world.metric(world.model.logits(out[:, -1]))
    torch.testing.assert_close(cut(world, edges, rows=64), wanted, rtol=1e-3, atol=1e-4)


def test_all_edges_of_a_transcoder_are_the_circuit_of_all_features_without_errors(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.ln2.hook_normalized", steps=1)
    nodes, (first, mlp) = nodes_of(world), world.hooks
    edges = [(s, t) for up, down in ((EMBEDDING, first), (first, mlp)) for s in nodes[up] for t in nodes[down]]
    edges += [(s, METRIC) for hook in world.hooks for s in nodes[hook]]
    every = Intervention("faithfulness", [*nodes[first], *nodes[mlp]], "ablated")
    (wanted,) = measure(world.model, world.dictionaries, baselines(world), TOKENS, TINY_METRIC, [every], 0)
    assert not torch.allclose(wanted, world.m_clean, atol=1e-2)
    torch.testing.assert_close(cut(world, edges, rows=512), wanted, rtol=1e-3, atol=1e-4)


def test_an_edge_whose_source_nothing_reaches_brings_nothing(linear: World) -> None:
    nodes = nodes_of(linear)
    last = nodes[linear.hooks[-1]][-1]
    torch.testing.assert_close(cut(linear, [(last, METRIC)]), cut(linear, []))


def test_a_chain_of_a_linear_model_is_a_product_of_its_maps(linear: World) -> None:
    """One token, one feature, the metric: what the two edges bring is known in closed form."""
    hook = linear.hooks[-1]
    (first, _), nodes = linear.hooks, nodes_of(linear)
    assert hook.boundary is not None
    assert first.boundary is not None
    token, u, d = nodes[EMBEDDING][1], nodes[first][9 * 1 + 4], nodes[hook][9 * 3 + 2]
    found = cut(linear, [(token, u), (u, d), (d, METRIC)]) - cut(linear, [])
    moved = torch.zeros_like(linear.clean[EMBEDDING])
    base = torch.cat([linear.clean[EMBEDDING], linear.patch[EMBEDDING]]).mean(0)
    moved[:, 1] = linear.clean[EMBEDDING][:, 1] - base[1]
    start = 0
    for node, at in ((u, first), (d, hook)):
        assert at.boundary is not None
        dictionary = linear.dictionaries[at]
        mean = torch.cat([linear.clean[EMBEDDING], linear.patch[EMBEDDING]]).mean(0)
        reached = linear.model.run(moved, start, at.boundary)
        assert mean.shape == reached.shape[1:]
        step = reached[:, node.position] @ dictionary.W_enc[:, node.index]
        moved = torch.zeros_like(reached)
        moved[:, node.position] = step[:, None] * dictionary.W_dec[node.index]
        start = at.boundary
    out = linear.model.run(moved, start, linear.model.n_layers)
    torch.testing.assert_close(found, linear.metric(linear.model.logits(out[:, -1])), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("factor", [None, 0.0, 3.0])
def test_a_changed_feature_is_the_model_with_that_feature_put_in_by_hand(
    tiny: LanguageModel, factor: float | None
) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.2.hook_resid_post")
    first, mlp, _ = world.hooks
    base = baselines(world)
    chosen = {first: torch.tensor([3, 8]), mlp: torch.tensor([5])}
    found = measure_change(world.model, world.dictionaries, base, world.clean, TINY_METRIC, Change(chosen, factor), 1)

    def by_hand(x: Tensor, hook: Hook) -> Tensor:
        x = x.clone()
        f = world.dictionaries[hook].encode(x)
        for position in range(1, x.shape[1]):
            for index in chosen[hook].tolist():
                now = f[:, position, index]
                new = base[hook].features[position, index] if factor is None else factor * now
                x[:, position] += (new - now)[:, None] * world.dictionaries[hook].W_dec[index]
        return x

    with torch.no_grad():
        edits = {first: lambda x: by_hand(x, first), mlp: lambda x: by_hand(x, mlp)}
        out = world.model.run(world.clean[EMBEDDING], 0, N_LAYERS, edits)
        wanted = TINY_METRIC(world.model.logits(out[:, -1]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, world.m_clean)


@pytest.mark.parametrize("factor", [None, 3.0])
def test_a_changed_feature_of_a_transcoder_changes_what_the_transcoder_writes(
    tiny: LanguageModel, factor: float | None
) -> None:
    world = world_at(tiny, "blocks.1.ln2.hook_normalized", steps=1)
    (hook,) = world.hooks
    dictionary, base = world.dictionaries[hook], baselines(world)
    change = Change({hook: torch.tensor([5])}, factor)
    found = measure_change(world.model, world.dictionaries, base, world.clean, TINY_METRIC, change, 1)
    f = dictionary.encode(world.clean[dictionary.reads])[..., 5]
    new = base[hook].features[:, 5] if factor is None else factor * f
    moved = ((new - f)[..., None] * dictionary.W_dec[5])[:, 1:]
    changed = torch.cat([world.clean[hook][:, :1], world.clean[hook][:, 1:] + moved], dim=1)
    with torch.no_grad():
        out = world.model.run(world.clean[EMBEDDING], 0, N_LAYERS, {hook: lambda _: changed})
        wanted = TINY_METRIC(world.model.logits(out[:, -1]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, world.m_clean)


def test_features_at_their_own_value_change_nothing(tiny: LanguageModel, tmp_path: Path) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post")
    (hook,) = world.hooks
    every = Change({hook: torch.arange(40)}, 1.0)
    found = measure_change(world.model, world.dictionaries, baselines(world), world.clean, TINY_METRIC, every, 1)
    torch.testing.assert_close(found, world.m_clean, rtol=1e-4, atol=1e-5)
