"""What shrinks in a toy: widths and depths, never the kinds of blocks or the order in which they come."""

from typing import Any

__all__ = ["NATIVE", "SMALL", "TEXT_LENGTH", "VAE"]

NATIVE = 64
"""side of a toy's images in pixels; its latents are 8 x 8"""
TEXT_LENGTH = 32
"""tokens of a toy's T5 texts"""

_LEVELS4: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32, 48, 48),
    "norm_num_groups": 8,
    "cross_attention_dim": 32,
}
_JOINT: dict[str, Any] = {
    "sample_size": 8,
    "num_layers": 4,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 48,
    "caption_projection_dim": 32,
    "pooled_projection_dim": 40,
    "pos_embed_max_size": 24,
}
_FLUX: dict[str, Any] = {
    "num_layers": 2,
    "num_single_layers": 3,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 16,
    "axes_dims_rope": (4, 6, 6),
}
_PLAIN: dict[str, Any] = {"sample_size": 8, "num_layers": 3, "attention_head_dim": 24, "num_attention_heads": 2}
_PIXART = _PLAIN | {"cross_attention_dim": 48, "caption_channels": 32, "interpolation_scale": 1}

SMALL: dict[str, dict[str, Any]] = {
    "sd15": _LEVELS4 | {"attention_head_dim": 2},
    "sd21": _LEVELS4 | {"attention_head_dim": (1, 2, 3, 3)},
    "sd-turbo": _LEVELS4 | {"attention_head_dim": (1, 2, 3, 3)},
    "sdxl": {
        "sample_size": 8,
        "block_out_channels": (16, 32, 48),
        "norm_num_groups": 8,
        "cross_attention_dim": 40,
        "transformer_layers_per_block": (1, 1, 2),
        "attention_head_dim": (1, 2, 3),
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 24 + 6 * 8,
    },
    "sd3": _JOINT,
    "sd35": _JOINT | {"dual_attention_layers": (0, 1)},
    "flux-dev": _FLUX,
    "flux-schnell": _FLUX,
    "pixart": _PIXART,
    "pixart-sigma": _PIXART,
    "dit-xl": _PLAIN | {"num_embeds_ada_norm": 10},
}
"""Entries of the published configuration that a toy replaces."""

VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (8, 8, 16, 16),
    "norm_num_groups": 4,
    "sample_size": NATIVE,
}
"""A narrow AutoencoderKL with the real ones' factor of eight."""
