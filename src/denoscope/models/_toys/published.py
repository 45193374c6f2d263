"""Published configurations of real models: denoisers, noise schedules and latent spaces.

Sources: the `config.json` of each repository's `unet`, `transformer`, `vae` and `scheduler` folders.
"""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["BLUEPRINTS", "Blueprint"]

Config = dict[str, Any]

_CROSS_DOWN = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
_CROSS_UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3

SD15: Config = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": _CROSS_DOWN,
    "up_block_types": _CROSS_UP,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
SD_TURBO: Config = SD15 | {
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}
SD21: Config = SD_TURBO | {"sample_size": 96, "upcast_attention": True}
SDXL: Config = {
    "sample_size": 128,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 2048,
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SD3: Config = {
    "sample_size": 128,
    "patch_size": 2,
    "in_channels": 16,
    "out_channels": 16,
    "num_layers": 24,
    "attention_head_dim": 64,
    "num_attention_heads": 24,
    "joint_attention_dim": 4096,
    "caption_projection_dim": 1536,
    "pooled_projection_dim": 2048,
    "pos_embed_max_size": 192,
}
SD35_MEDIUM: Config = SD3 | {
    "pos_embed_max_size": 384,
    "dual_attention_layers": tuple(range(13)),
    "qk_norm": "rms_norm",
}
FLUX: Config = {
    "patch_size": 1,
    "in_channels": 64,
    "num_layers": 19,
    "num_single_layers": 38,
    "attention_head_dim": 128,
    "num_attention_heads": 24,
    "joint_attention_dim": 4096,
    "pooled_projection_dim": 768,
    "guidance_embeds": False,
    "axes_dims_rope": (16, 56, 56),
}
PIXART_SIGMA: Config = {
    "sample_size": 128,
    "patch_size": 2,
    "in_channels": 4,
    "out_channels": 8,
    "num_layers": 28,
    "attention_head_dim": 72,
    "num_attention_heads": 16,
    "cross_attention_dim": 1152,
    "caption_channels": 4096,
    "norm_type": "ada_norm_single",
    "norm_elementwise_affine": False,
    "norm_eps": 1e-6,
    "interpolation_scale": 2,
    "use_additional_conditions": False,
}
PIXART_ALPHA: Config = PIXART_SIGMA | {"use_additional_conditions": True}
DIT_XL: Config = {
    "sample_size": 32,
    "patch_size": 2,
    "in_channels": 4,
    "out_channels": 8,
    "num_layers": 28,
    "attention_head_dim": 72,
    "num_attention_heads": 16,
    "num_embeds_ada_norm": 1000,
    "norm_type": "ada_norm_zero",
    "norm_elementwise_affine": False,
    "norm_eps": 1e-5,
}

_STEPS: Config = {"num_train_timesteps": 1000}
_UNCLIPPED: Config = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
_SCALED: Config = _STEPS | {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
_LINEAR: Config = _STEPS | {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}
_PNDM: Config = _SCALED | _UNCLIPPED | {"_class_name": "PNDMScheduler", "skip_prk_steps": True}
_DDIM_V: Config = _SCALED | _UNCLIPPED | {"_class_name": "DDIMScheduler", "prediction_type": "v_prediction"}
_EULER: Config = _SCALED | {"_class_name": "EulerDiscreteScheduler", "prediction_type": "epsilon"}
_FLOW: Config = _STEPS | {"_class_name": "FlowMatchEulerDiscreteScheduler"}
_DYNAMIC: Config = {
    "use_dynamic_shifting": True,
    "base_shift": 0.5,
    "max_shift": 1.15,
    "base_image_seq_len": 256,
    "max_image_seq_len": 4096,
}
_DPM: Config = _LINEAR | {"_class_name": "DPMSolverMultistepScheduler", "prediction_type": "epsilon"}

_SD_VAE: Config = {"latent_channels": 4, "scaling_factor": 0.18215}
_SDXL_VAE: Config = {"latent_channels": 4, "scaling_factor": 0.13025, "force_upcast": True}
_WIDE_VAE: Config = {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False}
_SD3_VAE: Config = _WIDE_VAE | {"scaling_factor": 1.5305, "shift_factor": 0.0609}
_FLUX_VAE: Config = _WIDE_VAE | {"scaling_factor": 0.3611, "shift_factor": 0.1159}


@dataclass(frozen=True)
class Blueprint:
    """A denoiser's class in diffusers, its configuration, and the facts of the model around it."""

    denoiser: str
    config: Config
    scheduler: Config
    vae: Config
    pipeline: Config = field(default_factory=dict[str, Any])
    native: int = 512


def _unet(config: Config, scheduler: Config, native: int) -> Blueprint:
    pipeline = {"_class_name": "StableDiffusionPipeline"}
    return Blueprint("UNet2DConditionModel", config, scheduler, _SD_VAE, pipeline, native)


def _sd3(config: Config) -> Blueprint:
    pipeline = {"_class_name": "StableDiffusion3Pipeline", "max_sequence_length": 256}
    return Blueprint("SD3Transformer2DModel", config, _FLOW | {"shift": 3.0}, _SD3_VAE, pipeline, 1024)


def _flux(config: Config, schedule: Config, words: int) -> Blueprint:
    pipeline = {"_class_name": "FluxPipeline", "max_sequence_length": words}
    return Blueprint("FluxTransformer2DModel", config, _FLOW | schedule, _FLUX_VAE, pipeline, 1024)


def _pixart(config: Config, name: str, vae: Config, words: int) -> Blueprint:
    pipeline = {"_class_name": f"PixArt{name}Pipeline", "max_sequence_length": words}
    return Blueprint("PixArtTransformer2DModel", config, _DPM, vae, pipeline, 1024)


BLUEPRINTS: dict[str, Blueprint] = {
    "sd15": _unet(SD15, _PNDM, 512),
    "sd21": _unet(SD21, _DDIM_V, 768),
    "sd-turbo": _unet(SD_TURBO, _EULER | {"timestep_spacing": "trailing"}, 512),
    "sdxl": Blueprint(
        "UNet2DConditionModel",
        SDXL,
        _EULER | {"timestep_spacing": "leading", "steps_offset": 1},
        _SDXL_VAE,
        {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True},
        1024,
    ),
    "sd3": _sd3(SD3),
    "sd35": _sd3(SD35_MEDIUM),
    "flux-dev": _flux(FLUX | {"guidance_embeds": True}, _DYNAMIC | {"shift": 3.0}, 512),
    "flux-schnell": _flux(FLUX, {"shift": 1.0, "use_dynamic_shifting": False}, 256),
    "pixart": _pixart(PIXART_ALPHA, "Alpha", _SD_VAE, 120),
    "pixart-sigma": _pixart(PIXART_SIGMA, "Sigma", _SDXL_VAE, 300),
    "dit-xl": Blueprint(
        "DiTTransformer2DModel",
        DIT_XL,
        _LINEAR | {"_class_name": "DDIMScheduler", "prediction_type": "epsilon", "clip_sample": False},
        _SD_VAE,
        {"_class_name": "DiTPipeline"},
        256,
    ),
}
"""By short name; every toy is one of these with fewer channels and layers."""
