"""A pass over a store is the same to the bit in one process and on a cluster, whatever comes first."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.errors import InputError
from denoscope.dictionaries.topk import TopK
from denoscope.evaluate.knowing import reopened
from denoscope.interpret import walking
from denoscope.interpret.coding import source_of
from denoscope.interpret.locating import located
from denoscope.interpret.observing import observed
from denoscope.interpret.passes import Passes
from denoscope.interpret.published import Enough
from denoscope.interpret.walking import Source
from denoscope.measures.atlas import Atlas
from denoscope.pool import Pool
from inlined import inlined
from squares import THINGS, dictionary, samples, stored

ARRAYS = ("cells", "images", "active_cells", "active_images", "total", "squares", "_moments", "codes", "numbers",
          "places")  # fmt: skip


def nothing(count: int) -> None:
    """Is told of images."""


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks of few images."""
    monkeypatch.setattr(walking, "_BLOCK", 16)


def test_a_pass_is_the_same_on_a_cluster(tmp_path: Path, small_blocks: None, monkeypatch: Any) -> None:
    """What atoms did, where they are active, and what is strong enough, to the bit, with blocks done in any order."""
    source = source_of(stored(tmp_path / "s", 3.0), made := dictionary())
    reader, numbers = reopened(source.volume, samples(), "nothing"), inlined(monkeypatch)
    alone, pooled = Passes(source, reader), Passes(source, reader, samples(), Pool(workers=2))
    one, other = (observed(passes, made, 6, nothing) for passes in (alone, pooled))
    assert numbers == list(range(len(source.blocks))) and len(numbers) > 2
    for name in ARRAYS:
        assert np.array_equal(getattr(one.atlas, name), getattr(other.atlas, name)), name
    assert np.array_equal(one.strengths, other.strengths) and np.array_equal(one.where, other.where)
    words, tested = dict(enumerate(THINGS)), source.halves() == 1
    here, there = (located(passes, made, words, tested, nothing) for passes in (alone, pooled))
    assert list(here) == list(there) == [0, 1, 2]
    assert all(np.array_equal(a, b) for atom in here for a, b in zip(here[atom], there[atom], strict=True))
    step = Enough(len(made.atoms), 1.0, 4)
    parts = zip(alone.parts(made, step, nothing), pooled.parts(made, step, nothing), strict=True)
    assert all(np.array_equal(a.codes, b.codes) and np.array_equal(a.total, b.total) for a, b in parts)


def test_an_atlas_of_blocks_is_that_of_all_images(tmp_path: Path, small_blocks: None) -> None:
    """Counts exactly, sums to rounding, and the same images on top as of one atlas of every image in turn."""
    source = source_of(stored(tmp_path / "s", 3.0), made := dictionary())
    reader = reopened(source.volume, samples(), "nothing")
    assert sum(len(block) for block in source.blocks) == len(source.names) and len(source.blocks) > 2
    whole, told = Atlas(len(made.atoms), 6), list[int]()
    for image in source.coded(made):
        whole.add(image.number, image.codes, image.where)
    found = observed(Passes(source, reader), made, 6, told.append).atlas
    assert sum(told) == len(source.names) == found.images
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(found, name), getattr(whole, name), rtol=1e-12)
    assert np.array_equal(found.numbers, whole.numbers) and np.array_equal(found.active_cells, whole.active_cells)


def test_blocks_lie_on_one_canvas_and_chosen_images_are_read_alone(tmp_path: Path, monkeypatch: Any) -> None:
    """Pictures of two sizes make blocks of their own; images by number are those of a whole pass."""
    monkeypatch.setattr(walking, "_BLOCK", 3)
    rng = np.random.default_rng(0)
    shapes = [(64, 64, 3), (64, 96, 3)]
    pictures = [ds.Sample(f"p{i}", rng.integers(0, 255, shapes[i % 2], dtype=np.uint8)) for i in range(10)]
    canvas = ds.Canvas(policy="keep", size=64)
    store = ds.extract("toy-sd15", pictures, "mid", 50, out=tmp_path, canvas=canvas, shard_size=6, progress=False)
    made = TopK(atoms=2, k=1)
    drawn = rng.normal(size=(2, store.volumes[0].read(store.sites[0], store.conditions[0], np.arange(1)).shape[1]))
    made.weights = {"atoms": drawn, "encoder": drawn, "bias": np.zeros(drawn.shape[1], np.float32)}
    source = Source(store.volumes[0], store.sites[0], store.conditions[0])
    groups = source.volume.table.groups
    assert sorted(len(block) for block in source.blocks) == [2, 2, 3, 3]
    assert all(len(set(groups[block])) == 1 for block in source.blocks)
    every = {image.number: image for image in source.coded(made)}
    some = {image.number: image for image in source.coded(made, [3, 8])}
    assert sorted(every) == list(range(10)) and sorted(some) == [3, 8]
    assert all(np.array_equal(every[n].codes, some[n].codes) and every[n].name == some[n].name for n in some)
    assert all(every[n].name == source.names[n] and len(every[n].codes) == len(every[n].cells) for n in every)


def test_a_node_without_the_store_is_told(tmp_path: Path, small_blocks: None, monkeypatch: Any) -> None:
    """A folder that another machine does not have."""
    inlined(monkeypatch)
    store = stored(tmp_path / "s", 3.0)
    source = source_of(store, made := dictionary())
    passes = Passes(source, reopened(source.volume, samples(), "nothing"), None, Pool(workers=1))
    (tmp_path / "s").rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"a node does not see .*a folder that all nodes share"):
        observed(passes, made, 6, nothing)
