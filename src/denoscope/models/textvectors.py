"""One vector per prompt, of what the denoiser is handed: what words alone are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.models.text import token_ids

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.components import TextEncoder

__all__ = ["text_vectors"]

Floats = NDArray[np.float32]
_PROMPTS = 32
"""Prompts that are encoded at a time."""


def text_vectors(model: Model, prompts: Sequence[str]) -> dict[str, Floats]:
    """Vectors of prompts by the way in which their tokens become one, `(prompt, width)` each.

    `last`: the state of the last token that is no padding, which is the end of the text, and the only one that has seen
    all of it where attention is causal (CLIP). `mean`: over all tokens that are no padding. `pooled`: the model's own
    pooled text, in families that have one.

    Args:
        model: loaded with its text encoders.
        prompts: texts.

    Raises:
        InputError: the model was loaded without its text encoders.
    """
    distinct = list(dict.fromkeys(prompts))
    found: dict[str, list[Floats]] = {}
    for start in range(0, len(distinct), _PROMPTS):
        for way, rows in _encoded(model, distinct[start : start + _PROMPTS]).items():
            found.setdefault(way, []).append(rows)
    place = {prompt: number for number, prompt in enumerate(distinct)}
    order = [place[prompt] for prompt in prompts]
    return {way: np.concatenate(rows)[order] for way, rows in found.items()}


def _encoded(model: Model, prompts: Sequence[str]) -> dict[str, Floats]:
    import torch

    with torch.no_grad():
        text = model.embed(prompts)
    context = text.context.float().cpu().numpy()
    told = None if text.mask is None else text.mask.cpu().numpy().astype(bool)
    spoken = _spoken(model, prompts, context) if told is None else told
    ends = spoken.shape[1] - 1 - spoken[:, ::-1].argmax(axis=1)
    share = spoken / spoken.sum(axis=1, keepdims=True)
    found = {"last": context[np.arange(len(context)), ends], "mean": np.einsum("pt,ptc->pc", share, context)}
    if text.pooled is not None:
        found["pooled"] = text.pooled.float().cpu().numpy()
    return {way: rows.astype(np.float32) for way, rows in found.items()}


def _spoken(model: Model, prompts: Sequence[str], context: NDArray[Any]) -> NDArray[np.bool_]:
    """Tokens that are no padding, `(prompt, token)`.

    The context of a U-Net is that of its first encoder, Flux's that of its last one, SD3's both, one after the other;
    without T5 its half is zeros.
    """
    encoders, tokens = model.parts.text, context.shape[1]
    if not encoders or tokens == 1:
        return np.ones(context.shape[:2], dtype=bool)
    first = _mask(encoders[0], prompts, None)
    if first.shape[1] == tokens:
        return first
    rest = tokens - first.shape[1]
    if len(encoders) == 2 and (rest < 0 or np.any(context[:, first.shape[1] :])):
        return _mask(encoders[1], prompts, tokens)
    silent = np.zeros((len(prompts), rest), dtype=bool)
    return np.hstack([first, _mask(encoders[-1], prompts, rest) if len(encoders) == 3 else silent])


def _mask(encoder: TextEncoder, prompts: Sequence[str], length: int | None) -> NDArray[np.bool_]:
    return token_ids(encoder, prompts, length).attention_mask.numpy().astype(bool)
