"""Whole worlds of attribution: a model, its dictionaries, runs on pairs, and every node that there is."""

import pytest
import torch
from torch import Tensor

from ingest.dictionaries import Dictionary, open_dictionary, places
from ingest.edges import Runs, edge_weights
from ingest.gradients import Metric, Values, along_hooks, gradients_at, hook_values
from ingest.hooks import EMBEDDING, Hook, parse_hook, parse_mlp_input
from ingest.models import LanguageModel
from ingest.nodes import Directions, Node, Slopes, directions, token_nodes
from ingest.recipe import EdgeFormula
from ingest.stretches import stretch_to
from tests.ingest.tiny import N_LAYERS, TRANSCODERS, LinearModel, linear_dictionary, random_sae, random_transcoder

CLEAN, PATCH = torch.tensor([[0, 1, 2, 3], [1, 2, 4, 0]]), torch.tensor([[0, 3, 2, 3], [1, 4, 4, 0]])
ANSWERS = Metric(torch.tensor([1, 2]), torch.tensor([2, 4]))
TOKENS = torch.tensor([[0, 2, 4, 12, 2, 7], [0, 3, 5, 13, 2, 9], [0, 2, 10, 12, 3, 6], [0, 3, 8, 12, 3, 11]])
OTHER = torch.tensor([[0, 2, 5, 12, 2, 7], [0, 3, 4, 13, 2, 9], [0, 2, 11, 12, 3, 6], [0, 3, 9, 12, 3, 11]])
TINY_METRIC = Metric(torch.tensor([14, 15, 14, 15]), torch.tensor([15, 14, 15, 14]))


class World:
    """Runs of a model on pairs, and every node that there is at each dictionary."""

    def __init__(
        self,
        model: LanguageModel,
        dictionaries: list[Dictionary],
        clean: Tensor,
        patch: Tensor,
        metric: Metric,
        nearness: float = 1.0,
        steps: int = 16,
    ) -> None:
        """nearness: how far the patch prompts' embeddings are from the clean ones, as a share of the whole way."""
        self.model, self.metric = model, metric
        self.dictionaries: dict[Hook, Dictionary] = {d.hook: d for d in dictionaries}
        self.hooks = list(self.dictionaries)
        every, read = [EMBEDDING, *self.hooks], [EMBEDDING, *places(dictionaries)]
        self.clean, self.m_clean = hook_values(model, clean, read, metric)
        embedded = torch.lerp(model.embed(clean), model.embed(patch), nearness)
        with pytest.MonkeyPatch.context() as changed:
            changed.setattr(model, "embed", lambda _: embedded)
            self.patch, self.m_patch = hook_values(model, patch, read, metric)
        at_clean, _ = gradients_at(model, 0, self.clean[EMBEDDING], every, metric)
        along = along_hooks(model, self.clean, self.patch, every, metric, steps)
        self.runs = Runs(self.clean, self.patch, at_clean, along, self.m_clean, self.m_patch)
        self.sources: dict[Hook, Directions] = {
            EMBEDDING: directions(None, token_nodes(clean, patch), self.clean, self.patch)
        }
        for hook, dictionary in self.dictionaries.items():
            nodes = [Node("error", hook, p) for p in range(clean.shape[1])]
            change = dictionary.encode(self.patch[dictionary.reads]) - dictionary.encode(self.clean[dictionary.reads])
            for position, index in change.abs().sum(0).nonzero().tolist():
                nodes.append(Node("feature", hook, position, index))
            self.sources[hook] = directions(dictionary, nodes, self.clean, self.patch)

    def weights(self, target: Hook | None, targets: list[Node], formula: EdgeFormula, steps: int = 4) -> Tensor:
        stretch = stretch_to(target, self.hooks)
        dictionary = self.dictionaries[target] if target else None
        return edge_weights(
            self.model, stretch, targets, self.sources, dictionary, self.runs, self.metric, formula, steps
        )


def linear_world() -> World:
    """A model of linear blocks with dictionaries whose features are always active: every formula is exact on it."""
    dictionaries = [linear_dictionary(0), linear_dictionary(1)]
    return World(LinearModel(), dictionaries, CLEAN, PATCH, ANSWERS)  # type: ignore[arg-type]


def world_at(
    model: LanguageModel, *names: str, kind: str = "jumprelu", nearness: float = 1.0, steps: int = 16
) -> World:
    opened = [dictionary_at(name, kind, seed=n) for n, name in enumerate(names)]
    return World(model, opened, TOKENS, OTHER, TINY_METRIC, nearness, steps)


def dictionary_at(name: str, kind: str, seed: int = 0) -> Dictionary:
    """A random dictionary at a hook; where that is what an MLP reads, a transcoder to what it writes."""
    if name.endswith(("hook_normalized", "ln2.hook_out", "mlp.hook_in")):
        hook = parse_hook(f"blocks.{name.split('.')[1]}.hook_mlp_out", N_LAYERS)
        transcoder = random_transcoder(TRANSCODERS[kind], name, hook.name, seed=seed)
        return open_dictionary(transcoder, hook, name, "", parse_mlp_input(name, hook))
    return open_dictionary(random_sae(kind, name, seed=seed), parse_hook(name, N_LAYERS), name, "")


def slopes(gradients: Values) -> dict[Hook, Slopes]:
    """Effects by one gradient."""
    return {hook: Slopes(gradient) for hook, gradient in gradients.items()}


def share_weighted(world: World) -> dict[Hook, Slopes]:
    """Effects between the clean run's gradient and the path's."""
    whole = world.m_patch - world.m_clean
    along = world.runs.gradient_path.items()
    return {hook: Slopes(gradient, world.runs.gradient_clean[hook], whole) for hook, gradient in along}


def observed_node(world: World, node: Node, change: Tensor) -> Tensor:
    """The metric's change when a node's value alone takes its patched value."""
    hook = node.hook
    assert hook is not None
    assert hook.boundary is not None
    x = world.clean[hook].clone()
    x[:, node.position] += change
    with torch.no_grad():
        out = world.model.run(x, hook.boundary, N_LAYERS)
        return world.metric(world.model.logits(out[:, -1])) - world.m_clean


def observed_edge(world: World, source: Node, change: Tensor, target: Node) -> Tensor:
    """The metric's change when d alone becomes what it is with u patched."""
    u, d = source.hook, target.hook
    assert u is not None
    assert d is not None
    assert u.boundary is not None
    assert d.boundary is not None
    dictionary = world.dictionaries[d]
    x = world.clean[u].clone()
    x[:, source.position] += change
    with torch.no_grad():
        before = dictionary.encode(world.clean[d])[:, target.position, target.index]
        after = dictionary.encode(world.model.run(x, u.boundary, d.boundary))[:, target.position, target.index]
    assert target.index is not None
    return observed_node(world, target, (after - before)[:, None] * dictionary.W_dec[target.index])
