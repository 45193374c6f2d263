"""What the prompt is worth: noise-prediction error without, with the true and with a wrong caption."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from denoscope.models.embedded.training.diffusion import alphas_cumprod, forward_process
from denoscope.models.embedded.training.generation import embed
from denoscope.models.embedded.training.networks import Networks
from denoscope.models.embedded.training.sites import Scenes, noise_for

__all__ = ["prompt_errors"]


@torch.no_grad()
def prompt_errors(networks: Networks, scenes: Scenes, timestep: int, seed: int) -> NDArray[np.float64]:
    """(3, N): mean squared error of the noise under the empty, the true and another scene's caption."""
    noise = noise_for(scenes, seed)
    x = forward_process(scenes.latents, noise, alphas_cumprod()[timestep].expand(len(scenes)))
    captions = [str(f["caption"]) for f in scenes.facts]
    others = captions[1:] + captions[:1]
    texts = ([""] * len(captions), captions, others)
    return np.stack([_errors(networks, x, noise, embed(networks, list(t)), timestep) for t in texts])


def _errors(networks: Networks, x: Tensor, noise: Tensor, text: Tensor, timestep: int) -> NDArray[np.float64]:
    parts: list[Tensor] = []
    for i in range(0, len(x), 16):
        rows = slice(i, i + 16)
        predicted = networks.unet(x[rows].to(text.dtype), timestep, text[rows], return_dict=False)[0].float()
        parts.append((predicted - noise[rows]).square().mean((1, 2, 3)))
    return torch.cat(parts).double().numpy()
