"""A model and data sets without weights: their values are a function of sample id, site, condition and draw alone."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import unknown
from denoscope.core.frame import Frame, Grid
from denoscope.core.sample import Sample
from denoscope.core.site import Site


@dataclass(frozen=True)
class FakeCanvas:
    """Sides are rounded up to a multiple."""

    multiple: int = 8


STRIDES = {"mid": 8, "up.1": 4, "up.3": 2}


class FakeModel:
    """Three grid sites with strides 8, 4, 2 and one text site; `delay` seconds per batch."""

    def __init__(self, channels: int = 4, dtype: torch.dtype = torch.float32, delay: float = 0.0) -> None:
        self.channels, self.dtype, self.delay = channels, dtype, delay
        self.seen: list[str] = []

    @property
    def recipe(self) -> dict:
        """What identifies it."""
        return {"fake": 1, "channels": self.channels, "dtype": str(self.dtype)}

    def canvas(self, canvas: FakeCanvas | None = None) -> FakeCanvas:
        """Its size policy."""
        return canvas or FakeCanvas()

    def select(self, sites: str | Sequence[str]) -> list[Site]:
        """Its sites; `*` is every grid."""
        names = [*STRIDES, "txt"]
        asked = [sites] if isinstance(sites, str) else [str(site) for site in sites]
        for name in asked:
            if name not in names and name != "*":
                raise unknown("site", name, names, "model.sites")
        return [Site(name) for name in names if name in asked or ("*" in asked and name != "txt")]

    def stream(self, samples, sites, conditions, *, canvas=None, batch_size=None) -> Iterator[list[Activations]]:
        """As a real model: a few samples of one size at a time, sizes in an order of its own."""
        samples = list(samples)
        frames = {sample.id: frame_of(sample, canvas.multiple) for sample in samples}
        buckets: dict[tuple[int, int], list[Sample]] = {}
        for sample in samples:
            frame = frames[sample.id]
            buckets.setdefault((frame.canvas_width, frame.canvas_height), []).append(sample)
        for bucket in reversed(buckets.values()):
            for start in range(0, len(bucket), batch_size or 3):
                batch = bucket[start : start + (batch_size or 3)]
                self.seen += [sample.id for sample in batch]
                time.sleep(self.delay)
                yield [self.values(batch, frames, site, c) for c in conditions for site in sites]

    def values(self, batch, frames, site: Site, condition: Condition) -> Activations:
        """One record, the draws outermost on purpose."""
        draws = condition.draws if condition.reduce == "all" else 1
        pairs = [(sample.id, draw) for draw in range(draws) for sample in batch]
        rows = [self.value(name, draw, frames[name], site, condition) for name, draw in pairs]
        stride, frame = STRIDES.get(site.name), frames[batch[0].id]
        grid = Grid(frame.canvas_height // stride, frame.canvas_width // stride, float(stride)) if stride else None
        return Activations(
            site, condition, torch.stack(rows).to(self.dtype), tuple(name for name, _ in pairs),
            "grid" if grid else "tokens", tuple(frames[name] for name, _ in pairs), grid,
            tuple(draw for _, draw in pairs) if draws > 1 else (),
        )  # fmt: skip

    def value(self, name: str, draw: int, frame: Frame, site: Site, condition: Condition) -> torch.Tensor:
        """One sample's values."""
        seed = int(hashlib.sha256(f"{name}|{draw}|{site}|{condition}".encode()).hexdigest()[:12], 16)
        stride = STRIDES.get(site.name)
        shape = (self.channels, frame.canvas_height // stride, frame.canvas_width // stride) if stride else (7, 5)
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def frame_of(sample: Sample, multiple: int) -> Frame:
    """The image at the top left of a canvas whose sides are multiples."""
    height, width = sample.image.shape[:2]
    return Frame(width, height, -(-width // multiple) * multiple, -(-height // multiple) * multiple)


class Pictures:
    """`count` small pictures made when asked for; sizes are taken in turn."""

    def __init__(self, count: int, sizes: Sequence[tuple[int, int]] = ((16, 16),)) -> None:
        self.count, self.sizes = count, sizes
        self.fingerprint = f"pictures-{count}-{sizes}"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> Sample:
        if not 0 <= index < self.count:
            raise IndexError(index)
        height, width = self.sizes[index % len(self.sizes)]
        image = np.full((height, width, 3), index % 256, dtype=np.uint8)
        facts = {"category": ("cat", "dog", "bird")[index % 3], "size": index, "mask": image[..., 0]}
        return Sample(f"picture-{index}", image, facts)


def expected(model: FakeModel, sample: Sample, site: str, condition: Condition, draw: int = 0) -> np.ndarray:
    """What the fake gives for one sample, in fp32."""
    return model.value(sample.id, draw, frame_of(sample, 8), Site(site), condition).numpy()


def shifted(activations: Activations, by: float) -> Activations:
    """The same record with other values."""
    return replace(activations, values=activations.values + by)
