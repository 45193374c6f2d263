"""The shipped folder: a diffusers layout in fp16, read back in one call."""

from pathlib import Path
from typing import Any

import torch

from denoscope.models.embedded.training.networks import Networks

__all__ = ["LIMIT", "folder_bytes", "load", "save"]

LIMIT = 16_000_000


def _scheduler() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon",
    )


def save(networks: Networks, folder: Path) -> int:
    """Write the networks as an fp16 `StableDiffusionPipeline` folder and return its size in bytes.

    The networks are converted to fp16 in place: pass copies of those that are still needed.
    """
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=networks.vae.to(torch.float16),
        text_encoder=networks.text_encoder.to(torch.float16),
        unet=networks.unet.to(torch.float16),
        tokenizer=networks.tokenizer,
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return folder_bytes(folder)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Networks:
    """The networks of a saved folder, in evaluation mode."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    return Networks(
        AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=dtype).eval(),
        CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=dtype).eval(),
        UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval(),
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
    )
