"""Every registered data set that needs no argument: samples with unique ids, RGB pixels and a stable fingerprint."""

import numpy as np
import pytest

from denoscope.core.registry import data
from denoscope.core.sample import fingerprint
from denoscope.data.base import open_data

NAMES = [entry.name for entry in data if entry.name != "folder"]


def test_every_entry_is_told() -> None:
    """One line each."""
    assert all(entry.summary for entry in data)


@pytest.mark.parametrize("name", NAMES)
def test_samples_hold_what_a_sample_is(name: str) -> None:
    """The same pictures under the same ids, however often the data set is opened."""
    samples, again = open_data(name, 4), open_data(name, 4)
    read = [samples[index] for index in range(len(samples))]
    assert len({sample.id for sample in read}) == len(read)
    for sample, twin in zip(read, (again[index] for index in range(len(again))), strict=True):
        assert sample.image.dtype == np.uint8 and sample.image.ndim == 3 and sample.image.shape[2] == 3
        assert sample.id == twin.id and np.array_equal(sample.image, twin.image)
    assert fingerprint(samples) == fingerprint(again)
