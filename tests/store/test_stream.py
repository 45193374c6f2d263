"""Streaming what is stored."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.extract import extract
from denoscope.store import Keep, Store, stream
from fakes import FakeModel, Pictures

SIZES = ((16, 16), (24, 40), (9, 16))
T50 = Condition(timestep=50)
seeds = st.one_of(st.none(), st.integers(0, 5))


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Thirty samples of three sizes."""
    folder = tmp_path_factory.mktemp("stream")
    data = Pictures(30, SIZES)
    return extract(FakeModel(), data, "mid", 50, out=folder, keep=Keep(dtype="fp32"), shard_size=4, progress=False)


@given(st.integers(1, 40), seeds, st.integers(1, 4000))
@settings(deadline=None, max_examples=40)
def test_every_row_once(store, size, seed, window):
    """Any batch size, seed and memory window gives each sample exactly once, with its own values, on one grid."""
    seen = []
    for batch in stream.batches(store.volumes[0], store.sites[0], T50, size, seed, window):
        assert 1 <= len(batch) <= size and len({frame.canvas_width for frame in batch.frames}) == 1
        np.testing.assert_array_equal(batch.values, store.get("mid", ids=batch.ids).values)
        seen += batch.ids
    assert sorted(seen) == sorted(store.ids)


def test_a_seed_is_an_order(store):
    """Equal seeds give equal orders, different seeds different ones, and no seed the order of the data."""
    orders = {seed: [name for b in store.batches(size=4, shuffle_seed=seed) for name in b.ids] for seed in (None, 0, 1)}
    again = [name for batch in store.batches(size=4, shuffle_seed=1) for name in batch.ids]
    assert again == orders[1] != orders[0]
    numbers = [int(name.split("-")[1]) for name in orders[None]]
    assert all(a < b for a, b in pairwise(numbers[:10]))


@given(st.integers(1, 200), seeds, st.integers(100, 4000))
@settings(deadline=None, max_examples=30)
def test_every_cell_on_an_image_once(store, size, seed, window):
    """Vectors for dictionaries: all cells that lie on images and no padding, in full batches but the last."""
    pieces = list(stream.vectors(store.volumes[0], store.sites[0], T50, size, seed, window))
    assert all(len(piece) == size for piece in pieces[:-1])
    wanted = []
    for name in store.ids:
        one = store.get("mid", ids=[name])
        wanted.append(one.tokens().values[0][one.mask.reshape(-1)])
    order = np.lexsort(np.concatenate(wanted).T)
    found = np.concatenate(pieces)
    np.testing.assert_array_equal(found[np.lexsort(found.T)], np.concatenate(wanted)[order])


def test_size_must_be_positive(store):
    """A batch size of 0 is an error and not an endless loop."""
    with pytest.raises(InputError, match="at least 1"):
        next(store.batches(size=0))
