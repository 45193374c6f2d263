"""VAEs and text encoders of published checkpoints as shapes: their sizes are those of the `config.json` files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denoscope.models._toys.published import BLUEPRINTS

if TYPE_CHECKING:
    from torch import nn

__all__ = ["text_encoders", "vae"]

_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
}
_CLIP_L = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
_CLIP_H = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23, "num_attention_heads": 16}
_CLIP_G = {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, "num_attention_heads": 20}
_T5 = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64, "feed_forward_proj": "gated-gelu"}
_TEXTS: dict[str, tuple[dict[str, Any], ...]] = {
    "sd15": (_CLIP_L,),
    "sd21": (_CLIP_H,),
    "sd-turbo": (_CLIP_H,),
    "sdxl": (_CLIP_L, _CLIP_G),
    "sd3": (_CLIP_L, _CLIP_G, _T5),
    "sd35": (_CLIP_L, _CLIP_G, _T5),
    "flux-dev": (_CLIP_L, _T5),
    "flux-schnell": (_CLIP_L, _T5),
    "pixart": (_T5,),
    "pixart-sigma": (_T5,),
    "dit-xl": (),
}


def vae(name: str) -> nn.Module:
    """On the meta device."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    with torch.device("meta"):
        return AutoencoderKL(**_VAE | BLUEPRINTS[name].vae).eval()


def text_encoders(name: str) -> dict[str, nn.Module]:
    """By the pipeline's names, on the meta device."""
    import torch
    import transformers

    made: dict[str, nn.Module] = {}
    for number, sizes in enumerate(_TEXTS[name]):
        with torch.device("meta"):
            if "d_ff" in sizes:
                encoder = transformers.T5EncoderModel(transformers.T5Config(vocab_size=32128, **sizes))
            else:
                encoder = transformers.CLIPTextModel(transformers.CLIPTextConfig(vocab_size=49408, **sizes))
        made["text_encoder" + (f"_{number + 1}" if number else "")] = encoder
    return made
