"""The shuffle buffer gives every row once, holds no more than it may, and mixes as its size allows."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.dictionaries.rows import PLACE, Rows, rebatched
from denoscope.dictionaries.shuffle import Mixing, room_for, same_pairs, shuffled


def block(image: int, cells: int, channels: int = 3) -> Rows:
    """Rows that know their image and their number."""
    places = np.empty(cells, dtype=PLACE)
    places["sample"], places["cell"] = f"image-{image}", np.arange(cells)
    values = np.full((cells, channels), image, dtype=np.float32)
    values[:, 0] = np.arange(cells)
    return Rows(values, np.full(cells, image, dtype=np.float32), None, places)


def megabytes(rows: int) -> float:
    """A buffer for so many rows of `block`."""
    return rows * (3 * 4 + 4 + 16) / 2**20 + 1e-9


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(2, 60), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_every_row_comes_once_with_all_that_belongs_to_it(cells, room, seed):
    """Whatever the sizes of blocks and buffer; equal seeds give equal orders."""
    blocks = [block(image, count) for image, count in enumerate(cells)]
    orders = [list(shuffled(blocks, megabytes(room), np.random.default_rng(seed))) for _ in range(2)]
    told = [[(row["sample"], row["cell"]) for rows in order for row in rows.places] for order in orders]
    assert told[0] == told[1]
    assert sorted(told[0]) == sorted((f"image-{i}", c) for i, count in enumerate(cells) for c in range(count))
    for rows in orders[0]:
        assert (rows.values[:, 0] == rows.places["cell"]).all()
        assert (rows.timesteps == rows.values[:, 1]).all()


def test_the_buffer_never_holds_more_than_it_may():
    """What was read and not yet given fits into it, whatever comes; and half of it is kept when it gives."""
    read, given_away, most = 0, 0, 0

    def source():
        nonlocal read
        for image in range(200):
            read += 10
            yield block(image, 10)

    for rows in shuffled(source(), megabytes(120), np.random.default_rng(0)):
        most = max(most, read - given_away)
        given_away += len(rows)
        if read < 2000:
            assert len(rows) == 60
    assert given_away == 2000
    assert most == 120
    assert room_for(block(0, 10), 1.0) == 2**20 // 32
    small = shuffled((block(image, 10) for image in range(9)), 1e9, np.random.default_rng(0), most=40)
    assert sum(map(len, small)) == 90  # a buffer of 10^9 MB for 40 rows is one of 40 rows, and 90 pass it all the same
    with pytest.raises(InputError, match="above 0"):
        list(shuffled([block(0, 3)], 0.0, np.random.default_rng(0)))
    with pytest.raises(InputError, match="differ"):
        list(shuffled([block(0, 3), Rows(np.zeros((3, 3), np.float32))], 1.0, np.random.default_rng(0)))


def test_an_order_is_as_random_as_a_permutation_where_all_fits():
    """Each row is as likely at each place: chi-square over a small stream."""
    counts, draws = np.zeros((6, 6)), 3000
    for seed in range(draws):
        rows = next(shuffled([block(0, 6)], megabytes(7), np.random.default_rng(seed)))
        counts[np.arange(6), rows.places["cell"]] += 1
    chi = ((counts - draws / 6) ** 2 / (draws / 6)).sum()
    assert chi < 52  # 25 degrees of freedom, p = 0.001


def test_mixing_is_the_share_of_pairs_of_one_image():
    """By its formula; that of one heap for a large buffer, that of single images without one, between them for less."""
    names = ["a", "a", "b", "c", "c", "c"]
    pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
    assert same_pairs(names) == sum(names[i] == names[j] for i, j in pairs) / len(pairs)
    found = []
    for room in (2, 600, 20_000):
        mixing = Mixing(50)
        stream = shuffled((block(image, 100) for image in range(120)), megabytes(room), np.random.default_rng(1))
        for rows in stream:
            mixing.see(rows)
        assert mixing.share is not None and mixing.share.n == 240
        found.append(mixing.share)
    heap = 99 / (120 * 100 - 1)
    assert found[0].value > 0.95
    assert found[2].low <= heap <= found[2].high
    assert all(one.low > other.high for one, other in pairwise(found))
    assert Mixing(50).share is None
    assert len(list(rebatched(shuffled([block(0, 100)], 1.0, np.random.default_rng(0)), 100, 50))) == 2
