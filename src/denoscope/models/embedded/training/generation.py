"""Pictures from prompts, and how often the judge sees in them what was asked for."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from denoscope.models.embedded.training.diffusion import ddim
from denoscope.models.embedded.training.networks import Networks

__all__ = ["balanced_prompts", "decode", "embed", "generate", "sheet", "to_images"]


@torch.no_grad()
def embed(networks: Networks, prompts: list[str]) -> Tensor:
    """(B, length, width) text states."""
    ids = networks.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    return networks.text_encoder(ids)[0]


@torch.no_grad()
def decode(networks: Networks, latents: Tensor) -> Tensor:
    """Latents to pixels (B, 3, H, W) in [-1, 1], fp32."""
    vae = networks.vae
    return vae.decoder(vae.post_quant_conv(latents.to(vae.dtype))).float().clamp(-1.0, 1.0)


def generate(
    networks: Networks,
    prompts: list[str],
    seed: int,
    guidance: float,
    steps: int = 25,
    cells: int = 24,
    batch: int = 24,
) -> Tensor:
    """Pixels (N, 3, 4 cells, 4 cells): DDIM from noise drawn from (seed, place in the list)."""
    empty = embed(networks, [""])
    pictures: list[Tensor] = []
    for start in range(0, len(prompts), batch):
        part = prompts[start : start + batch]
        generators = [torch.Generator().manual_seed(seed * 1_000_003 + start + k) for k in range(len(part))]
        noise = torch.stack([torch.randn(4, cells, cells, generator=g) for g in generators])
        latents = ddim(networks.unet, embed(networks, part), empty.expand(len(part), -1, -1), noise, guidance, steps)
        pictures.append(decode(networks, latents))
    return torch.cat(pictures)


def balanced_prompts(per_category: int, seed: int) -> tuple[list[str], list[Any]]:
    """Full captions of single-object test scenes, one per category by turns, and the scenes."""
    from denoscope.data.menagerie import CATEGORIES, Menagerie, caption

    world = Menagerie("test", 96, 1 << 30, seed, 0.0)
    kept: dict[str, list[Any]] = {name: [] for name in CATEGORIES}
    i = 0
    while any(len(scenes) < per_category for scenes in kept.values()):
        scene = world.scene(i)
        if len(kept[scene.things[0].category]) < per_category:
            kept[scene.things[0].category].append(scene)
        i += 1
    scenes = [kept[name][k] for k in range(per_category) for name in CATEGORIES]
    return [caption(scene, np.random.default_rng((seed, k)), 0.0) for k, scene in enumerate(scenes)], scenes


def to_images(pixels: Tensor) -> NDArray[np.uint8]:
    """(N, 3, H, W) in [-1, 1] to uint8 (N, H, W, 3)."""
    return ((pixels.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def sheet(images: NDArray[np.uint8], columns: int = 12) -> NDArray[np.uint8]:
    """Rows of `columns` pictures as one picture."""
    whole = images[: len(images) // columns * columns]
    rows = whole.reshape(-1, columns, *whole.shape[1:])
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
