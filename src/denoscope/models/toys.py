"""Random twins of every family: toys that build in under a second, and full-size ones without memory.

A toy has the published configuration of its original with fewer channels and layers: the same kinds of blocks in the
same order, the same conditioning, the same latent space. It knows nothing, yet every shape, name and identity holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denoscope.core.errors import unknown
from denoscope.models._toys.published import BLUEPRINTS, Blueprint
from denoscope.models._toys.small import NATIVE, SMALL, TEXT_LENGTH, VAE
from denoscope.models.components import Components

if TYPE_CHECKING:
    from torch import nn

__all__ = ["FULL_SIZES", "NAMES", "full_size", "toy"]

_ORIGINALS = {f"toy-{name.removesuffix('-xl')}": name for name in BLUEPRINTS}

NAMES: tuple[str, ...] = tuple(_ORIGINALS)
"""What `toy` builds."""

FULL_SIZES: tuple[str, ...] = tuple(BLUEPRINTS)
"""What `full_size` builds."""


def toy(name: str, seed: int = 0) -> Components:
    """A small model with random weights: equal for equal seeds; the global random state is left as it was.

    Args:
        name: one of `NAMES`, such as `toy-sdxl`.
        seed: names the weights.

    Raises:
        UnknownName: no toy is called that.
    """
    import torch

    from denoscope.models._toys.texts import encoders
    from denoscope.models._toys.weights import calibrate, fill

    if name not in _ORIGINALS:
        raise unknown("toy", name, NAMES, "denoscope list models")
    original = _ORIGINALS[name]
    blueprint = BLUEPRINTS[original]
    with torch.random.fork_rng(devices=[]):
        denoiser = _denoiser(blueprint, SMALL[original])
        vae = _vae(blueprint)
        text = encoders(original)
    generator = torch.Generator().manual_seed(seed)
    for module in (denoiser, vae, *(part.encoder for part in text)):
        if module is not None:
            fill(module.eval().requires_grad_(False), generator)
    calibrate(vae)
    recipe = {"toy": name, "seed": seed}
    return Components(denoiser, vae, text, blueprint.scheduler, _pipeline(blueprint), recipe, NATIVE)


def full_size(name: str) -> Components:
    """A denoiser of full size on the meta device: shapes without memory, weights or text encoders.

    Args:
        name: one of `FULL_SIZES`, such as `sdxl`.

    Raises:
        UnknownName: no configuration is called that.
    """
    import torch

    if name not in BLUEPRINTS:
        raise unknown("full-size configuration", name, FULL_SIZES, "denoscope.models.toys.FULL_SIZES")
    blueprint = BLUEPRINTS[name]
    with torch.device("meta"):
        denoiser = _denoiser(blueprint, {}).eval().requires_grad_(False)
    recipe = {"full_size": name}
    return Components(denoiser, None, [], blueprint.scheduler, blueprint.pipeline, recipe, blueprint.native)


def _denoiser(blueprint: Blueprint, changes: dict[str, Any]) -> nn.Module:
    import diffusers

    kind = getattr(diffusers, blueprint.denoiser)
    return kind(**blueprint.config | changes)


def _vae(blueprint: Blueprint) -> nn.Module:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    return AutoencoderKL(**VAE | blueprint.vae)


def _pipeline(blueprint: Blueprint) -> dict[str, Any]:
    """The pipeline's entries, with T5 texts cut to the toy tokenizer's length."""
    words = {"max_sequence_length": TEXT_LENGTH} if "max_sequence_length" in blueprint.pipeline else {}
    return blueprint.pipeline | words
