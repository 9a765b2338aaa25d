"""The registry of sources and the seeded sample that every one can be limited to."""

from importlib import import_module
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.data.sources import photographs, sample
from photochrom.data.splits import split_of
from photochrom.params.data import Source, SplitParams

IDS = [f"photograph-{number}" for number in range(500)]


@pytest.mark.parametrize("name", get_args(Source))
def test_every_source_of_params_has_its_module(name):
    assert callable(import_module(f"photochrom.data.sources.{name}").photographs)


@given(st.permutations(IDS[:30]), st.integers(0, 40), st.integers(0, 3))
def test_the_sample_does_not_depend_on_the_order(ids, size, seed):
    assert sample(ids, size, seed) == sample(IDS[:30], size, seed)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 3))
def test_a_larger_sample_contains_a_smaller_one(one, other, seed):
    small, large = sorted((one, other))
    assert len(sample(IDS, large, seed)) == large
    assert sample(IDS, small, seed) <= sample(IDS, large, seed)


def test_one_more_photograph_displaces_one_at_most():
    before = sample(IDS[:-1], 100, 0)
    assert len(before - sample(IDS, 100, 0)) <= 1


def test_another_seed_takes_other_photographs():
    assert len(sample(IDS, 100, 0) & sample(IDS, 100, 1)) < 50


def test_the_limit_holds_for_the_embedded_photographs(data_params, tmp_path):
    def ids(**values):
        return [found.id for found in photographs(data_params("samples", **values), tmp_path)]

    everything = ids()
    assert len(ids(limit=10)) == 10
    assert ids(limit=10) == ids(limit=10)
    assert ids(limit=10) == [name for name in everything if name in set(ids(limit=10))]
    assert ids(limit=1000) == everything
    assert ids(limit=10) != ids(limit=10, seed=1)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_sample_is_of_all_splits(seed):
    """Sample and splits each go by a hash; were it the same, a sample would be all test."""
    split = SplitParams(test=0.2, validation=0.1, seed=seed, own=False)
    found = [split_of(name, split) for name in sample(IDS, 100, seed)]
    assert 5 < found.count("test") < 40
    assert found.count("train") > 50
