from functools import partial
from pathlib import Path

import pytest
import torch

from ingest.ablation import Errors, Intervention, measure, random_circuit, resampled, zero
from ingest.dictionaries import places
from ingest.gradients import Metric, hook_values
from ingest.hooks import Hook, parse_hook
from ingest.models import open_model
from ingest.nodes import Means, Node, Ranked, Slopes, mean_effects
from ingest.pruning import select, strong_edges
from tests.ingest.tiny import N_LAYERS, save_model
from tests.ingest.worlds import dictionary_at

TOKENS = torch.tensor([[0, 2, 4, 12, 2, 7], [0, 3, 5, 13, 2, 9], [0, 2, 10, 12, 3, 6]])
OTHER = torch.tensor([[0, 2, 5, 12, 2, 7], [0, 3, 4, 13, 2, 9], [0, 2, 11, 12, 3, 6]])
METRIC = Metric(torch.tensor([14, 15, 14]), torch.tensor([15, 14, 15]))
HOOKS = [
    parse_hook(name, N_LAYERS) for name in ("blocks.0.hook_resid_post", "blocks.1.hook_mlp_out", "blocks.2.hook_out")
]


class World:
    def __init__(self, folder: Path, mlp: str) -> None:
        self.model = open_model(str(save_model(folder / "llama")))
        names = (HOOKS[0].name, mlp, HOOKS[2].name)
        self.dictionaries = {h: dictionary_at(names[n], "jumprelu", n) for n, h in enumerate(HOOKS)}
        hooks = places(self.dictionaries.values())
        clean, self.full = hook_values(self.model, TOKENS, hooks, METRIC)
        patch, _ = hook_values(self.model, OTHER, hooks, METRIC)
        self.means: dict[Hook, Means] = {
            h: mean_effects(d, Slopes(torch.zeros_like(clean[h])), clean, patch, 2)[2]
            for h, d in self.dictionaries.items()
        }
        self.all = [
            Node("feature", h, p, i)
            for h, d in self.dictionaries.items()
            for p in range(1, 6)
            for i in range(d.n_features)
        ]

    def metric(self, *interventions: Intervention) -> torch.Tensor:
        return measure(self.model, self.dictionaries, self.means, TOKENS, METRIC, interventions, 1)


