"""Multimodal diffusion transformers: Stable Diffusion 3 and 3.5 (Esser et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.attention import split_heads
from denoscope.models.hooks import Tap
from denoscope.models.levels import RectifiedFlow
from denoscope.models.t5 import named, t5_states
from denoscope.models.text import Text, clip_states
from denoscope.models.transformer import Calls, Transformer, gated_tap, map_taps, modulation_taps, token_pair, token_tap
from denoscope.models.words import TextPart

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components

__all__ = ["MMDiT"]

_ZERO = ("shift", "scale", "gate")


class MMDiT(Transformer):
    """An `SD3Transformer2DModel`: image and text tokens with weights of their own, joined in attention.

    Per block and stream: post = pre + attn (+ attn2) + mlp. The last block updates the image alone.
    """

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.levels = RectifiedFlow()

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """Penultimate states of both CLIP encoders side by side, then T5 states; pooled CLIP texts side by side.

        Without T5 its tokens are zeros, as the pipeline has them.
        """
        import torch

        if any(prompt is None for prompt in prompts):
            return self._zeros(len(prompts))
        words = [prompt or "" for prompt in prompts]
        encoders = [named(self.parts.text, name) for name in ("text_encoder", "text_encoder_2")]
        outputs = [clip_states(encoder, words, self.device) for encoder in encoders]
        clip = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1).to(self.dtype)
        width = self.config.joint_attention_dim
        clip = torch.nn.functional.pad(clip, (0, width - clip.shape[-1]))
        pooled = torch.cat([output.text_embeds for output in outputs], dim=-1)
        return Text(torch.cat([clip, self._t5(words)], dim=1), pooled.to(self.dtype))

    def text_parts(self) -> Sequence[TextPart]:
        """CLIP's tokens (both encoders have the same ones), then those of T5 where it was loaded."""
        clip = named(self.parts.text, "text_encoder").tokenizer
        later = [encoder.tokenizer for encoder in self.parts.text if encoder.name == "text_encoder_3"]
        length = clip.model_max_length
        return (TextPart(clip, 0, length), *(TextPart(t5, length, self._length(256)) for t5 in later))

    def _t5(self, words: Sequence[str]) -> torch.Tensor:
        import torch

        length, width = self._length(256), self.config.joint_attention_dim
        if not any(encoder.name == "text_encoder_3" for encoder in self.parts.text):
            return torch.zeros(len(words), length, width, device=self.device, dtype=self.dtype)
        return t5_states(named(self.parts.text, "text_encoder_3"), words, length, self.device)[0].to(self.dtype)

    def _zeros(self, rows: int) -> Text:
        import torch

        clip = self.parts.text[0].tokenizer.model_max_length if self.parts.text else 77
        shape = (rows, clip + self._length(256), self.config.joint_attention_dim)
        context = torch.zeros(shape, device=self.device, dtype=self.dtype)
        return Text(context, context.new_zeros(rows, self.config.pooled_projection_dim))

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """The velocity, (row, channel, row, col); the denoiser is told 1000 * sigma."""
        self._enter(latents, text.context.shape[1])
        largest = self.config.pos_embed_max_size
        if max(self._cells) > largest:
            side = largest * self.patch * self.factor
            raise InputError(f"the model knows positions up to {side} x {side} pixels; ask for a smaller canvas")
        return self.parts.denoiser(
            latents.to(self.device, self.dtype),
            encoder_hidden_states=text.context.to(self.device, self.dtype),
            pooled_projections=_given(text.pooled).to(self.device, self.dtype),
            timestep=timesteps.to(self.device),
            return_dict=False,
        )[0]

    def pick(self) -> Iterator[Tap]:
        """Patch embedding, then each joint block: sub-layers of both streams, the map, and what leaves the block."""
        denoiser: Any = self.parts.denoiser
        yield token_tap("dit.patch", "pos_embed")
        image, text = ("pos_embed", None), ("context_embedder", None)
        for i, block in enumerate(denoiser.transformer_blocks):
            name, path = f"dit.d.{i}", f"transformer_blocks.{i}"
            yield token_tap(f"{name}.img.pre", image[0], index=image[1])
            yield token_tap(f"{name}.txt.pre", text[0], text=True, index=text[1])
            yield from _image_taps(f"{name}.img", path, block)
            yield from _text_taps(f"{name}.txt", path, block)
            yield from _joint_map(f"{name}.map", f"{path}.attn", block.attn)
            image, text = (path, 1), (path, 0)
            yield from token_pair(f"{name}.img", path, index=1)
            if not block.context_pre_only:
                yield from token_pair(f"{name}.txt", path, text=True, index=0)
        yield self._out_tap("proj_out")


