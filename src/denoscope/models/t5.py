"""T5 prompts, as the pipelines of diffusers encode them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.text import loaded, token_ids

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import TextEncoder

__all__ = ["named", "t5_states"]


def t5_states(
    encoder: TextEncoder, prompts: Sequence[str], length: int, device: Any, masked: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Last hidden states (row, token, width) and the mask of tokens that are not padding (row, token).

    Args:
        encoder: a T5 tokenizer and encoder.
        prompts: texts, padded or cut to `length` tokens.
        length: tokens per row.
        device: where the encoder runs.
        masked: whether the encoder itself ignores padding (PixArt) or attends to it (SD3, Flux).
    """
    tokens = token_ids(encoder, prompts, length)
    mask = tokens.attention_mask.to(device)
    states = loaded(encoder)(tokens.input_ids.to(device), attention_mask=mask if masked else None)
    return states.last_hidden_state, mask


def named(encoders: Sequence[TextEncoder], name: str) -> TextEncoder:
    """The text encoder that the pipeline calls `name`.

    Raises:
        InputError: the model was loaded without it.
    """
    for encoder in encoders:
        if encoder.name == name:
            return encoder
    present = ", ".join(encoder.name for encoder in encoders) or "none"
    raise InputError(
        f"the prompt needs {name}, which was not loaded (present: {present}); load the model with text=True"
    )
