"""An independent judge of pictures: a small convolutional classifier trained on renderings alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from denoscope.models.embedded.training.latents import to_pixels

__all__ = ["FACTORS", "Oracle", "labels", "score", "single_object_scenes", "train_oracle"]

FACTORS = ("category", "colour", "texture", "background")


def _classes() -> dict[str, tuple[str, ...]]:
    from denoscope.data.menagerie import BACKGROUNDS, CATEGORIES, COLOURS, TEXTURES

    return {
        "category": tuple(CATEGORIES),
        "colour": tuple(COLOURS),
        "texture": tuple(TEXTURES),
        "background": tuple(BACKGROUNDS),
    }


class Oracle(nn.Module):
    """Four strided convolutions and one linear head per factor."""

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()] if before > 3 else []
        self.body = nn.Sequential(*layers)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * widths[-1], len(c)) for name, c in _classes().items()})

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """(B, 3, H, W) in [-1, 1] to logits per factor; pictures are looked at from 64 x 64 pixels."""
        x = self.body(F.interpolate(pixels, (64, 64), mode="bilinear", antialias=True))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
        return {name: head(pooled) for name, head in self.heads.items()}


@dataclass(frozen=True)
class OracleRun:
    """Settings of the judge's training."""

    size: int = 96
    """side of the pictures, px"""
    scenes: int = 30_000
    """single-object training scenes"""
    epochs: int = 8
    """passes over them"""
    batch: int = 64
    """pictures per step"""
    rate: float = 2e-3
    """peak learning rate"""
    seed: int = 0
    """seed of weights and order"""


def labels(scenes: list[Any]) -> dict[str, Tensor]:
    """Class indices per factor of the scenes' main objects."""
    classes = _classes()

    def of(scene: Any, factor: str) -> str:
        thing = scene.things[0]
        direct = {"category": thing.category, "colour": thing.colour, "background": scene.background}
        return direct.get(factor) or thing.texture.kind

    return {f: torch.tensor([classes[f].index(of(s, f)) for s in scenes]) for f in FACTORS}


def single_object_scenes(split: str, size: int, count: int, seed: int) -> tuple[NDArray[np.uint8], list[Any]]:
    """`count` renderings with one object and their scenes."""
    from denoscope.data.menagerie import Menagerie

    world = Menagerie(split, size, count, seed, 0.0)
    return np.stack([world.image(i) for i in range(count)]), [world.scene(i) for i in range(count)]


def _augment(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """Blur half of the pictures a little and add faint noise, so that no decoder's softness decides."""
    b, _, h, w = pixels.shape
    small = F.interpolate(pixels, scale_factor=0.7, mode="bilinear", antialias=True)
    blurred = F.interpolate(small, size=(h, w), mode="bilinear")
    chosen = (torch.rand(b, 1, 1, 1, generator=rng) < 0.5).float()
    return chosen * blurred + (1 - chosen) * pixels + 0.04 * torch.randn(pixels.shape, generator=rng)


def train_oracle(
    run: OracleRun, images: NDArray[np.uint8], truth: dict[str, Tensor], oracle: Oracle | None = None
) -> Oracle:
    """A judge trained on the renderings, in evaluation mode; a given one is trained further, in place."""
    if oracle is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            oracle = Oracle()
    oracle.to(memory_format=torch.channels_last)
    rng = torch.Generator().manual_seed(run.seed)
    steps = run.epochs * (len(images) // run.batch)
    optimizer = torch.optim.AdamW(oracle.parameters(), lr=run.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, run.rate, total_steps=max(steps, 1))
    for _ in range(run.epochs):
        order = torch.randperm(len(images), generator=rng)
        for rows in order[: len(images) // run.batch * run.batch].split(run.batch):
            pixels = _augment(to_pixels(images[rows.numpy()]), rng).contiguous(memory_format=torch.channels_last)
            logits = oracle(pixels)
            loss = sum((F.cross_entropy(logits[f], truth[f][rows]) for f in FACTORS), torch.zeros(()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return oracle.eval()


@torch.no_grad()
def score(oracle: Oracle, pixels: Tensor, truth: dict[str, Tensor]) -> dict[str, Tensor]:
    """Per factor, which pictures (N, 3, H, W) the judge names as `truth` does; bool (N,).

    It sees each picture and its mirror image, which shows the same factors, and adds up what it thinks of both.
    """
    views = [(oracle(part), oracle(part.flip(3))) for part in pixels.split(64)]
    named = {f: torch.cat([(a[f].softmax(1) + b[f].softmax(1)).argmax(1) for a, b in views]) for f in FACTORS}
    return {f: named[f] == truth[f] for f in FACTORS}
