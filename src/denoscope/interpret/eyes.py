"""Eyes: what sees patches. The plain one sees pixels; an image encoder sees likeness of meaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.interpret.patches import Eye, Picture, pixels

__all__ = ["encoder", "eye_of"]

_ROWS = 32
"""Patches per forward."""


def eye_of(name: str) -> Eye:
    """An eye by its name: `pixels`, or an image encoder of the Hub or of a folder."""
    return pixels if name == "pixels" else encoder(name)


def encoder(model: str, **options: Any) -> Eye:
    """An image encoder such as DINO, CLIP or SigLIP, through transformers; vectors less the mean of all patches.

    CLIP and SigLIP give their image embedding, others the pooled output, or the first token where there is none.

    Args:
        model: Hub id or folder.
        options: of `from_pretrained`, such as `dtype`.

    Raises:
        InputError: nothing that sees can be loaded from there.
    """
    parts: Any = require("transformers", "see patches with an image encoder")
    try:
        read, net = parts.AutoImageProcessor.from_pretrained(model), parts.AutoModel.from_pretrained(model, **options)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"no image encoder can be loaded from {model!r}: {str(error).splitlines()[0].split('. ')[0]}"
        ) from None
    net.eval()

    def see(patches: Sequence[Picture]) -> NDArray[Any]:
        found = np.concatenate([_seen(net, read, patches[at : at + _ROWS]) for at in range(0, len(patches), _ROWS)])
        return found - found.mean(axis=0)

    see.__name__ = model
    return see


def _seen(net: Any, read: Any, patches: Sequence[Picture]) -> NDArray[np.float64]:
    torch: Any = require("torch", "see patches with an image encoder")
    values = read(images=list(patches), return_tensors="pt")["pixel_values"].to(net.device, net.dtype)
    with torch.no_grad():
        told = net.get_image_features(pixel_values=values) if hasattr(net, "get_image_features") else net(values)
    for name in ("pooler_output", "last_hidden_state"):
        if getattr(told, name, None) is not None:
            told = getattr(told, name)
            break
    return (told if told.ndim == 2 else told[:, 0]).double().cpu().numpy()
