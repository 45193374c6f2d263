"""Similarity measures: each equals its formula written out in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.registry import measures
from denoscope.core.site import Site
from denoscope.measures import similarity


def _cosine(a: list[float], b: list[float]) -> float:
    length = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / length if length else 0.0


BRUTE = {
    "cosine": _cosine,
    "dot": lambda a, b: sum(x * y for x, y in zip(a, b, strict=True)),
    "l2": lambda a, b: math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))),
    "l1": lambda a, b: sum(abs(x - y) for x, y in zip(a, b, strict=True)),
    "linf": lambda a, b: max(abs(x - y) for x, y in zip(a, b, strict=True)),
}

_numbers = st.integers(-40, 40).map(lambda n: n / 8)
_pairs = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, (size[0], size[2]), elements=_numbers),
        arrays(np.float64, (size[1], size[2]), elements=_numbers),
    )
)


@pytest.mark.parametrize("name", BRUTE)
@given(pair=_pairs)
def test_equals_its_formula(name: str, pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Zero vectors and single channels too."""
    query, keys = pair
    expected = [[BRUTE[name](list(a), list(b)) for b in keys] for a in query]
    np.testing.assert_allclose(measures.get(name)(query, keys), expected, atol=1e-12)


@given(pair=_pairs)
def test_centred_cosine_is_the_cosine_of_what_is_left(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """With the keys' mean by default and with the one that is given otherwise."""
    query, keys = pair
    for mean, said in ((keys.mean(axis=0), None), (query[0], query[0])):
        expected = similarity.cosine(query - mean, keys - mean)
        np.testing.assert_allclose(similarity.centred_cosine(query, keys, said), expected, atol=1e-12)


@pytest.mark.parametrize("name", [entry.name for entry in measures if "better" in entry.facts])
def test_one_query_is_a_row_of_many(name: str) -> None:
    """A single vector gives one row, in float32, however many blocks the keys need."""
    rng = np.random.default_rng(0)
    query, keys = rng.normal(size=(3, 2**12)).astype(np.float32), rng.normal(size=(1500, 2**12)).astype(np.float32)
    measure = measures.get(name)
    assert measure(query, keys).dtype == np.float32
    np.testing.assert_allclose(measure(query[1], keys), measure(query, keys)[1], rtol=1e-5, atol=1e-4)


def test_wrong_shapes_are_named() -> None:
    """The message shows both shapes."""
    with pytest.raises(InputError, match=r"\(4,\).*\(2, 3\)"):
        similarity.cosine(np.zeros(4), np.zeros((2, 3)))


def _activations(samples: int, seed: int) -> Activations:
    values = np.random.default_rng(seed).normal(size=(samples, 5, 2, 4)).astype(np.float32)
    frame = Frame(16, 16, 32, 16, offset_x=8)
    ids = tuple(f"s{i}" for i in range(samples))
    condition = Condition(timestep=50)
    return Activations(Site("mid"), condition, values, ids, "grid", (frame,) * samples, Grid(2, 4, 8.0))


def test_map_of_one_cell_in_other_images() -> None:
    """The map holds the cosine with each cell of each target, in its place, and NaN on padding."""
    source, target = _activations(2, 0), _activations(3, 1)
    found = similarity.similarity_map(source, 1, (0, 2), target)
    assert found.shape == (3, 2, 4)
    expected = _cosine(source.values[1, :, 0, 2].tolist(), target.values[2, :, 1, 1].tolist())
    assert found[2, 1, 1] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[:, :, [0, 3]]).all() and not np.isnan(found[:, :, 1:3]).any()


def test_a_cell_is_most_like_itself() -> None:
    """Within one image the map is 1 at the query."""
    found = similarity.similarity_map(_activations(2, 0), 0, (1, 1))
    assert found[0, 1, 1] == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(InputError, match="outside the grid of 2 x 4"):
        similarity.similarity_map(_activations(2, 0), 0, (2, 0))
