"""Matches against what was planted, what scipy and numpy say, and what switching off does to a model that is linear."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from torch import Tensor

from ingest.analyses.matching.activity import Activity, counting, read, start_of
from ingest.analyses.matching.assignment import assign
from ingest.analyses.matching.copies import can_copy, run_changed
from ingest.analyses.matching.deactivation import Trials, choose_tests, deactivate
from ingest.analyses.matching.folding import fold
from ingest.analyses.matching.given import check_comparable, neighbours
from ingest.analyses.matching.matches import Matches, best_of_both
from ingest.analyses.matching.methods import correlations, distances, feature_flow, kinds, sae_match
from ingest.analyses.matching.quality import agreement, explained_variance, own_explained_variance
from ingest.corpus import Corpus
from ingest.dictionaries import Dictionary, JumpReLU, open_dictionary, places
from ingest.hooks import Hook, parse_hook, parse_mlp_input
from ingest.models import LanguageModel, open_model
from ingest.progress import step
from store.errors import ModelError
from tests.ingest.tiny import (
    D_MODEL,
    N_LAYERS,
    LinearModel,
    linear_dictionary,
    random_sae,
    random_transcoder,
    save_model,
)

A, B = "blocks.0.hook_resid_post", "blocks.2.hook_resid_post"


def dictionary(kind: str, hook: str = A, seed: int = 0, d_sae: int = 40) -> Dictionary:
    sae = random_sae(kind, hook, d_sae=d_sae, seed=seed)
    return open_dictionary(sae, parse_hook(hook, N_LAYERS), f"{kind} {seed}", "")


def rearranged(one: Dictionary, order: Tensor, growth: Tensor, hook: str = B) -> Dictionary:
    """The same features in another order, each with its activation multiplied by a factor."""
    assert isinstance(one.activation, JumpReLU)
    activation = JumpReLU((one.activation.bias * growth)[order], (one.activation.threshold * growth)[order])
    return replace(
        one,
        hook=parse_hook(hook, N_LAYERS),
        W_enc=(one.W_enc * growth)[:, order],
        W_dec=(one.W_dec / growth[:, None])[order],
        activation=activation,
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (30, 30), (60, 45), (45, 60), (300, 300)])
@pytest.mark.parametrize("seed", range(3))
def test_an_assignment_costs_as_much_as_scipys_on_the_full_matrix(shape: tuple[int, int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    cost = torch.randn(*shape, generator=generator)
    if seed:  # columns that many rows want, as common features are
        cost += 3 * torch.randn(shape[1], generator=generator) + torch.randn(shape[0], 1, generator=generator)
    found = assign(cost, nearest=3)
    rows, columns = linear_sum_assignment(cost.double().numpy())
    assert found.cost == pytest.approx(float(cost.double().numpy()[rows, columns].sum()), rel=1e-6, abs=1e-5)
    assert 0 <= found.gap < 1e-3
    assert len(set(found.rows.tolist())) == len(set(found.columns.tolist())) == min(shape)


def test_equal_costs_and_zeros_are_assigned_too() -> None:
    found = assign(torch.zeros(20, 25), nearest=4)
    assert (found.cost, len(set(found.columns.tolist()))) == (0.0, 20)


@pytest.mark.parametrize("method", [sae_match, feature_flow])
def test_a_planted_permutation_is_recovered(method: object) -> None:
    a = dictionary("jumprelu")
    order = torch.randperm(a.n_features, generator=torch.Generator().manual_seed(1))
    b = rearranged(a, order, torch.linspace(0.2, 5, a.n_features))
    found: Matches = method(a, b)  # type: ignore[operator]
    assert torch.equal(order[found.best(a.n_features)], torch.arange(a.n_features))
    assert found.score.min() > 0.999


def test_without_thresholds_to_fold_a_permutation_is_recovered_by_decoder_norms() -> None:
    a = dictionary("standard")
    order = torch.randperm(a.n_features, generator=torch.Generator().manual_seed(1))
    b = rearranged(a, order, torch.linspace(0.2, 5, a.n_features))
    assert torch.equal(order[sae_match(a, b).best(a.n_features)], torch.arange(a.n_features))


@pytest.mark.parametrize("sizes", [(40, 25), (25, 40)])
def test_dictionaries_of_two_widths_match_as_far_as_the_smaller_goes(sizes: tuple[int, int]) -> None:
    a, b = (dictionary("jumprelu", hook, seed, n) for hook, seed, n in ((A, 0, sizes[0]), (B, 1, sizes[1])))
    found = sae_match(a, b)
    cost = distances(a, b)[0].double().numpy()
    rows, columns = linear_sum_assignment(cost)
    assert cost[found.source.numpy(), found.target.numpy()].sum() == pytest.approx(cost[rows, columns].sum(), rel=1e-6)
    assert len(set(found.source.tolist())) == len(set(found.target.tolist())) == 25
    assert int((found.best(sizes[0]) >= 0).sum()) == 25


def test_distances_are_those_of_folded_weights() -> None:
    a, b = dictionary("jumprelu"), dictionary("jumprelu", B, 1)
    assert isinstance(a.activation, JumpReLU)
    assert isinstance(b.activation, JumpReLU)
    u, d = 3, 5
    s, t = a.activation.threshold[u], b.activation.threshold[d]
    wanted = (a.W_enc[:, u] / s - b.W_enc[:, d] / t).square().sum() + (a.W_dec[u] * s - b.W_dec[d] * t).square().sum()
    wanted += (a.activation.bias[u] / s - b.activation.bias[d] / t) ** 2
    assert float(distances(a, b)[0][u, d]) == pytest.approx(float(wanted), rel=1e-4)


@pytest.mark.parametrize("kind", ["jumprelu", "gated", "standard", "topk"])
def test_a_folded_dictionary_reconstructs_the_same(kind: str) -> None:
    one = dictionary(kind)
    (folded,) = fold([one])
    x = torch.randn(50, D_MODEL, generator=torch.Generator().manual_seed(2))
    active = one.encode(x) > 0
    z = ((x - one.b_in) @ folded.encoder.T + folded.bias) * active
    torch.testing.assert_close(z @ folded.decoder + one.b_dec, one.decode(one.encode(x)), rtol=1e-4, atol=1e-4)
    if kind == "jumprelu":  # every threshold has become 1
        assert torch.equal(active, (x - one.b_in) @ folded.encoder.T + folded.bias > 1)


def test_feature_flow_takes_the_nearest_direction_many_to_one_either_way() -> None:
    a, b = dictionary("jumprelu"), dictionary("jumprelu", B, 1, 25)
    p, q = (one.W_dec.double().numpy() for one in (a, b))
    cosine = (p @ q.T) / np.outer(np.linalg.norm(p, axis=1), np.linalg.norm(q, axis=1))
    found = feature_flow(a, b)
    assert found.best(40).tolist() == cosine.argmax(1).tolist()
    assert found.best_source(25).tolist() == cosine.argmax(0).tolist()
    for s, t, rank, reverse in zip(found.source, found.target, found.rank, found.reverse_rank, strict=True):
        assert int(rank) == 1 + int((cosine[s] > cosine[s, t]).sum())
        assert int(reverse) == 1 + int((cosine[:, t] > cosine[s, t]).sum())


def test_features_are_translated_processed_newborn_or_unexplained() -> None:
    residual, module = torch.tensor([0.9, 0.9, 0.1, 0.1]), torch.tensor([0.1, 0.9, 0.9, 0.1])
    assert kinds(residual, module, 0.5) == ["translated", "processed", "newborn", "unexplained"]
    # With no dictionary between, what the residual stream does not explain was written: √(1 − 0.9²) = 0.44.
    assert kinds(torch.tensor([0.9, 0.7, 0.3]), None, 0.5) == ["translated", "processed", "newborn"]


def test_correlations_are_numpys() -> None:
    generator = np.random.default_rng(0)
    common = generator.random((200, 6))
    a = np.maximum(common[:, [0, 1, 2, 3]] - 0.4, 0)
    b = np.maximum(common[:, [1, 0, 4, 5, 2]] + 0.2 * generator.random((200, 5)) - 0.6, 0)
    a[:, 3] = 0
    a[:2, 3] = 1
    wanted = np.corrcoef(a, b, rowvar=False)[:4, 4:]
    np.testing.assert_allclose(correlations(csr_array(a), csr_array(b)), wanted, atol=1e-6)
    rarely = correlations(csr_array(a), csr_array(b), least_active=3)
    assert torch.isinf(rarely[3]).all()
    found = best_of_both(rarely)
    assert found.best(4).tolist() == [1, 0, 4, -1]


def test_explained_variance_of_a_planted_copy_is_the_dictionarys_own() -> None:
    a = dictionary("jumprelu")
    order = torch.randperm(a.n_features, generator=torch.Generator().manual_seed(1))
    b = rearranged(a, order, torch.linspace(0.2, 5, a.n_features))
    x = torch.randn(600, D_MODEL, generator=torch.Generator().manual_seed(3))
    of_a, of_b = (csr_array(one.encode(x).numpy()) for one in (a, b))
    fitted = (of_a[:300], of_b[:300])
    found = explained_variance(b, of_a[300:], x[300:].numpy(), fitted, sae_match(a, b).best_source(40))
    y = x[300:]
    own = 1 - (y - b.decode(b.encode(y))).square().sum() / (y - y.mean(0)).square().sum()
    assert found == pytest.approx(float(own), rel=1e-4)
    assert own_explained_variance(b, of_b[300:], y.numpy()) == pytest.approx(float(own), rel=1e-4)


def test_explained_variance_is_numpys_regression_of_each_target_on_its_source() -> None:
    a, b = dictionary("jumprelu"), dictionary("jumprelu", B, 1, 25)
    x = torch.randn(200, D_MODEL, generator=torch.Generator().manual_seed(3))
    of_a, of_b = a.encode(x).numpy(), b.encode(x + 0.3 * x.roll(1, 1)).numpy()
    of_a[:100, 4] = 0.5  # does not vary where it is fitted
    source = torch.randint(0, 40, (25,), generator=torch.Generator().manual_seed(5))
    source[[3, 7]] = torch.tensor([-1, 4])
    instead = np.tile(of_b[:100].mean(0), (100, 1))
    for target, u in enumerate(source.tolist()):
        if u not in (-1, 4) and np.ptp(of_a[:100, u]) > 0:
            slope, constant = np.polyfit(of_a[:100, u], of_b[:100, target], 1)
            instead[:, target] = slope * of_a[100:, u] + constant
    y = x[100:].numpy()
    rest = y - instead @ b.W_dec.numpy() - b.b_dec.numpy()
    wanted = 1 - np.square(rest).sum() / np.square(y - y.mean(0)).sum()
    fitted = (csr_array(of_a[:100]), csr_array(of_b[:100]))
    found = explained_variance(b, csr_array(of_a[100:]), y, fitted, source)
    assert found == pytest.approx(float(wanted), rel=1e-4)
    assert explained_variance(b, csr_array(of_a[100:]), np.ones_like(y), fitted, source) is None


def test_agreement_counts_equal_matches() -> None:
    assert agreement(torch.tensor([0, 1, 2, -1]), torch.tensor([0, 2, 2, 3])) == pytest.approx(2 / 3)
    assert agreement(torch.tensor([-1]), torch.tensor([0])) is None


# The deactivation test.


def linear_activity(tokens: Tensor) -> tuple[LanguageModel, Dictionary, Dictionary, Activity]:
    model: LanguageModel = LinearModel()  # type: ignore[assignment]
    a, b = linear_dictionary(0), linear_dictionary(1)
    with step("reading") as bar:
        values = read(model, Corpus(tokens), [a.hook, b.hook], 2, bar)
    return model, a, b, Activity(values, torch.ones(tokens.shape).bool())


def test_on_a_linear_model_a_successor_loses_what_the_closed_form_says() -> None:
    tokens = torch.tensor([[0, 1, 2, 3], [1, 2, 4, 0]])
    model, a, b, activity = linear_activity(tokens)
    pairs = torch.tensor([[2, 4], [2, 7], [5, 1]])
    tests = Trials(torch.tensor([2, 5, 2]), torch.tensor([0, 0, 1]), torch.tensor([1, 3, 2]))
    with step("switching off") as bar:
        found = deactivate(model, a, b, activity, pairs, tests, 2, 0, bar)
    block = model.maps[1]  # type: ignore[attr-defined]

    def fall(u: int, d: int, context: int, position: int) -> float:
        f = a.encode(activity.values[a.hook][context, position])[u]
        here = slice(position * 6, position * 6 + 6)
        moved = block[here, here] @ (f * a.W_dec[u])
        return float(moved @ b.W_enc[:, d] / b.encode(activity.values[b.hook][context, position])[d])

    wanted = [(fall(2, 4, 0, 1) + fall(2, 4, 1, 2)) / 2, (fall(2, 7, 0, 1) + fall(2, 7, 1, 2)) / 2, fall(5, 1, 0, 3)]
    assert found.fall.tolist() == pytest.approx(wanted, rel=1e-2, abs=1e-5)
    assert found.n_active.tolist() == [2, 2, 1]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize("hook", [A, "blocks.1.hook_mlp_out"])
def test_changes_made_at_once_come_out_as_changes_made_alone(
    family: str, hook: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = open_model(str(save_model(tmp_path_factory.mktemp("model") / family, family)))
    with torch.no_grad():
        x = model.run(model.embed(torch.arange(9)[None] % model.vocab_size), 0, 1)[0]
    assert can_copy(model, x, 1, 3)
    positions = torch.tensor([1, 4, 4, 8, 2])
    change = 3 * torch.randn(5, D_MODEL, generator=torch.Generator().manual_seed(0))
    changed, to = parse_hook(hook, N_LAYERS), parse_hook(B, N_LAYERS)
    outs = [run_changed(model, x, 1, 3, changed, change, positions, to, at_once) for at_once in (True, False)]
    torch.testing.assert_close(outs[0], outs[1], rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        plain = model.run(x[None], 1, 3)[0]
    assert (outs[0] - plain[positions]).norm(dim=1).min() > 0.1


def test_features_are_tested_where_their_matches_are_active() -> None:
    a = csr_array(np.array([[0, 0], [1, 0], [1, 0], [1, 1], [0, 0], [1, 0]], float))
    b = csr_array(np.array([[1, 1], [0, 0], [1, 0], [1, 1], [1, 1], [0, 1]], float))
    pairs = torch.tensor([[0, 0], [0, 1], [1, 0]])
    tests = choose_tests(a, b, pairs, 2, 3, np.random.default_rng(0))
    found = set(zip(tests.feature.tolist(), (tests.context * 3 + tests.position).tolist(), strict=True))
    assert (0, 3) in found  # both matches are active there
    assert (1, 3) in found
    assert len(found) == 3
    assert found - {(0, 3), (1, 3)} <= {(0, 2), (0, 5)}


def test_attention_sinks_and_start_tokens_do_not_count() -> None:
    hook = parse_hook(A, N_LAYERS)
    values = torch.ones(2, 5, 4)
    values[1, 3] = 100
    assert counting({hook: values}, [hook], 4.0).tolist() == [
        [False, True, True, True, True],
        [False, True, True, False, True],
    ]


def test_neighbours_are_residual_dictionaries_in_a_row_and_the_modules_between() -> None:
    def hooks(*names: str) -> list[Hook]:
        return [parse_hook(name, N_LAYERS) for name in names]

    first, mlp, last = hooks(A, "blocks.1.hook_mlp_out", B)
    assert neighbours([first, mlp, last]) == [(first, last), (mlp, last)]
    assert neighbours([last, first]) == [(first, last)]
    early, late = hooks("blocks.0.hook_mlp_out", "blocks.2.hook_mlp_out")
    assert neighbours([early, late]) == [(early, late)]


def test_dictionaries_of_other_widths_of_the_stream_are_refused() -> None:
    other = open_dictionary(random_sae("jumprelu", B, d_in=8), parse_hook(B, N_LAYERS), "other", "")
    with pytest.raises(ModelError, match="what one writes is 24 wide, the other's 8; match dictionaries of one model"):
        check_comparable(dictionary("jumprelu"), other)


# Transcoders, which write to the stream as autoencoders do, and read something else.


def transcoder(layer: int, seed: int = 0, reads: str = "ln2.hook_normalized", d_in: int = D_MODEL) -> Dictionary:
    reads, writes = f"blocks.{layer}.{reads}", f"blocks.{layer}.hook_mlp_out"
    sae = random_transcoder("jumprelu_transcoder", reads, writes, d_in, seed=seed)
    hook = parse_hook(writes, N_LAYERS)
    return open_dictionary(sae, hook, f"transcoder {layer}", "", parse_mlp_input(reads, hook))


@pytest.mark.parametrize(("reads", "alike"), [("ln2.hook_normalized", True), ("mlp.hook_in", False)])
def test_transcoders_that_read_alike_match_by_encoder_too_and_others_by_decoder(reads: str, alike: bool) -> None:
    a, b = transcoder(0), transcoder(2, 1, reads)
    found = sae_match(a, b)

    def weights(one: Dictionary) -> Tensor:
        assert isinstance(one.activation, JumpReLU)
        scale = one.activation.threshold[:, None]
        encoder = [one.W_enc.T / scale, one.activation.bias[:, None] / scale]
        return torch.cat([one.W_dec * scale, *(encoder if alike else [])], dim=1).double()

    cost = torch.cdist(weights(a), weights(b)).square().numpy()
    rows, columns = linear_sum_assignment(cost)
    assert cost[found.source.numpy(), found.target.numpy()].sum() == pytest.approx(cost[rows, columns].sum(), rel=1e-4)


def test_a_transcoder_and_an_autoencoder_match_by_decoder_whatever_is_read() -> None:
    narrow, wide = transcoder(0, d_in=8), dictionary("jumprelu", B, 1)
    check_comparable(narrow, wide)
    assert distances(narrow, wide)[0].shape == (40, 40)
    with pytest.raises(ModelError, match="what one reads is 8 wide, the other's 24; match dictionaries of one model"):
        check_comparable(narrow, transcoder(2))


def test_switching_off_a_transcoders_feature_takes_it_from_what_it_writes(tmp_path: Path) -> None:
    model = open_model(str(save_model(tmp_path / "model")))
    a, b = transcoder(0), transcoder(2, 1)
    tokens = torch.arange(8)[None] + 2
    with step("reading") as bar:
        values = read(model, Corpus(tokens), [*places([a, b]), start_of(a.hook)], 1, bar)
    activity = Activity(values, torch.ones(tokens.shape).bool())
    p = 5
    before, f = b.encode(values[b.reads])[0, p], a.encode(values[a.reads])[0, p]
    pairs = torch.tensor([[int(f.argmax()), int(target)] for target in before.nonzero().flatten()])
    with step("switching off") as bar:
        found = deactivate(model, a, b, activity, pairs, Trials(pairs[:1, 0], *torch.tensor([[0], [p]])), 4, 0, bar)
    kept: list[Tensor] = []

    def off(y: Tensor) -> Tensor:
        y = y.clone()
        y[0, p] -= f.max() * a.W_dec[f.argmax()]
        return y

    def keep(x: Tensor) -> Tensor:
        kept.append(x)
        return x

    with torch.no_grad():
        model.run(model.embed(tokens), 0, 3, {a.hook: off, b.reads: keep})
    after = b.encode(kept[0])[0, p]
    wanted = ((before - after) / before)[pairs[:, 1]]
    assert float(wanted.abs().max()) > 0.01
    torch.testing.assert_close(found.fall.float(), wanted, rtol=1e-3, atol=1e-3)
