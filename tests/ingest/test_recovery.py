"""How much is recovered, how sure that is, and areas under curves, against closed forms."""

import numpy as np
import pytest
import torch

from ingest.recovery import areas, recovery, share_recovered


def test_faithfulness_is_one_for_the_model_zero_for_nothing_and_undefined_where_they_are_equal() -> None:
    assert share_recovered(3.0, 1.0, 3.0) == 1
    assert share_recovered(1.0, 1.0, 3.0) == 0
    assert share_recovered(2.0, 1.0, 1.0) is None
    assert share_recovered(2.0, 1.0, 1.0 + 1e-9) is None


def test_a_circuit_that_does_the_same_share_in_every_pair_is_sure_of_it() -> None:
    empty, full = torch.tensor([0.0, 1.0, -1.0, 0.5]), torch.tensor([4.0, 2.0, 3.0, -1.0])
    found = recovery(empty + 0.75 * (full - empty), empty, full)
    assert found.share == pytest.approx(0.75)
    assert found.low == pytest.approx(0.75)
    assert found.high == pytest.approx(0.75)


def test_the_interval_is_that_of_the_mean_where_all_pairs_recover_alike() -> None:
    """With equal denominators F is a mean over pairs, whose interval is known."""
    noise = torch.from_numpy(np.random.default_rng(1).normal(0, 1, 400)).float()
    found = recovery(1 + noise, torch.zeros(400), torch.ones(400))
    error = float(noise.std()) / 400**0.5
    assert found.low == pytest.approx(1 + float(noise.mean()) - 1.96 * error, abs=0.3 * error)
    assert found.high == pytest.approx(1 + float(noise.mean()) + 1.96 * error, abs=0.3 * error)


def test_what_varies_by_rounding_alone_has_no_correlation() -> None:
    """Where all is ablated every pair ends alike, but for the last bits of its logits."""
    full, rounding = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0, 3e-6, -2e-6, 1e-6])
    empty = 0.066 + rounding
    assert recovery(empty, empty, full).correlation is None
    assert recovery(empty + 0.01 * full, empty, full).correlation == pytest.approx(1.0, abs=1e-4)


def test_a_mean_that_hides_wrong_pairs_is_found_out() -> None:
    full = torch.tensor([1.0, 2.0, 3.0, 4.0])
    found = recovery(torch.tensor([4.0, -3.0, -2.0, 11.0]), torch.zeros(4), full)
    assert found.share == pytest.approx(1.0)
    assert found.sign_agreement == 0.5
    assert found.correlation == pytest.approx(np.corrcoef([4, -3, -2, 11], [1, 2, 3, 4])[0, 1])


def test_a_circuit_that_is_right_where_the_model_is_wrong_has_the_accuracy_and_not_the_models_sign() -> None:
    found = recovery(torch.ones(4), torch.zeros(4), torch.tensor([3.0, 3.0, 3.0, -1.0]))
    assert (found.sign_agreement, found.accuracy) == (0.75, 1.0)


def test_what_can_not_be_said_is_left_open() -> None:
    same = torch.ones(5)
    found = recovery(torch.arange(5.0), same, same)
    assert (found.share, found.low, found.high, found.correlation) == (None, None, None, None)


def test_areas_of_lines_are_known() -> None:
    assert areas([0.0, 0.5, 1.0], [0.0, 0.5, 1.0]) == (0.5, 0.5)
    assert areas([0.0, 1.0], [1.0, 1.0]) == (1.0, 0.0)
