"""Several processes of one launcher divide pieces of work without a word to one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import InputError
from denoscope.core.rank import Rank, rank


@given(st.integers(1, 9), st.integers(0, 40))
def test_every_process_tries_every_piece_once(count: int, pieces: int) -> None:
    """Own pieces come first, and those of all processes together are all pieces, each once."""
    orders = [Rank(number, count).order(pieces) for number in range(count)]
    assert all(sorted(order) == list(range(pieces)) for order in orders)
    own = [piece for number, order in enumerate(orders) for piece in order[: len(range(number, pieces, count))]]
    assert sorted(own) == list(range(pieces))


def test_what_launchers_say() -> None:
    """All three numbers, no local one, nothing at all, and nonsense, which is told in one line."""
    assert rank({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}) == Rank(3, 4, 1)
    assert rank({"RANK": "3", "WORLD_SIZE": "4"}) == Rank(3, 4, 3)
    assert rank({"WORLD_SIZE": "4"}) == rank({}) == Rank()
    assert rank({}).first and rank({}).alone and not Rank(1, 2, 1).first
    for wrong in ({"RANK": "x", "WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}):
        with pytest.raises(InputError, match="a launcher says RANK="):
            rank(wrong)
