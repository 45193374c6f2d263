"""What stands beside a dictionary has its size, and none of its kind."""

import numpy as np
import pytest

from denoscope.core.errors import UnknownName
from denoscope.dictionaries.itda import ITDA, RandomCells
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rivals import rivals, usual_rivals

X = (np.random.default_rng(0).normal(size=(300, 10)) * np.linspace(2, 0.5, 10) + 4).astype(np.float32)


def test_rivals_have_the_size_of_what_they_stand_beside():
    """As many atoms and codes; channels are all of them; its own kind is left out."""
    made = ITDA(atoms=20, k=3, cells=300, device="cpu").fit([X])
    found = rivals(made, ("itda", "itda-random", "random", "kmeans", "nmf", "neurons", "neurons"), [X])
    assert list(found) == [
        "cells by chance",
        "random directions",
        "20 centres",
        "20 non-negative parts",
        "single channels",
    ]
    assert [len(one.atoms) for one in found.values()] == [20, 20, 20, 20, 10]
    for name in ("cells by chance", "random directions", "single channels"):
        assert np.count_nonzero(found[name].encode(X), axis=1).max() == 3


def test_few_are_usual():
    """Pursuits stand beside a pursuit only; nothing beside itself."""
    assert usual_rivals(PCA()) == ("neurons",)
    assert usual_rivals(ITDA()) == ("neurons", "itda-random")
    assert usual_rivals(RandomCells()) == ("neurons",)
    with pytest.raises(UnknownName, match="did you mean kmeans"):
        rivals(PCA(atoms=2).fit([X]), ("kmean",), [X])
