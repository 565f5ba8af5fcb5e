"""Attributions on every family of models, at every site, against the model that transformers runs.

Predictions at the clean run are derivatives: here they are compared with central differences of the whole model, in
double precision. Observations are what the whole model does when a node, or an edge alone, is changed.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from torch import Tensor

from ingest.ablation import Errors, Intervention, measure
from ingest.dictionaries import Dictionary, places
from ingest.evidence import observed_edges, observed_nodes
from ingest.hooks import EMBEDDING, Hook
from ingest.job import run_recipe
from ingest.models import LanguageModel, open_model
from ingest.nodes import METRIC, Node, Slopes, mean_effects, pair_effects
from ingest.stretches import stretch_to
from store.bundle import open_bundle
from store.database import open_store
from tests.ingest.reference import Reference, in_double
from tests.ingest.tiny import FAMILIES, random_sae, random_transcoder, save_model, save_pairs, save_recipe
from tests.ingest.worlds import OTHER, TINY_METRIC, TOKENS, World, slopes, world_at

STEP = 1e-5
SITES = {
    "resid": ("blocks.0.hook_resid_post", "blocks.2.hook_resid_post"),
    "mlp": ("blocks.0.hook_mlp_out", "blocks.2.hook_mlp_out"),
    "attn": ("blocks.1.hook_attn_out", "blocks.2.hook_attn_out"),
    "all": ("blocks.0.hook_resid_post", "blocks.1.hook_attn_out", "blocks.1.hook_mlp_out", "blocks.1.hook_resid_post"),
    "transcoders": ("blocks.0.mlp.hook_in", "blocks.2.ln2.hook_normalized", "blocks.3.ln2.hook_out"),
    "transcoders among others": (
        "blocks.0.hook_resid_post",
        "blocks.1.hook_attn_out",
        "blocks.1.ln2.hook_normalized",
        "blocks.2.hook_attn_out",
        "blocks.2.mlp.hook_in",
        "blocks.2.hook_resid_post",
    ),
}


@dataclass(frozen=True)
class Family:
    model: LanguageModel
    reference: Reference


@cache
def family(name: str) -> Family:
    with TemporaryDirectory() as folder:
        save_model(Path(folder), name, worn=True)
        return Family(open_model(folder), Reference(Path(folder), name))


class Double:
    """The same world in double precision, by the reference: nodes are moved, and the metric is read."""

    def __init__(self, world: World, reference: Reference) -> None:
        self.world, self.reference = world, reference
        self.dictionaries = {hook: in_double(dictionary) for hook, dictionary in world.dictionaries.items()}
        hooks = places(self.dictionaries.values())
        self.clean, self.patch = (self.values(tokens, {}, hooks) for tokens in (TOKENS, OTHER))

    def values(self, tokens: Tensor, put: dict[Hook, Tensor], read: Sequence[Hook]) -> dict[Hook, Tensor]:
        seen, _ = self.reference(tokens, {h.name: x for h, x in put.items()}, [h.name for h in read])
        return {hook: seen[hook.name] for hook in read}

    def metric(self, put: dict[Hook, Tensor]) -> Tensor:
        """[n, pairs], where n · pairs rows are put."""
        times = len(next(iter(put.values()))) // len(TOKENS) if put else 1
        _, logits = self.reference(TOKENS.repeat(times, 1), {h.name: x for h, x in put.items()}, [])
        answers = TINY_METRIC.repeat(times)
        chosen = [logits.gather(1, a[:, None])[:, 0] for a in (answers.clean_answers, answers.patch_answers)]
        return (chosen[0] - chosen[1]).view(times, -1)

    def part(self, node: Node, values: dict[Hook, Tensor]) -> Tensor:
        """What a node adds to its hook's value, at its position: [rows, d]."""
        assert node.hook is not None
        dictionary: Dictionary = self.dictionaries[node.hook]
        x, y = (value[:, node.position] for value in dictionary.read(values))
        if node.index is None:
            return y - dictionary.encode(x) @ dictionary.W_dec - dictionary.b_dec
        return dictionary.encode(x)[:, node.index, None] * dictionary.W_dec[node.index]

    def moved(self, nodes: Sequence[Node], scale: float) -> Tensor:
        """The value of their hook when each node alone goes that share of the way to its patched value: [n · pairs]."""
        hook = nodes[0].hook
        assert hook is not None
        moved = [self.clean[hook].clone() for _ in nodes]
        for x, node in zip(moved, nodes, strict=True):
            x[:, node.position] += scale * (self.part(node, self.patch) - self.part(node, self.clean))
        return torch.cat(moved)

    def cut(self, sources: Sequence[Node], targets: Sequence[Node], scales: Sequence[float]) -> Tensor:
        """The metric when each source, moved, acts through one target alone: [targets, scales, sources, pairs].

        sources are of one hook, and so are targets.
        """
        hook, start = targets[0].hook, sources[0].hook
        assert hook is not None
        assert start is not None
        n = len(scales) * len(sources)
        held = [h for h in stretch_to(hook, self.world.hooks).between if h != start]
        put = {start: torch.cat([self.moved(sources, scale) for scale in scales])}
        put |= {h: self.clean[h].repeat(n, 1, 1) for h in held}
        reached = self.values(TOKENS.repeat(n, 1), put, places([self.dictionaries[hook]]))
        changed = [self.clean[hook].repeat(n, 1, 1) for _ in targets]
        for x, target in zip(changed, targets, strict=True):
            x[:, target.position] += self.part(target, reached) - self.part(target, self.clean).repeat(n, 1)
        return self.metric({hook: torch.cat(changed)}).view(len(targets), len(scales), len(sources), -1)

    @cached_property
    def unmoved(self) -> Tensor:
        return self.metric({})[0]