@pytest.fixture(scope="module", params=["blocks.1.hook_mlp_out", "blocks.1.ln2.hook_normalized"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """With an autoencoder of the MLP's output, or a transcoder to it."""
    return World(tmp_path_factory.mktemp("ablation"), request.param)


def test_the_whole_circuit_with_its_errors_is_the_model_exactly(world: World) -> None:
    (found,) = world.metric(Intervention("faithfulness", world.all, "kept"))
    torch.testing.assert_close(found, world.full)


@pytest.mark.parametrize("errors", ["kept", "ablated"])
def test_without_its_whole_complement_a_circuit_is_empty(world: World, errors: Errors) -> None:
    empty, complement = world.metric(
        Intervention("faithfulness", [], errors), Intervention("completeness", world.all, errors)
    )
    torch.testing.assert_close(empty, complement)


def test_an_empty_circuit_is_the_mean_in_every_prompt(world: World) -> None:
    (empty,) = world.metric(Intervention("faithfulness", [], "ablated"))
    last = HOOKS[-1]
    with torch.no_grad():
        x = world.model.run(world.model.embed(TOKENS), 0, 3)
        x[:, 1:] = world.means[last].value[1:]
        expected = METRIC(world.model.logits(world.model.run(x, 3, N_LAYERS)[:, -1]))
    torch.testing.assert_close(empty, expected)


def test_measuring_together_is_measuring_one_by_one(world: World) -> None:
    some = [
        Intervention("faithfulness", world.all[5:300:7], "ablated"),
        Intervention("completeness", world.all[5:300:7], "kept"),
        Intervention("random", random_circuit(world.all[5:300:7], world.means, 3), "ablated", 3),
    ]
    together = world.metric(*some)
    for one, row in zip(some, together, strict=True):
        torch.testing.assert_close(world.metric(one)[0], row)


def test_keeping_one_feature_by_hand_gives_the_same(world: World) -> None:
    node = max(world.all[:200], key=lambda n: float(world.means[HOOKS[0]].features[n.position, n.index]))
    (found,) = world.metric(Intervention("faithfulness", [node], "ablated"))
    assert node.position is not None
    assert node.index is not None

    def only_node(x: torch.Tensor) -> torch.Tensor:
        d, m = world.dictionaries[HOOKS[0]], world.means[HOOKS[0]]
        kept = x.clone()
        kept[:, 1:] = m.value[1:]
        f = d.encode(x)[:, node.position, node.index] - m.features[node.position, node.index]
        kept[:, node.position] += f[:, None] * d.W_dec[node.index]
        return kept

    def to_mean(hook: Hook, x: torch.Tensor) -> torch.Tensor:
        kept = x.clone()
        kept[:, 1:] = world.means[hook].value[1:]
        return kept

    edits = {HOOKS[0]: only_node, HOOKS[1]: lambda x: to_mean(HOOKS[1], x), HOOKS[2]: lambda x: to_mean(HOOKS[2], x)}
    with torch.no_grad():
        out = world.model.run(world.model.embed(TOKENS), 0, N_LAYERS, edits)
    torch.testing.assert_close(found, METRIC(world.model.logits(out[:, -1])))


def test_a_random_circuit_has_the_profile_of_its_model_and_another_seed_is_another_circuit(world: World) -> None:
    nodes = [n for n in world.all if float(world.means[n.hook].features[n.position, n.index]) > 0][::5]  # type: ignore[index]
    drawn = random_circuit(nodes, world.means, 0)

    def profile(of: list[Node]) -> list[tuple[str, int | None]]:
        return sorted((n.hook.name, n.position) for n in of if n.hook)

    assert profile(drawn) == profile(nodes)
    assert len(set(drawn)) == len(drawn)
    assert not set(drawn) & set(nodes)
    assert all(float(world.means[n.hook].features[n.position, n.index]) > 0 for n in drawn)  # type: ignore[index]
    assert drawn == random_circuit(nodes, world.means, 0)
    assert drawn != random_circuit(nodes, world.means, 1)


def test_leaving_a_node_out_is_the_circuit_without_it(world: World) -> None:
    nodes = world.all[5:300:7]
    left, without = world.metric(
        Intervention("minimality", nodes, "ablated", left_out=nodes[3]),
        Intervention("faithfulness", [node for node in nodes if node != nodes[3]], "ablated"),
    )
    torch.testing.assert_close(left, without)


def test_the_zero_baseline_is_the_decoders_bias_alone(world: World) -> None:
    zeros = {hook: zero(d, world.means[hook]) for hook, d in world.dictionaries.items()}
    found = measure(
        world.model, world.dictionaries, zeros, TOKENS, METRIC, [Intervention("faithfulness", [], "ablated")], 1
    )[0]
    biases = {h: partial(_from_first, value=d.b_dec) for h, d in world.dictionaries.items()}
    with torch.no_grad():
        out = world.model.run(world.model.embed(TOKENS), 0, N_LAYERS, biases)
    torch.testing.assert_close(found, METRIC(world.model.logits(out[:, -1])))


def _from_first(x: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    changed = x.clone()
    changed[:, 1:] = value
    return changed


def test_the_resampled_baseline_puts_each_pair_in_the_place_of_another_prompt(world: World) -> None:
    """With all ablated at every hook, what is left is what follows the last hook of the prompt that was drawn."""
    values, _ = hook_values(world.model, OTHER, places(world.dictionaries.values()), METRIC)
    drawn = {hook: resampled(d, values, len(TOKENS), 5) for hook, d in world.dictionaries.items()}
    last = HOOKS[-1]
    rows = [next(n for n, v in enumerate(values[last]) if torch.equal(v, one)) for one in drawn[last].value]
    found = measure(
        world.model, world.dictionaries, drawn, TOKENS, METRIC, [Intervention("faithfulness", [], "ablated")], 1
    )[0]
    with torch.no_grad():
        x = world.model.run(world.model.embed(TOKENS), 0, 3)
        x[:, 1:] = values[last][rows][:, 1:]
        expected = METRIC(world.model.logits(world.model.run(x, 3, N_LAYERS)[:, -1]))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_pruning_keeps_the_strongest_features_and_the_errors_that_are_no_weaker() -> None:
    a, b, c = (Node("feature", HOOKS[0], 1, i) for i in range(3))
    strong, weak = Node("error", HOOKS[0], 2), Node("error", HOOKS[0], 3)
    ranked = Ranked([a, strong, b, weak, c], [5.0, -4.0, -3.0, 2.0, 1.0])
    assert set(select(ranked, 2, 0.0)) == {a, b, strong}
    assert set(select(ranked, 9, 2.5)) == {a, b, strong}
    assert strong_edges([0.5, -0.6, 0.1, 0.0], 0.2) == [0, 1]
    assert strong_edges([0.5, 0.0], 0.0) == [0]
