"""Node and edge effects: exact on a linear model, and close to what patching observes on a random transformer."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ingest.dictionaries import Dictionary
from ingest.edges import edge_weights
from ingest.gradients import Values
from ingest.hooks import EMBEDDING, Hook
from ingest.models import LanguageModel
from ingest.nodes import METRIC, Node, Slopes, mean_effects, pair_effects, rank, token_nodes
from ingest.recipe import EdgeFormula
from ingest.stretches import stretch_to
from tests.ingest.tiny import N_LAYERS
from tests.ingest.worlds import (
    ANSWERS,
    CLEAN,
    OTHER,
    TOKENS,
    World,
    observed_edge,
    observed_node,
    share_weighted,
    slopes,
    world_at,
)

BY_DERIVATIVES: list[EdgeFormula] = ["share-weighted", "path", "reference", "clean"]
FORMULAS: list[EdgeFormula] = ["patched", *BY_DERIVATIVES]


def error(dictionary: Dictionary, x: Tensor) -> Tensor:
    """The error term of an autoencoder, which reads what it writes."""
    return dictionary.error(x, x)


def exact_gradient(world: World, boundary: int, pair: int) -> np.ndarray:
    """∂m/∂x of the linear model at a boundary, [pos · d], from the product of its matrices."""
    model = world.model
    size = CLEAN.shape[1] * model.d_model
    clean, patch = int(ANSWERS.clean_answers[pair]), int(ANSWERS.patch_answers[pair])
    row = np.zeros(size)
    row[-model.d_model :] = (model.unembedding[:, clean] - model.unembedding[:, patch]).numpy()
    for block in reversed(range(boundary, model.n_layers)):
        row = row @ model.maps[block].numpy()  # type: ignore[attr-defined]
    return row


def test_node_effects_of_a_linear_model_are_products_of_its_matrices(linear: World) -> None:
    for hook, dictionary in linear.dictionaries.items():
        found = pair_effects({hook: linear.sources[hook]}, slopes(linear.runs.gradient_path))
        change = dictionary.encode(linear.patch[hook]) - dictionary.encode(linear.clean[hook])
        for node, effect in found.items():
            if node.kind == "feature":
                for pair in range(2):
                    assert hook.boundary is not None
                    g = exact_gradient(linear, hook.boundary, pair).reshape(4, -1)[node.position]
                    exact = float(change[pair, node.position, node.index]) * g @ dictionary.W_dec[node.index].numpy()
                    assert float(effect[pair]) == pytest.approx(exact, rel=1e-3, abs=1e-4)


def test_effects_at_one_hook_of_a_linear_model_add_up_to_the_change_of_the_metric(linear: World) -> None:
    for hook in [EMBEDDING, *linear.hooks]:
        total = sum(pair_effects({hook: linear.sources[hook]}, slopes(linear.runs.gradient_clean)).values())
        torch.testing.assert_close(total, linear.m_patch - linear.m_clean, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("formula", FORMULAS)
def test_edge_weights_of_a_linear_model_are_exact_by_every_formula(linear: World, formula: EdgeFormula) -> None:
    first, second = linear.hooks
    upstream, downstream = linear.dictionaries[first], linear.dictionaries[second]
    targets = [node for node in linear.sources[second].nodes if node.kind == "feature"][:9]
    weights = linear.weights(second, targets, formula)
    change = upstream.encode(linear.patch[first]) - upstream.encode(linear.clean[first])
    block = linear.model.maps[1].numpy().reshape(4, 6, 4, 6)  # type: ignore[attr-defined]
    for t, target in enumerate(targets):
        for s, source in enumerate(linear.sources[first].nodes):
            if source.kind != "feature":
                continue
            for pair in range(2):
                step = float(change[pair, source.position, source.index]) * upstream.W_dec[source.index].numpy()
                moved = block[target.position, :, source.position, :] @ step
                by = float(moved @ downstream.W_enc[:, target.index].numpy())
                g = exact_gradient(linear, 2, pair).reshape(4, -1)[target.position]
                exact = by * float(g @ downstream.W_dec[target.index].numpy())
                assert float(weights[t, pair, s]) == pytest.approx(exact, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("formula", FORMULAS)
def test_edges_into_a_node_of_a_linear_model_add_up_to_its_effect(linear: World, formula: EdgeFormula) -> None:
    second = linear.hooks[1]
    effects = pair_effects({second: linear.sources[second]}, slopes(linear.runs.gradient_path))
    targets = linear.sources[second].nodes  # features and error terms alike
    weights = linear.weights(second, targets, formula)
    for target, incoming in zip(targets, weights, strict=True):
        torch.testing.assert_close(incoming.sum(-1), effects[target], rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("formula", FORMULAS)
def test_edges_into_the_metric_of_a_linear_model_are_the_effects_of_the_last_nodes(
    linear: World, formula: EdgeFormula
) -> None:
    last = linear.hooks[-1]
    effects = pair_effects({last: linear.sources[last]}, slopes(linear.runs.gradient_path))
    (incoming,) = linear.weights(None, [METRIC], formula)
    torch.testing.assert_close(incoming, torch.stack(list(effects.values()), dim=1), rtol=1e-3, atol=1e-3)


# A random transformer: predictions are compared with what patching observes.


def test_node_effects_foretell_what_patching_each_node_observes(tiny: LanguageModel) -> None:
    # ReLU, since JumpReLU's features jump, with the error term jumping back, however small the change.
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post", kind="standard", nearness=0.03)
    predicted, observed = [], []
    for hook in world.hooks:
        at_hook = world.sources[hook]
        effects = pair_effects({hook: at_hook}, slopes(world.runs.gradient_path))
        for n, (node, effect) in list(enumerate(effects.items()))[::2]:
            predicted.append(effect)
            observed.append(observed_node(world, node, at_hook.change[:, n]))
    p, o = torch.cat(predicted).numpy(), torch.cat(observed).numpy()
    assert np.corrcoef(p, o)[0, 1] > 0.99
    assert 0.9 < p @ o / (p @ p) < 1.1
    strong = np.abs(o) > 0.1 * np.abs(o).max()
    assert np.mean(np.sign(p[strong]) == np.sign(o[strong])) > 0.95


# Not TopK: there u also moves the features that d competes with, which no formula of one edge knows of.
@pytest.mark.parametrize("kind", ["jumprelu", "standard", "gated"])
def test_edge_weights_foretell_what_cutting_each_edge_observes(tiny: LanguageModel, kind: str) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post", kind=kind, nearness=0.1)
    first, second = world.hooks
    effects = pair_effects({second: world.sources[second]}, slopes(world.runs.gradient_path))
    targets = sorted((n for n in effects if n.kind == "feature"), key=lambda n: -float(effects[n].abs().max()))[:6]
    weights = world.weights(second, targets, "share-weighted")
    at_first = world.sources[first]
    predicted, observed = [], []
    for t, target in enumerate(targets):
        for s, source in enumerate(at_first.nodes):
            assert source.position is not None
            assert target.position is not None
            if source.kind == "feature" and source.position <= target.position:
                predicted.append(weights[t, :, s])
                observed.append(observed_edge(world, source, at_first.change[:, s], target))
    p, o = torch.cat(predicted).numpy(), torch.cat(observed).numpy()
    assert np.abs(o).max() > 0
    assert np.corrcoef(p, o)[0, 1] > 0.95
    assert 0.8 < p @ o / (p @ p) < 1.25


def test_edges_of_error_terms_foretell_what_cutting_them_observes(tiny: LanguageModel) -> None:
    # ReLU, and very near: where a feature jumps, its error term jumps back.
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post", kind="standard", nearness=0.003)
    first, second = world.hooks
    dictionary, at_first = world.dictionaries[second], world.sources[first]
    assert first.boundary is not None
    assert second.boundary is not None
    targets = [Node("error", second, p) for p in (2, 4, 5)]
    weights = world.weights(second, targets, "share-weighted")
    predicted: dict[str, list[Tensor]] = {"error": [], "feature": []}
    observed: dict[str, list[Tensor]] = {"error": [], "feature": []}
    for s, source in enumerate(at_first.nodes):
        if source.position != 2 or (source.kind == "feature" and s % 4):
            continue
        x = world.clean[first].clone()
        x[:, source.position] += at_first.change[:, s]
        with torch.no_grad():
            moved = tiny.run(x, first.boundary, second.boundary)
        for t, target in enumerate(targets):
            at = (slice(None), target.position)
            change = error(dictionary, moved[at]) - error(dictionary, world.clean[second][at])
            predicted[source.kind].append(weights[t, :, s])
            observed[source.kind].append(observed_node(world, target, change))
    for kind, found in predicted.items():
        p, o = torch.cat(found).numpy(), torch.cat(observed[kind]).numpy()
        assert np.abs(o).max() > 0
        assert np.corrcoef(p, o)[0, 1] > 0.995, kind
        assert 0.98 < p @ o / (p @ p) < 1.02, kind


@pytest.mark.parametrize("target", ["blocks.2.hook_resid_post", "blocks.2.hook_mlp_out", "blocks.2.hook_attn_out"])
@pytest.mark.parametrize("source", ["blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.1.hook_attn_out"])
def test_edges_through_a_stretch_are_those_of_the_whole_model_at_full_length(
    tiny: LanguageModel, source: str, target: str
) -> None:
    # What edges.py saves, it must not change: whole model, all positions, one target and one pair at a time.
    world = world_at(tiny, source, target)
    up, down = world.hooks
    dictionary = world.dictionaries[down]
    pi = dictionary.linear(world.clean[down])
    active = (dictionary.activation(pi)[:, 3] > 0).any(0).nonzero().flatten().tolist()[:3]
    targets = [Node("feature", down, 3, index) for index in active]
    found = world.weights(down, targets, "reference")
    found = found[:, :, -len(world.sources[up].nodes) :]
    kept: dict[Hook, Tensor] = {}

    def keep(hook: Hook, x: Tensor) -> Tensor:
        kept[hook] = x if x.requires_grad else x.detach().requires_grad_()
        return kept[hook]

    for pair in range(len(TOKENS)):
        with torch.enable_grad():
            edits = {hook: partial(keep, hook) for hook in world.hooks}
            tiny.run(tiny.embed(TOKENS[pair : pair + 1]), 0, N_LAYERS, edits)
            f = dictionary.encode(kept[down])[0, 3]
            for t, node in enumerate(targets):
                assert node.index is not None
                (gradient,) = torch.autograd.grad(f[node.index], kept[up], retain_graph=True)
                g = world.runs.gradient_path[down][pair, 3] @ dictionary.W_dec[node.index]
                whole = {up: gradient.expand(len(TOKENS), -1, -1)}
                by = torch.stack(list(pair_effects({up: world.sources[up]}, slopes(whole)).values()), dim=1)[pair]
                torch.testing.assert_close(found[t, pair], by * g, rtol=1e-3, atol=1e-5)
    assert float(found.abs().max()) > 0


@pytest.mark.parametrize("formula", FORMULAS)
def test_edges_do_not_depend_on_how_many_rows_are_taken_at_once(tiny: LanguageModel, formula: EdgeFormula) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    second = world.hooks[1]
    targets = world.sources[second].nodes[::40]
    whole, parts = (
        edge_weights(
            tiny,
            stretch_to(second, world.hooks),
            targets,
            world.sources,
            world.dictionaries[second],
            world.runs,
            world.metric,
            formula,
            2,
            rows,
        )
        for rows in (1024, 1)
    )
    torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-5)


def test_edges_into_the_metric_are_the_effects_of_the_last_nodes_by_the_gradients_of_their_formula(
    tiny: LanguageModel,
) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    last = world.hooks[-1]
    by_path, by_clean = (
        torch.stack(list(pair_effects({last: world.sources[last]}, slopes(gradient)).values()), dim=1)
        for gradient in (world.runs.gradient_path, world.runs.gradient_clean)
    )
    assert float((by_path - by_clean).abs().max()) > 0.01
    expected: list[tuple[EdgeFormula, Tensor]] = [("clean", by_clean), ("path", by_path), ("reference", by_path)]
    for formula, effects in expected:
        (incoming,) = world.weights(None, [METRIC], formula, 16)
        torch.testing.assert_close(incoming, effects, rtol=1e-3, atol=1e-4)


def moved_towards(by_clean: Tensor, by_path: Tensor, share: Tensor) -> Tensor:
    return by_clean + share.abs().clamp(max=1) * (by_path - by_clean)


def changes_of(world: World, run: Callable[[Tensor], Tensor], source: int, steps: int) -> tuple[Tensor, Tensor]:
    """First-order changes of what `run` makes of the first hook's value when a source is patched: at the clean run,
    and averaged along the path. By Jacobian-vector products, one source at a time, through the whole stretch."""
    first = world.hooks[0]
    at_first = world.sources[first]
    direction = torch.zeros_like(world.clean[first])
    direction[:, at_first.nodes[source].position] = at_first.change[:, source]

    def at(alpha: float) -> Tensor:
        x = torch.lerp(world.clean[first], world.patch[first], alpha)
        _, change = torch.autograd.functional.jvp(run, x, direction)  # type: ignore[no-untyped-call]
        assert isinstance(change, Tensor)
        return change

    return at(0.0), torch.stack([at((k + 0.5) / steps) for k in range(steps)]).mean(0)


def test_weights_along_the_path_are_those_of_the_formulas_written_out(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    first, second = world.hooks
    assert first.boundary is not None
    assert second.boundary is not None
    dictionary = world.dictionaries[second]
    before, after = (dictionary.encode(values[second])[:, 5] for values in (world.clean, world.patch))
    wakes = ((before == 0) & (after > 0)).sum(0).topk(2).indices.tolist()  # silent on the clean run: JumpReLU's trap
    stays = ((before > 0) & (after > 0)).sum(0).topk(2).indices.tolist()
    targets = [Node("feature", second, 5, index) for index in wakes + stays]
    found = {formula: world.weights(second, targets, formula, 3) for formula in BY_DERIVATIVES}
    g_clean, g_path = world.runs.gradient_clean[second][:, 5], world.runs.gradient_path[second][:, 5]
    all_m = world.m_patch - world.m_clean
    sources = [s for s, node in enumerate(world.sources[first].nodes) if node.position in (2, 5)][::6]
    for t, target in enumerate(targets):
        index = target.index
        assert index is not None
        g_c, g_p = g_clean @ dictionary.W_dec[index], g_path @ dictionary.W_dec[index]
        pi, pi_patch = (dictionary.linear(values[second])[:, 5] for values in (world.clean, world.patch))

        def pre_activation(x: Tensor, index: int = index) -> Tensor:
            return dictionary.linear(tiny.run(x, first.boundary, second.boundary))[:, 5, index]  # type: ignore[arg-type]

        def change_of_feature(by: Tensor, index: int = index, pi: Tensor = pi) -> Tensor:
            moved = pi.clone()
            moved[:, index] += by
            return dictionary.activation(moved)[:, index] - dictionary.activation(pi)[:, index]

        for s in sources:
            c, p = changes_of(world, pre_activation, s, 3)
            by_path = g_p * change_of_feature(p)
            d = change_of_feature(moved_towards(c, p, p / (pi_patch - pi)[:, index]))
            shared = moved_towards(g_c, g_p, 2 * g_p * d / all_m) * d
            torch.testing.assert_close(found["path"][t, :, s], by_path, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(found["share-weighted"][t, :, s], shared, rtol=1e-3, atol=1e-4)
    asleep = before[:, wakes].T == 0
    assert bool(asleep.any())
    assert float(found["reference"][:2][asleep].abs().max()) == 0
    assert float(found["share-weighted"][:2][asleep].abs().max()) > 0


def test_weights_into_error_terms_are_those_of_the_formulas_written_out(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    first, second = world.hooks
    dictionary = world.dictionaries[second]
    target = Node("error", second, 5)
    found = {formula: world.weights(second, [target], formula, 3)[0] for formula in BY_DERIVATIVES}
    g_c, g_p = world.runs.gradient_clean[second][:, 5], world.runs.gradient_path[second][:, 5]
    whole = (g_p * (error(dictionary, world.patch[second]) - error(dictionary, world.clean[second]))[:, 5]).sum(-1)

    def error_of(x: Tensor) -> Tensor:
        return error(dictionary, tiny.run(x, 1, 3))[:, 5]

    for s in [s for s, node in enumerate(world.sources[first].nodes) if node.position in (2, 5)][::6]:
        c, p = changes_of(world, error_of, s, 3)
        by_clean, by_path = (g_c * c).sum(-1), (g_p * p).sum(-1)
        expected = {
            "clean": by_clean,
            "reference": (g_p * c).sum(-1),
            "path": by_path,
            "share-weighted": moved_towards(by_clean, by_path, by_path / whole),
        }
        for formula in BY_DERIVATIVES:
            torch.testing.assert_close(found[formula][:, s], expected[formula], rtol=1e-3, atol=1e-4)


def test_edges_into_the_metric_take_their_share_of_its_change(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.2.hook_resid_post")

    def metric(x: Tensor) -> Tensor:
        return world.metric(world.model.logits(world.model.run(x, 3, N_LAYERS)[:, -1]))

    (found,) = world.weights(None, [METRIC], "share-weighted", 3)
    sources = range(0, len(world.sources[world.hooks[0]].nodes), 9)
    for s in sources:
        c, p = changes_of(world, metric, s, 3)
        expected = moved_towards(c, p, 2 * p / (world.m_patch - world.m_clean))
        torch.testing.assert_close(found[:, s], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_edge_leads_back_in_position(
    tiny: LanguageModel, formula: EdgeFormula, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    first, second = world.hooks
    targets = [n for n in world.sources[second].nodes if n.position in (3, 5)]
    early = [n for n, target in enumerate(targets) if target.position == 3]
    late = [s for s, n in enumerate(world.sources[first].nodes) if n.position is not None and n.position > 3]
    assert 0 < len(early) < len(targets)
    assert late
    run, generator = tiny.run, torch.Generator().manual_seed(0)

    def inexact(x: Tensor, *more: Any) -> Tensor:  # as where a row's last bits depend on the others of its batch
        return run(x * (1 + 1e-6 * torch.randn(x.shape, generator=generator)), *more)

    monkeypatch.setattr(tiny, "run", inexact)
    assert float(world.weights(second, targets, formula)[early][:, :, late].abs().max()) == 0


def test_an_edge_past_a_dictionary_in_between_is_direct(tiny: LanguageModel) -> None:
    names = ("blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.1.hook_resid_post")
    world = world_at(tiny, *names)
    resid, mlp, last = world.hooks
    assert stretch_to(last, world.hooks).sources == [resid, mlp]
    assert stretch_to(mlp, world.hooks).sources == [resid]
    assert stretch_to(None, world.hooks).sources == [last]
    target = next(n for n in world.sources[last].nodes if n.kind == "feature" and n.position == 5)
    weights = world.weights(last, [target], "clean")[0]
    # By hand: the residual stream moves, the MLP's output is held at its clean value.
    at_resid = world.sources[resid]
    dictionary = world.dictionaries[last]
    step = 1e-3
    for s in (0, len(at_resid.nodes) // 2, len(at_resid.nodes) - 1):
        x = world.clean[resid].clone()
        x[:, at_resid.nodes[s].position] += step * at_resid.change[:, s]
        with torch.no_grad():
            held = {mlp: lambda _: world.clean[mlp]}
            moved = dictionary.linear(tiny.run(x, 1, 2, held))[:, 5, target.index]
            still = dictionary.linear(world.clean[last])[:, 5, target.index]
        slope = dictionary.activation.slope(dictionary.linear(world.clean[last]))[:, 5, target.index]
        row = dictionary.W_dec[target.index]
        expected = (world.runs.gradient_clean[last][:, 5] @ row) * slope * (moved - still) / step
        torch.testing.assert_close(weights[:, s], expected, rtol=5e-2, atol=5e-3)


def test_means_and_mean_effects_do_not_depend_on_the_size_of_batches(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.1.hook_resid_post")
    (hook,) = world.hooks

    at_hook = share_weighted(world)[hook]

    def at(rows: int) -> list[Tensor]:
        features, errors, means = mean_effects(world.dictionaries[hook], at_hook, world.clean, world.patch, rows)
        return [features, errors, means.features, means.value]

    for whole, parts in zip(at(4), at(3), strict=True):
        torch.testing.assert_close(whole, parts)


def test_mean_effects_are_means_of_the_effects_of_pairs_and_means_of_both_runs(tiny: LanguageModel) -> None:
    world = world_at(tiny, "blocks.1.hook_resid_post")
    (hook,) = world.hooks
    dictionary, by = world.dictionaries[hook], share_weighted(world)
    features, errors, means = mean_effects(dictionary, by[hook], world.clean, world.patch, 4)
    for node, effect in pair_effects({hook: world.sources[hook]}, by).items():
        assert node.position is not None
        found = errors[node.position] if node.kind == "error" else features[node.position, node.index]
        torch.testing.assert_close(found, effect.mean(), rtol=1e-3, atol=1e-5)
    both = torch.cat([world.clean[hook], world.patch[hook]])
    torch.testing.assert_close(means.value, both.mean(0))
    torch.testing.assert_close(means.features, dictionary.encode(both).mean(0))


def test_share_weighted_effects_stand_between_the_gradients_by_the_share_that_a_node_brings(
    tiny: LanguageModel,
) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    shares = []
    for hook in world.hooks:
        at_hook = world.sources[hook]
        found = pair_effects({hook: at_hook}, share_weighted(world))
        for pair in range(len(TOKENS)):
            whole = float(world.m_patch[pair] - world.m_clean[pair])
            for n, node in enumerate(at_hook.nodes):
                change = at_hook.change[pair, n]
                ends = [
                    float(by[hook][pair, node.position] @ change)
                    for by in (world.runs.gradient_clean, world.runs.gradient_path)
                ]
                share = min(1.0, abs(2 * ends[1] / whole))
                shares.append(share)
                wanted = (1 - share) * ends[0] + share * ends[1]
                assert float(found[node][pair]) == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    assert min(shares) < 0.1
    assert max(shares) == 1.0


def test_candidates_are_ranked_by_the_size_of_their_effect_and_start_after_the_start_token(
    tiny: LanguageModel,
) -> None:
    world = world_at(tiny, "blocks.0.hook_resid_post", "blocks.2.hook_resid_post")
    effects: dict[Hook, tuple[Tensor, Tensor]] = {}
    gradients: Values = world.runs.gradient_path
    for hook, dictionary in world.dictionaries.items():
        features, errors, _ = mean_effects(dictionary, Slopes(gradients[hook]), world.clean, world.patch, 4)
        effects[hook] = (features, errors)
    ranked = rank(effects, 1, 10_000)
    sizes = [abs(effect) for effect in ranked.effects]
    assert sizes == sorted(sizes, reverse=True)
    assert all(node.position is not None and node.position >= 1 for node in ranked.nodes)
    assert len(set(ranked.nodes)) == len(ranked.nodes)


def test_tokens_are_nodes_where_some_pair_differs() -> None:
    assert [node.position for node in token_nodes(TOKENS, OTHER)] == [2]


def test_the_demo_is_shipped_with_its_dictionaries() -> None:
    assert (Path(__file__).parents[2] / "demo" / "agreement-across-pp.toml").exists()
