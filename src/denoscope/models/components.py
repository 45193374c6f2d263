"""The parts of a latent diffusion model, whoever made them: what every family is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Components", "TextEncoder"]


@dataclass
class TextEncoder:
    """A tokenizer and the encoder that reads its tokens, in the pipeline's order.

    Attributes:
        name: the pipeline's name for it: `text_encoder`, `text_encoder_2`, `text_encoder_3`.
        tokenizer: a transformers tokenizer.
        encoder: CLIPTextModel, CLIPTextModelWithProjection or T5EncoderModel; None while it is not in memory.
        load: brings it back from disk; None where it was never on disk.
    """

    name: str
    tokenizer: Any
    encoder: nn.Module | None
    load: Callable[[], nn.Module] | None = None


@dataclass
class Components:
    """A denoiser with the networks around it.

    Attributes:
        denoiser: UNet2DConditionModel, SD3Transformer2DModel, FluxTransformer2DModel, PixArtTransformer2DModel
            or DiTTransformer2DModel of diffusers.
        vae: AutoencoderKL; None for a denoiser that is only asked for its shapes.
        text: text encoders, in the pipeline's order; empty for class-conditional models.
        scheduler: configuration of the training noise schedule, as in `scheduler_config.json`.
        pipeline: further entries of `model_index.json` (`force_zeros_for_empty_prompt`, ...).
        recipe: what identifies the weights: repository and revision, or a digest.
        native: side of the images it was trained on, in pixels.
        steps, guidance: with which it is sampled unless told otherwise.
        asked: arguments with which `load` makes the same again on another machine; None for parts built elsewhere.
    """

    denoiser: nn.Module
    vae: nn.Module | None = None
    text: list[TextEncoder] = field(default_factory=list[TextEncoder])
    scheduler: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pipeline: Mapping[str, Any] = field(default_factory=dict[str, Any])
    recipe: Mapping[str, Any] = field(default_factory=dict[str, Any])
    native: int = 512
    steps: int = 30
    guidance: float = 5.0
    asked: Mapping[str, Any] | None = None
