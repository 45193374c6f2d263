"""The embedded model's networks: Stable Diffusion 1.5's structure at a hundredth of its size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

__all__ = ["Architecture", "Networks", "build", "build_vae", "twin"]


@dataclass(frozen=True)
class Architecture:
    """Sizes of the three networks."""

    size: int = 24
    """native side of the latent grid, in cells"""
    unet: tuple[int, ...] = (32, 64, 96, 112)
    """channels of the U-Net's four levels"""
    heads: tuple[int, ...] = (1, 2, 3, 4)
    """attention heads of the four levels"""
    unet_groups: int = 16
    """groups of the U-Net's group norms"""
    vae: tuple[int, ...] = (24, 48, 64)
    """channels of the autoencoder's levels; three levels make a cell of four pixels"""
    vae_groups: int = 8
    """groups of the autoencoder's group norms"""
    text: int = 96
    """width of the text encoder"""
    text_layers: int = 2
    """depth of the text encoder"""
    text_heads: int = 4
    """attention heads of the text encoder"""


class Networks(NamedTuple):
    """The parts of one latent diffusion model."""

    vae: Any
    text_encoder: Any
    unet: Any
    tokenizer: Any


def build_vae(arch: Architecture) -> Any:
    """An untrained autoencoder: 4 latent channels, one cell per 4 x 4 pixels."""
    from diffusers import AutoencoderKL

    levels = len(arch.vae)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=arch.vae,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=arch.vae_groups,
        sample_size=arch.size * 2 ** (levels - 1),
        scaling_factor=1.0,
    )


def _build_text(arch: Architecture, tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=arch.text,
            intermediate_size=3 * arch.text,
            num_hidden_layers=arch.text_layers,
            num_attention_heads=arch.text_heads,
            max_position_embeddings=tokenizer.model_max_length,
            projection_dim=arch.text,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _build_unet(arch: Architecture) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=arch.size,
        in_channels=4,
        out_channels=4,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        block_out_channels=arch.unet,
        attention_head_dim=arch.heads,
        layers_per_block=2,
        norm_num_groups=arch.unet_groups,
        cross_attention_dim=arch.text,
    )


def build(arch: Architecture, tokenizer: Any, seed: int) -> Networks:
    """Untrained networks drawn from `seed`; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Networks(build_vae(arch), _build_text(arch, tokenizer), _build_unet(arch), tokenizer)


def twin(folder: Path, seed: int = 0) -> Networks:
    """The random-initialisation control: all shipped parts but the U-Net, which is drawn from `seed`.

    The U-Net is the only part that a probe of its sites must not share with the trained model.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet"))
    return Networks(
        AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32),
        CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32),
        unet.eval(),
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
    )