def _joint_map(name: str, path: str, attention: Any) -> Iterator[Tap]:
    needs = _joint_sources(path, attention)
    return map_taps(name, f"{path}.to_k", needs, partial(_joint_heads, needs, attention.heads))


def _image_taps(name: str, path: str, block: Any) -> Iterator[Tap]:
    """Sub-layers of the image stream; SD3.5 adds a second attention among image tokens in its early blocks."""
    norm, attn = f"{path}.norm1", f"{path}.attn"
    yield from modulation_taps(name, f"{norm}.linear", _ZERO * (3 if block.use_dual_attention else 2))
    yield token_tap(f"{name}.norm1", norm, index=0)
    for letter in "qkv":
        yield token_tap(f"{name}.{letter}", f"{attn}.to_{letter}")
    yield from gated_tap(f"{name}.attn", attn, norm, 1, index=0)
    if block.use_dual_attention:
        yield from _second_attention(f"{name}.attn2", path, block.attn2)
    yield token_tap(f"{name}.mlp.hidden", f"{path}.ff.net.0")
    yield from gated_tap(f"{name}.mlp", f"{path}.ff", norm, 4)


def _second_attention(name: str, path: str, attention: Any) -> Iterator[Tap]:
    norm, attn = f"{path}.norm1", f"{path}.attn2"
    yield token_tap(f"{name}.norm1", norm, index=5)
    for letter in "qkv":
        yield token_tap(f"{name}.{letter}", f"{attn}.to_{letter}")
    needs = _image_sources(attn, attention)
    heads = partial(_image_heads, needs, attention.heads)
    yield next(map_taps(f"{name}.map", f"{attn}.to_k", needs, heads))
    yield from gated_tap(name, attn, norm, 6)


def _text_taps(name: str, path: str, block: Any) -> Iterator[Tap]:
    """Sub-layers of the text stream; in the last block it is only read by attention."""
    norm, attn = f"{path}.norm1_context", f"{path}.attn"
    ends = block.context_pre_only
    yield from modulation_taps(name, f"{norm}.linear", ("scale", "shift") if ends else _ZERO * 2)
    yield token_tap(f"{name}.norm1", norm, text=True, index=0)
    for letter in "qkv":
        yield token_tap(f"{name}.{letter}", f"{attn}.add_{letter}_proj", text=True)
    if not ends:
        yield from gated_tap(f"{name}.attn", attn, norm, 1, text=True, index=1)
        yield token_tap(f"{name}.mlp.hidden", f"{path}.ff_context.net.0", text=True)
        yield from gated_tap(f"{name}.mlp", f"{path}.ff_context", norm, 4, text=True)


def _image_sources(path: str, attention: Any) -> tuple[str, ...]:
    """Modules that make the image's query and key, the norms where there are some."""
    names = ("norm_q", "norm_k") if attention.norm_q is not None else ("to_q", "to_k")
    return tuple(f"{path}.{name}" for name in names)


def _joint_sources(path: str, attention: Any) -> tuple[str, ...]:
    normed = attention.norm_added_q is not None
    names = ("norm_added_q", "norm_added_k") if normed else ("add_q_proj", "add_k_proj")
    return (*_image_sources(path, attention), *(f"{path}.{name}" for name in names))


def _split(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """(sample, head, token, width) of a projection or of a norm, which comes split."""
    return tensor if tensor.ndim == 4 else split_heads(tensor, heads)


def _joint_heads(needs: Sequence[str], heads: int, calls: Calls) -> tuple[torch.Tensor, torch.Tensor, int]:
    import torch

    query, key, text_query, text_key = (_split(calls[path].output, heads) for path in needs)
    return torch.cat([query, text_query], dim=2), torch.cat([key, text_key], dim=2), query.shape[2]


def _image_heads(needs: Sequence[str], heads: int, calls: Calls) -> tuple[torch.Tensor, torch.Tensor, int]:
    query, key = (_split(calls[path].output, heads) for path in needs)
    return query, key, query.shape[2]


def _given(pooled: torch.Tensor | None) -> torch.Tensor:
    if pooled is None:
        raise InputError("the model needs a pooled text beside the tokens; encode prompts with its own embed()")
    return pooled
