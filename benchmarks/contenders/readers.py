"""The same job, done by four programs: read one picture at some blocks and timesteps."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch

import denoscope as ds
from denoscope.models.base import Model

__all__ = ["Bare", "Ours", "Plain", "Sdhelper"]

POSITIONS = {"mid": "mid_block", "up.0": "up_blocks[0]", "up.1": "up_blocks[1]"}


class Ours:
    """denoscope: one encode, one text, stopped after the last site; nothing is kept from an earlier run."""

    def __init__(self, model: Model, picture: ds.Sample) -> None:
        self.model, self.picture = model, picture

    def __call__(self, sites: Sequence[str], timesteps: Sequence[int]) -> None:
        self.model.forget()
        conditions = [ds.Condition(timestep=timestep) for timestep in timesteps]
        for _ in self.model.stream([self.picture], list(sites), conditions):
            pass


class Sdhelper:
    """sdhelper 1.0.0, which reads one timestep per call."""

    def __init__(self, pipe: Any, picture: ds.Sample, dtype: torch.dtype) -> None:
        from diffusers import DDIMScheduler

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sdhelper import SD
        self.image = PIL.Image.fromarray(picture.image)
        self.sd = SD.__new__(SD)
        self.sd.pipeline, self.sd.model_name, self.sd.disable_progress_bar = pipe, "SD1.5", True
        self.sd.device, self.sd.dtype = pipe.device.type, dtype
        self.sd._ddim_scheduler = DDIMScheduler.from_config(dict(pipe.scheduler.config))

    def __call__(self, sites: Sequence[str], timesteps: Sequence[int]) -> None:
        for timestep in timesteps:
            self.sd.img2repr(self.image, [POSITIONS[site] for site in sites], timestep, seed=0)


class Plain:
    """A plain diffusers loop: encode and text once, hooks on the blocks, the whole U-Net at every timestep."""

    def __init__(self, pipe: Any, picture: ds.Sample) -> None:
        self.pipe = pipe
        pixels = torch.from_numpy(np.array(picture.image)).permute(2, 0, 1)[None].float() / 127.5 - 1
        self.pixels = pixels.contiguous()

    @torch.no_grad()
    def __call__(self, sites: Sequence[str], timesteps: Sequence[int]) -> None:
        pipe, unet = self.pipe, self.pipe.unet
        pixels = self.pixels.to(unet.device, unet.dtype)
        latents = pipe.vae.encode(pixels).latent_dist.mode() * pipe.vae.config.scaling_factor
        text, _ = pipe.encode_prompt("", unet.device, 1, False)
        kept: list[torch.Tensor] = []
        blocks = {"mid": unet.mid_block, "up.0": unet.up_blocks[0], "up.1": unet.up_blocks[1]}
        hooks = [blocks[site].register_forward_hook(lambda m, a, out: kept.append(out.cpu())) for site in sites]
        for timestep in timesteps:
            at = torch.tensor([timestep], device=unet.device)
            noised = pipe.scheduler.add_noise(latents, torch.randn_like(latents), at)
            unet(noised, at, encoder_hidden_states=text)
        for hook in hooks:
            hook.remove()


class Bare:
    """The U-Net's sub-modules called by hand up to `up.1`, against our hooks and early stop on the same tensors."""

    def __init__(self, model: Model, side: int) -> None:
        self.model, self.unet = model, model.parts.denoiser
        self.text = model.texts([""])
        chance = torch.Generator().manual_seed(0)
        cells = side // model.factor
        noised = torch.randn(1, model.latent_channels, cells, cells, generator=chance)
        self.noised = noised.to(model.device, model.dtype)
        self.at = torch.tensor([50.0], device=model.device)
        self.tap = model.taps["up.1"]

    def hooked(self) -> torch.Tensor:
        """What `Model.run` does."""
        return self.model.run([self.tap], self.noised, self.at, self.text)[0]["up.1"]

    @torch.no_grad()
    def by_hand(self) -> torch.Tensor:
        """conv_in, down blocks, middle, two up blocks."""
        unet: Any = self.unet
        embedding = unet.time_embedding(unet.time_proj(self.at).to(self.noised.dtype))
        x = unet.conv_in(self.noised)
        skips = (x,)
        for block in unet.down_blocks:
            x, more = block(hidden_states=x, temb=embedding, **self._text(block))
            skips += more
        x = unet.mid_block(x, embedding, encoder_hidden_states=self.text.context)
        for block in unet.up_blocks[:2]:
            count = len(block.resnets)
            skips, mine = skips[:-count], skips[-count:]
            size = skips[-1].shape[2:]
            x = block(
                hidden_states=x,
                temb=embedding,
                res_hidden_states_tuple=mine,
                upsample_size=size if size != tuple(2 * side for side in x.shape[2:]) else None,
                **self._text(block),
            )
        return x

    def _text(self, block: Any) -> dict[str, torch.Tensor]:
        crossed = getattr(block, "has_cross_attention", False)
        return {"encoder_hidden_states": self.text.context} if crossed else {}
