"""Shares of influence, and the running sums that attribution graphs say."""

from itertools import accumulate
from math import isclose
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.attribution_graph.influence import is_running, running_sums, shares
from tests.ingest.formats.graphs import RUNNING

SHARES = st.none() | st.just(0.0) | st.floats(0, 1)


@given(st.lists(RUNNING))
def test_shares_of_the_running_sums_of_shares_are_the_shares(said: list[float | None]) -> None:
    found = shares(said)
    sums = running_sums(found)
    assert is_running(sums)
    assert shares(sums) == found


@given(st.lists(RUNNING))
def test_no_share_is_larger_than_that_of_a_node_before_it_and_all_are_at_most_one(said: list[float | None]) -> None:
    found = shares(said)
    assert [share is None for share in found] == [value is None for value in said]
    known = [(c, share) for c, share in zip(said, found, strict=True) if c is not None and share is not None]
    kept = [share for _, share in sorted(known, key=lambda pair: pair[0]) if share]
    assert kept == sorted(kept, reverse=True)
    total = sum(share for _, share in known)
    assert total <= max((c for c, _ in known), default=0.0) + 2**-40
    assert total == sum(share for _, share in reversed(known))


@given(st.lists(RUNNING), st.randoms())
def test_shares_do_not_depend_on_the_order_of_nodes(said: list[float | None], random: Random) -> None:
    numbers = list(range(len(said)))
    random.shuffle(numbers)
    found = shares(said)
    assert shares([said[number] for number in numbers]) == [found[number] for number in numbers]


@given(st.lists(st.floats(1e-9, 1)))
def test_running_sums_are_of_the_largest_first_over_what_exceeds_one(given_: list[float]) -> None:
    order = sorted(range(len(given_)), key=lambda number: -given_[number])
    total = max(1.0, sum(given_))
    found = running_sums(given_)
    for number, expected in zip(order, accumulate(given_[number] / total for number in order), strict=True):
        assert isclose(found[number] or 0.0, expected, abs_tol=len(given_) * 2**-40)


@given(st.lists(SHARES))
def test_any_shares_keep_their_order_and_zeros_stay_zeros(given_: list[float | None]) -> None:
    sums = running_sums(given_)
    assert is_running(sums)
    pairs = zip(given_, shares(sums), strict=True)
    known = [(before, after) for before, after in pairs if before is not None and after is not None]
    assert all(after == 0 for before, after in known if before == 0)
    in_order = [after for _, after in sorted(known, key=lambda pair: -pair[0])]
    assert in_order == sorted(in_order, reverse=True)
    assert shares(running_sums(shares(sums))) == shares(sums)


def test_what_a_pruned_node_had_does_not_count_for_the_next() -> None:
    assert shares([0.5, 0.75, 1.0, None, 0.8125]) == [0.5, 0.25, 0.0625, None, 0.0625]


def test_nodes_that_tie_have_equal_parts() -> None:
    assert shares([0.75, 0.5, 0.75]) == [0.125, 0.5, 0.125]


def test_it_undoes_what_circuit_tracer_does() -> None:
    influence = np.random.default_rng(0).exponential(size=500).astype(np.float32)
    order = np.argsort(-influence)
    sums = np.empty_like(influence)
    sums[order] = np.cumsum(influence[order]) / influence.sum()
    found = shares([float(value) for value in sums])
    assert np.allclose(np.array(found, float), influence / influence.sum(), atol=1e-6)


@pytest.mark.parametrize("said", [[0.5, 0.0], [1.1, 0.5], [-0.1], [0.2, None, 7.0]])
def test_other_numbers_are_no_running_sums(said: list[float | None]) -> None:
    assert not is_running(said)


def test_numbers_below_zero_are_no_shares() -> None:
    assert running_sums([0.5, None, -0.25]) == [0.5, None, -0.25]
