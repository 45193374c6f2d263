"""Stage one: the autoencoder, on random crops of fresh renderings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from denoscope.models.embedded.training.attention import prepare
from denoscope.models.embedded.training.flat import FlatNetwork
from denoscope.models.embedded.training.loop import Clock, load_ema, train
from denoscope.models.embedded.training.losses import autoencoding_loss, decoding_loss
from denoscope.models.embedded.training.networks import Architecture, build_vae
from denoscope.models.embedded.training.workers import Meeting

__all__ = ["WHITENED", "VaeStage", "build_seeded_vae", "trained_parts", "trained_vae", "vae_worker", "whiten"]

WHITENED = "vae_whitened.pt"


@dataclass(frozen=True)
class VaeStage:
    """Settings of the autoencoder's training."""

    clock: Clock
    """duration and learning rate"""
    batch: int = 8
    """crops per worker and step"""
    crop: int = 64
    """side of a crop, px"""
    pools: tuple[tuple[int, int], ...] = ((96, 700), (64, 300), (128, 200))
    """(side in px, number) of the renderings held at a time; crops follow these proportions"""
    fresh: int = 2
    """renderings replaced after each step"""
    seed: int = 0
    """seed of scenes, crops and weights"""
    name: str = "vae"
    """stage name in the log and of the checkpoint"""
    decoder_only: bool = False
    """leave the whitened encoder as it is"""
    compiled: bool = True
    """compile the loss into one graph"""


class CropPool:
    """Renderings at several sizes, from which random crops are cut and which are replaced little by little."""

    def __init__(self, stage: VaeStage, rank: int) -> None:
        from denoscope.data.menagerie import Menagerie

        self._rng = np.random.default_rng((stage.seed, rank))
        worlds = [Menagerie("train", side, 1 << 40, stage.seed + 1) for side, _ in stage.pools]
        self._stage, self._worlds = stage, worlds
        self._images = [self._render(w) for w, (_, n) in zip(worlds, stage.pools, strict=True) for _ in range(n)]
        self._owner = [w for w, (_, n) in zip(worlds, stage.pools, strict=True) for _ in range(n)]

    def _render(self, world: Any) -> NDArray[np.uint8]:
        return world.image(int(self._rng.integers(len(world))))

    def batch(self, count: int) -> Tensor:
        """(count, 3, crop, crop) in [-1, 1]; then some renderings are replaced."""
        crops = np.stack([self._crop(self._images[i]) for i in self._rng.integers(len(self._images), size=count)])
        for i in self._rng.integers(len(self._images), size=self._stage.fresh):
            self._images[i] = self._render(self._owner[i])
        return torch.from_numpy(crops).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)

    def _crop(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        side = self._stage.crop
        y, x = self._rng.integers(image.shape[0] - side + 1, size=2)
        return image[y : y + side, x : x + side]


def build_seeded_vae(arch: Architecture, seed: int) -> torch.nn.Module:
    """An untrained autoencoder drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_vae(arch)


def trained_parts(vae: torch.nn.Module, stage: VaeStage) -> list[torch.nn.Module]:
    """What a stage trains."""
    return [vae.get_submodule(n) for n in ("decoder", "post_quant_conv")] if stage.decoder_only else [vae]


def vae_worker(meeting: Meeting, arch: Architecture, stage: VaeStage, folder: Path, start: Path | None = None) -> None:
    """Train in one of the workers."""
    vae = prepare(build_seeded_vae(arch, stage.seed))
    if stage.decoder_only:
        vae.load_state_dict(torch.load(folder / WHITENED, weights_only=True))
    flat = FlatNetwork(trained_parts(vae, stage), torch.bfloat16)
    vae.to(torch.bfloat16)
    pool = CropPool(stage, meeting.rank)
    rng = torch.Generator().manual_seed(stage.seed * 1000 + meeting.rank)
    objective: Any = decoding_loss if stage.decoder_only else autoencoding_loss
    if stage.compiled:
        objective = torch.compile(objective, dynamic=False)
    cells = stage.crop // 4

    def loss() -> tuple[Tensor, dict[str, float]]:
        pixels = pool.batch(stage.batch).to(torch.bfloat16, memory_format=torch.channels_last)
        noise = torch.randn(stage.batch, 4, cells, cells, generator=rng).to(torch.bfloat16)
        value, mse = objective(vae, pixels, noise)
        return value, {"mse": float(mse)}

    train(stage.name, meeting, flat, stage.clock, stage.batch, loss, folder, start)


def trained_vae(arch: Architecture, checkpoint: Path) -> torch.nn.Module:
    """The autoencoder of a checkpoint, averaged fp32 weights, latents not yet whitened."""
    vae = build_seeded_vae(arch, 0)
    load_ema([vae], checkpoint)
    return vae.eval()


@torch.no_grad()
def whiten(vae: torch.nn.Module, latents: Tensor) -> None:
    """Fold (z - mean) / std per channel into the 1 x 1 convolutions on both sides of the latent, in place.

    `latents` (N, 4, H, W) are posterior means; afterwards such latents have mean 0 and standard deviation 1, and the
    decoded pictures are what they were.
    """
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    into, back = vae.get_submodule("quant_conv"), vae.get_submodule("post_quant_conv")
    n = len(mean)
    back.bias += (back.weight[:, :, 0, 0] * mean).sum(1)
    back.weight *= std[None, :, None, None]
    into.weight[:n] /= std[:, None, None, None]
    into.bias[:n] = (into.bias[:n] - mean) / std
    into.bias[n:] -= 2.0 * std.log()