CASES = [*((name, site) for name in FAMILIES for site in SITES), ("qwen2", "transcoders among others")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def worlds(request: pytest.FixtureRequest) -> tuple[World, Double]:
    name, site = request.param
    world = world_at(family(name).model, *SITES[site], steps=1)
    return world, Double(world, family(name).reference)


def some(world: World, hook: Hook, most: int) -> list[Node]:
    """Some features and one error term of a hook, behind the start token."""
    inner = [node for node in world.sources[hook].nodes if node.position]
    features = [node for node in inner if node.kind == "feature"]
    return [*features[:: -(-len(features) // most)], next(n for n in inner if n.kind == "error" and n.position == 5)]


def close(found: Tensor, expected: Tensor) -> None:
    """Within float32's rounding of what is largest, which is not nothing."""
    size = float(expected.abs().max())
    assert size > 1e-4
    torch.testing.assert_close(found.double(), expected, rtol=2e-3, atol=2e-4 * size)


def test_values_and_metric_are_those_of_transformers(worlds: tuple[World, Double]) -> None:
    world, double = worlds
    for hook in places(world.dictionaries.values()):
        close(world.clean[hook], double.clean[hook])
    close(world.m_clean, double.unmoved)


def test_node_effects_equal_central_differences(worlds: tuple[World, Double]) -> None:
    world, double = worlds
    for hook in world.hooks:
        nodes = some(world, hook, 24)
        effects = pair_effects({hook: world.sources[hook]}, slopes(world.runs.gradient_clean))
        ahead, behind = (double.metric({hook: double.moved(nodes, step)}) for step in (STEP, -STEP))
        close(torch.stack([effects[node] for node in nodes]), (ahead - behind) / (2 * STEP))


def test_edge_weights_equal_central_differences(worlds: tuple[World, Double]) -> None:
    world, double = worlds
    for target in world.hooks:
        ends, stretch = awake(world, target), stretch_to(target, world.hooks)
        weights = world.weights(target, ends, "clean")
        in_order = [node for hook in stretch.sources for node in world.sources[hook].nodes]
        found, expected = [], []
        for source in (hook for hook in stretch.sources if hook != EMBEDDING):
            nodes = some(world, source, 8)
            ahead, behind = double.cut(nodes, ends, (STEP, -STEP)).unbind(1)
            expected.append((ahead - behind) / (2 * STEP))
            found.append(weights[:, :, [in_order.index(node) for node in nodes]].transpose(1, 2))
        if found:
            close(torch.cat(found, dim=1), torch.cat(expected, dim=1))


def awake(world: World, hook: Hook) -> list[Node]:
    """Features that are active at the last position on every clean run or some, and the error term there."""
    dictionary = world.dictionaries[hook]
    active = (dictionary.encode(world.clean[dictionary.reads])[:, 5] > 0).sum(0).topk(3).indices.tolist()
    return [*(Node("feature", hook, 5, index) for index in active), Node("error", hook, 5)]


def test_edges_into_the_metric_equal_central_differences(worlds: tuple[World, Double]) -> None:
    world, double = worlds
    stretch = stretch_to(None, world.hooks)
    (weights,) = world.weights(None, [METRIC], "clean")
    in_order = [node for hook in stretch.sources for node in world.sources[hook].nodes]
    for source in (hook for hook in stretch.sources if hook != EMBEDDING):
        nodes = some(world, source, 4)
        held = {h: double.clean[h].repeat(len(nodes), 1, 1) for h in stretch.sources if h not in (source, EMBEDDING)}
        ahead, behind = (double.metric(held | {source: double.moved(nodes, step)}) for step in (STEP, -STEP))
        close(weights[:, [in_order.index(node) for node in nodes]].T, (ahead - behind) / (2 * STEP))


def test_what_is_observed_is_what_transformers_does(worlds: tuple[World, Double]) -> None:
    world, double = worlds
    for hook in world.hooks:
        nodes, at_hook = some(world, hook, 12), world.sources[hook]
        seen = observed_nodes(world.model, at_hook.only(nodes), hook, world.clean, world.metric, world.m_clean, 64)
        close(seen, double.metric({hook: double.moved(nodes, 1.0)}) - double.unmoved)
        ends, stretch = awake(world, hook), stretch_to(hook, world.hooks)
        found, expected = [], []
        for source in (h for h in stretch.sources if h != EMBEDDING):
            nodes = some(world, source, 6)
            expected.append(double.cut(nodes, ends, [1.0])[:, 0].flatten(0, 1) - double.unmoved)
            edges = [(node, end) for end in ends for node in nodes]
            arguments = (edges, world.sources, world.dictionaries[hook], world.clean, world.metric, world.m_clean, 64)
            found.append(observed_edges(world.model, stretch, *arguments))
        if found:
            close(torch.cat(found), torch.cat(expected))


@pytest.mark.parametrize("errors", ["kept", "ablated"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_transcoders_part_of_a_circuit_is_what_transformers_gives_with_it_put_in_place(
    name: str, errors: Errors
) -> None:
    world = world_at(family(name).model, "blocks.1.ln2.hook_normalized", steps=1)
    double = Double(world, family(name).reference)
    (hook,) = world.hooks
    ours, dictionary = world.dictionaries[hook], double.dictionaries[hook]
    _, _, means = mean_effects(ours, Slopes(world.runs.gradient_clean[hook]), world.clean, world.patch, 4)
    kept = [node for node in some(world, hook, 30) if node.kind == "feature"]
    found = measure(
        world.model, {hook: ours}, {hook: means}, TOKENS, world.metric, [Intervention("faithfulness", kept, errors)], 1
    )
    (x, y), (x_patch, y_patch) = (dictionary.read(values) for values in (double.clean, double.patch))
    f, error = dictionary.encode(x), dictionary.error(x, y)
    mean_f = torch.cat([f, dictionary.encode(x_patch)]).mean(0)
    mean_error = torch.cat([error, dictionary.error(x_patch, y_patch)]).mean(0)
    circuit = mean_f.repeat(len(TOKENS), 1, 1)
    for node in kept:
        circuit[:, node.position, node.index] = f[:, node.position, node.index]
    put = dictionary.decode(circuit) + (error if errors == "kept" else mean_error)
    put[:, 0] = y[:, 0]  # the start token is left as it is
    assert float((double.metric({hook: put}) - double.unmoved).abs().max()) > 1e-3
    close(found, double.metric({hook: put}))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_recipe_gives_a_bundle_that_loads_whatever_the_family(name: str, tmp_path: Path) -> None:
    save_model(tmp_path / "model", name, worn=True)
    save_pairs(tmp_path / "pairs.jsonl")
    for n, hook in enumerate(["blocks.0.hook_attn_out", "blocks.1.hook_mlp_out", "blocks.1.hook_resid_post"]):
        random_sae("jumprelu", hook, seed=n).save_model(tmp_path / "dictionaries" / hook)
    reads, writes = "blocks.2.ln2.hook_normalized", "blocks.2.hook_mlp_out"
    random_transcoder("jumprelu_transcoder", reads, writes).save_model(tmp_path / "dictionaries" / "transcoder")
    pruning, evidence = "top_nodes = 40\nnode_threshold = 0\nedge_threshold = 0", "nodes = 4\nedges = 8\npairs = 2"
    recipe = save_recipe(tmp_path, pruning=pruning, evidence=evidence)
    (path,) = run_recipe(recipe, tmp_path / "out")
    with closing(open_store(f"ladybug:{tmp_path / 'store.lbug'}")) as store:
        store.load(open_bundle(path))
        read = store.run("MATCH (d:Dictionary) RETURN d.hook AS hook, d.site AS site, d.reads AS reads").rows
        of = "MATCH (n:CircuitNode)-[:INSTANCE_OF]->(:Feature)-[:IN_DICTIONARY]->(d:Dictionary {hook: $hook})"
        met = {hook: store.run(f"{of} RETURN count(n) AS n", {"hook": hook}).rows[0][0] for hook, _, _ in read}
        into = store.run(f"{of} MATCH (s:CircuitNode)-[e:ATTRIBUTES_TO]->(n) RETURN count(e) AS n", {"hook": writes})
    assert sorted(tuple(row) for row in read) == sorted(
        [
            ("blocks.0.hook_attn_out", "attn", None),
            ("blocks.1.hook_mlp_out", "mlp", None),
            ("blocks.1.hook_resid_post", "resid", None),
            (writes, "mlp", reads),
        ]
    )
    assert min(met.values()) > 0
    assert into.rows[0][0] > 0
