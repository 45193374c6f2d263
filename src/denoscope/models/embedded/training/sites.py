"""Activations of the U-Net's blocks on scenes of the world, for the evaluation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from denoscope.models.embedded.training.diffusion import alphas_cumprod, forward_process
from denoscope.models.embedded.training.generation import embed
from denoscope.models.embedded.training.latents import encode, to_pixels
from denoscope.models.embedded.training.networks import Networks

__all__ = ["BLOCKS", "Scenes", "block_grids", "draw_scenes", "noise_for", "patches"]

BLOCKS = ("in", "down.0", "down.1", "down.2", "down.3", "mid", "up.0", "up.1", "up.2", "up.3")


@dataclass(frozen=True)
class Scenes:
    """Test pictures with their facts and latents."""

    images: NDArray[np.uint8]
    facts: list[Any]
    latents: Tensor

    def __len__(self) -> int:
        return len(self.facts)


def draw_scenes(networks: Networks, count: int, seed: int, size: int = 96, two_objects: float = 0.25) -> Scenes:
    """`count` test scenes with their latents."""
    from denoscope.data.menagerie import Menagerie

    samples = list(Menagerie("test", size, count, seed, two_objects))
    images = np.stack([np.asarray(s.image) for s in samples])
    latents = torch.cat([encode(networks.vae, images[i : i + 16]) for i in range(0, count, 16)])
    return Scenes(images, [s.facts for s in samples], latents)


def noise_for(scenes: Scenes, seed: int) -> Tensor:
    """One noise tensor per scene, drawn from (seed, place)."""
    shape = scenes.latents.shape[1:]
    rngs = (torch.Generator().manual_seed(seed * 1_000_003 + i) for i in range(len(scenes)))
    return torch.stack([torch.randn(shape, generator=rng) for rng in rngs])


def _modules(unet: Any) -> list[nn.Module]:
    return [unet.conv_in, *unet.down_blocks, unet.mid_block, *unet.up_blocks]


@torch.no_grad()
def block_grids(
    networks: Networks, scenes: Scenes, timestep: int, seed: int, blocks: tuple[str, ...] = BLOCKS, batch: int = 16
) -> dict[str, Tensor]:
    """Outputs (N, C, h, w) of the asked-for blocks at one timestep, empty prompt, noise per scene."""
    unet = networks.unet
    kept: dict[str, list[Tensor]] = {name: [] for name in blocks}
    hooks: list[Any] = []
    for name, module in zip(BLOCKS, _modules(unet), strict=True):
        if name in kept:
            hooks.append(module.register_forward_hook(lambda _m, _i, out, name=name: _keep(kept[name], out)))
    x = forward_process(scenes.latents, noise_for(scenes, seed), alphas_cumprod()[timestep].expand(len(scenes)))
    empty = embed(networks, [""])
    try:
        for part in x.to(unet.dtype).split(batch):
            unet(part, timestep, empty.expand(len(part), -1, -1))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: torch.cat(parts) for name, parts in kept.items()}


def _keep(parts: list[Tensor], out: Any) -> None:
    parts.append((out[0] if isinstance(out, tuple) else out).detach().float())


def patches(scenes: Scenes, side: int = 4) -> Tensor:
    """Raw pixels as a grid: (N, 3 side^2, H / side, W / side)."""
    return nn.functional.pixel_unshuffle(to_pixels(scenes.images), side)
