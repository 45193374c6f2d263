"""Tensors on their way from a device: the right ones, after they were computed, and few at a time."""

from contextlib import nullcontext
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch

from denoscope.core.condition import Condition
from denoscope.core.sample import Sample
from denoscope.models import reading
from denoscope.models.base import Model
from denoscope.models.copying import Copies, Landing, sent


class Stream:
    """A stream of copies that keeps account of what it was told, standing in for one of CUDA."""

    device = torch.device("cpu")

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def wait_stream(self, other: Any) -> None:
        """Copies begin after what was computed."""
        self.log.append(f"after {other}")

    def record_event(self) -> Any:
        """The end of the copies so far."""
        self.log.append("event")
        return self

    def synchronize(self) -> None:
        """Somebody waits for that end."""
        self.log.append("waited")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told to a stream; torch's calls for one do nothing here."""
    told: list[str] = []
    empty = torch.empty_like
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "compute")
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch, "empty_like", lambda value, device, pin_memory: empty(value, device=device))
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: told.append("kept"))
    return told


def test_a_copy_follows_what_was_computed_and_is_waited_for(log: list[str]) -> None:
    """The stream waits for the passes, memory is kept until it was copied, and nobody reads before the event."""
    landing = Landing({"up": torch.arange(6.0).reshape(2, 3)}, Stream(log))
    assert log == ["after compute", "kept", "event"]
    assert landing.values()["up"].tolist() == [[0, 1, 2], [3, 4, 5]] and log[-1] == "waited"
    landing.values()
    assert log.count("waited") == 1


def test_few_copies_are_under_way(log: list[str]) -> None:
    """With three asked for and two allowed, the oldest is waited for, and it alone."""
    copies = Copies(torch.device("cpu"), 2)
    copies._stream = Stream(log)
    found = [copies({"up": torch.full((2,), float(number))}) for number in range(3)]
    assert log.count("waited") == 1
    assert [landing.values()["up"][0].item() for landing in found] == [0, 1, 2] and log.count("waited") == 3


def test_a_batch_begun_ahead_is_the_same(sd15: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bitwise, in the same order, and one batch is begun before the one before is handed over."""
    rng = np.random.default_rng(0)
    samples = [Sample(str(n), rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for n in range(5)]
    asked = ["mid", "up.1"], [Condition(timestep=50), Condition(timestep=400, prompt="a cat")]
    plain = list(sd15.stream(samples, *asked, batch_size=4))
    monkeypatch.setattr(reading, "_AHEAD", {"cpu": 1})
    taken: list[str] = []
    coming = sd15.stream((taken.append(one.id) or one for one in samples), *asked, batch_size=4)
    ahead = [next(coming)]
    assert taken == ["0", "1", "2", "3"]
    ahead += list(coming)
    assert [[one.ids for one in group] for group in ahead] == [[one.ids for one in group] for group in plain]
    for mine, theirs in zip(chain(*ahead), chain(*plain), strict=True):
        assert torch.equal(torch.as_tensor(mine.values), torch.as_tensor(theirs.values))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_copies_beside_its_work() -> None:
    """Values that are overwritten right after the copy was asked for arrive as they were; strides are kept."""
    device = torch.device("cuda")
    copies = Copies(device)
    value = torch.rand(8, 64, 128, 128, device=device).to(memory_format=torch.channels_last)
    before = value.cpu()
    landing = copies({"up": value.clone()})
    value.zero_()
    assert torch.equal(landing.values()["up"], before) and landing.values()["up"].stride() == before.stride()
    assert torch.equal(sent(before, device).cpu(), before)
