"""FLUX.1 (Black Forest Labs 2024): double blocks with weights per stream, then single blocks on text and image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.models.hooks import Call, Tap
from denoscope.models.levels import RectifiedFlow
from denoscope.models.t5 import named, t5_states
from denoscope.models.text import Text, clip_states
from denoscope.models.transformer import (
    Calls,
    Transformer,
    gated_tap,
    map_taps,
    modulation_taps,
    patchify,
    token_pair,
    token_tap,
    unpatchify,
)
from denoscope.models.words import TextPart

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components

__all__ = ["GUIDANCE", "Flux"]

GUIDANCE = 3.5
"""guidance that FLUX.1-dev is told unless asked for another"""

_ZERO = ("shift", "scale", "gate")
_TRAINED = 1000.0


class Flux(Transformer):
    """A `FluxTransformer2DModel`, dev or schnell.

    Double blocks: post = pre + attn + mlp per stream. Single blocks run attention and MLP side by side and project
    both at once: post = pre + update, and update = attn + mlp up to rounding.
    """

    channels_last = False

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.levels = RectifiedFlow()
        self.patch = 2

    @property
    def latent_channels(self) -> int:
        """Channels of a latent; a token packs four cells of them."""
        return self.config.in_channels // self.patch**2

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """T5 states, (row, token, width), and the pooled CLIP text."""
        if any(prompt is None for prompt in prompts):
            return self._zeros(len(prompts))
        words = [prompt or "" for prompt in prompts]
        clip = clip_states(named(self.parts.text, "text_encoder"), words, self.device)
        context, _ = t5_states(named(self.parts.text, "text_encoder_2"), words, self._tokens, self.device)
        return Text(context.to(self.dtype), clip.pooler_output.to(self.dtype))

    def text_parts(self) -> Sequence[TextPart]:
        """T5's tokens; CLIP's text is pooled."""
        return (TextPart(named(self.parts.text, "text_encoder_2").tokenizer, 0, self._tokens),)

    def _zeros(self, rows: int) -> Text:
        import torch

        shape = (rows, self._tokens, self.config.joint_attention_dim)
        context = torch.zeros(shape, device=self.device, dtype=self.dtype)
        return Text(context, context.new_zeros(rows, self.config.pooled_projection_dim))

    @property
    def _tokens(self) -> int:
        return self._length(512 if self.config.guidance_embeds else 256)

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """The velocity, (row, channel, row, col); the denoiser is told sigma in 0 ... 1, which it scales itself."""
        import torch

        self._enter(latents, text.context.shape[1])
        if text.pooled is None:
            raise InputError("the model needs a pooled text beside the tokens; encode prompts with its own embed()")
        told = torch.full((len(latents),), GUIDANCE if guidance is None else guidance, device=self.device)
        tokens = self.parts.denoiser(
            patchify(latents, self.patch, self.channels_last).to(self.device, self.dtype),
            encoder_hidden_states=text.context.to(self.device, self.dtype),
            pooled_projections=text.pooled.to(self.device, self.dtype),
            timestep=timesteps.to(self.device, torch.float32) / _TRAINED,
            img_ids=position_ids(*self._cells).to(self.device),
            txt_ids=torch.zeros(self._words, 3, device=self.device),
            guidance=told if self.config.guidance_embeds else None,
            return_dict=False,
        )[0]
        return unpatchify(tokens, *self._cells, self.patch, self.channels_last)

    def pick(self) -> Iterator[Tap]:
        """Patch embedding, double blocks, single blocks; the prediction on the latent grid."""
        denoiser: Any = self.parts.denoiser
        yield token_tap("dit.patch", "x_embedder")
        image, text = token_tap("", "x_embedder"), token_tap("", "context_embedder", text=True)
        for i, block in enumerate(denoiser.transformer_blocks):
            name, path = f"dit.d.{i}", f"transformer_blocks.{i}"
            yield from _renamed(name, image, text)
            yield from self._double(name, path, block)
            image, text = token_tap("", path, index=1), token_tap("", path, text=True, index=0)
        for i, block in enumerate(denoiser.single_transformer_blocks):
            name, path = f"dit.s.{i}", f"single_transformer_blocks.{i}"
            yield from _renamed(name, image, text)
            image, text = self._part("", path, False, 1), self._part("", path, True, 0)
            for stream in ("img", "txt"):
                yield from self._single(f"{name}.{stream}", path, block, stream == "txt")
            heads = partial(self._single_heads, f"{path}.attn")
            yield from map_taps(f"{name}.map", f"{path}.attn.to_k", _single_sources(path), heads, text_first=True)
        yield self._out_tap("proj_out")

    def _double(self, name: str, path: str, block: Any) -> Iterator[Tap]:
        for stream, norm, ff, letters, index in _STREAMS:
            at, text = f"{name}.{stream}", stream == "txt"
            yield from modulation_taps(at, f"{path}.{norm}.linear", _ZERO * 2)
            yield token_tap(f"{at}.norm1", f"{path}.{norm}", text, index=0)
            for letter in "qkv":
                yield token_tap(f"{at}.{letter}", f"{path}.attn.{letters.format(letter)}", text)
            yield from gated_tap(f"{at}.attn", f"{path}.attn", f"{path}.{norm}", 1, text, index)
            yield token_tap(f"{at}.mlp.hidden", f"{path}.{ff}.net.0", text)
            yield from gated_tap(f"{at}.mlp", f"{path}.{ff}", f"{path}.{norm}", 4, text)
            yield from token_pair(at, path, text, 1 - index)
        heads = partial(self._double_heads, f"{path}.attn")
        yield from map_taps(f"{name}.map", f"{path}.attn.to_k", _double_sources(path), heads, text_first=True)

    def _single(self, name: str, path: str, block: Any, text: bool) -> Iterator[Tap]:
        """One stream of a single block, cut out of tokens that hold the text first."""
        yield from modulation_taps(name, f"{path}.norm.linear", _ZERO)
        yield self._part(f"{name}.norm1", f"{path}.norm", text, joint=True)
        for letter in "qkv":
            yield self._part(f"{name}.{letter}", f"{path}.attn.to_{letter}", text)
        for site, source in (("attn.hidden", "attn"), ("mlp.hidden", "act_mlp"), ("update.raw", "proj_out")):
            yield self._part(f"{name}.{site}", f"{path}.{source}", text)
        for part, source in (("attn", f"{path}.attn"), ("mlp", f"{path}.act_mlp"), ("update", f"{path}.proj_out")):
            take = partial(self._contribution, block, part, text, f"{path}.norm", source)
            yield Tap(Site(f"{name}.{part}", source), "tokens", take, (f"{path}.norm", source), scale=_scale(text))
        for suffix in ("", ".post"):
            yield self._part(f"{name}{suffix}", path, text, index=0 if text else 1)

    def _part(self, name: str, path: str, text: bool, index: int | None = None, joint: bool = False) -> Tap:
        """The text's or the image's share of a module's tokens, the text being the first `words` of them.

        Args:
            name: site.
            path: module that returns all tokens, or a tuple.
            text: which share.
            index: element of the tuple in which the stream comes on its own, where it does.
            joint: the first element of the tuple holds all tokens.
        """

        place = index or 0

        def take(calls: Calls) -> torch.Tensor:
            output = calls[path].output
            if joint:
                return self._cut(output[0], text)
            return output[place] if isinstance(output, tuple) else self._cut(output, text)

        def put(call: Call, value: torch.Tensor) -> Any:
            output = call.output
            if joint:
                return (self._pasted(output[0], value, text), *output[1:])
            if isinstance(output, tuple):
                return (*output[:place], value, *output[place + 1 :])
            return self._pasted(output, value, text)

        return Tap(Site(name, path), "tokens", take, (path,), put, scale=_scale(text))

    def _cut(self, tokens: torch.Tensor, text: bool) -> torch.Tensor:
        return tokens[:, : self._words] if text else tokens[:, self._words :]

    def _pasted(self, tokens: torch.Tensor, value: torch.Tensor, text: bool) -> torch.Tensor:
        import torch

        return torch.cat([value, self._cut(tokens, False)] if text else [self._cut(tokens, True), value], dim=1)

    def _contribution(self, block: Any, part: str, text: bool, norm: str, source: str, calls: Calls) -> torch.Tensor:
        """gate * W x of the columns of the shared projection that read attention or MLP; the MLP keeps the bias."""
        from torch.nn.functional import linear

        output, gate, project = calls[source].output, calls[norm].output[1], block.proj_out
        if part != "update":
            width = project.in_features - block.mlp_hidden_dim
            columns = slice(width) if part == "attn" else slice(width, None)
            output = linear(output, project.weight[:, columns], project.bias if part == "mlp" else None)
        return self._cut(gate.unsqueeze(1) * output, text)

    def _double_heads(self, path: str, calls: Calls) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Normalised and rotated queries and keys, image first."""
        import torch

        cos, sin = calls["pos_embed"].output
        image, text = slice(self._words, None), slice(self._words)
        found: list[torch.Tensor] = []
        for name, part in (("norm_q", image), ("norm_added_q", text), ("norm_k", image), ("norm_added_k", text)):
            found.append(_rotated(calls[f"{path}.{name}"].output, cos[part], sin[part]))
        query, key = torch.cat(found[:2], dim=2), torch.cat(found[2:], dim=2)
        return query, key, found[0].shape[2]

    def _single_heads(self, path: str, calls: Calls) -> tuple[torch.Tensor, torch.Tensor, int]:
        cos, sin = calls["pos_embed"].output
        query, key = (_rotated(calls[f"{path}.{name}"].output, cos, sin) for name in ("norm_q", "norm_k"))
        return query.roll(-self._words, 2), key.roll(-self._words, 2), query.shape[2] - self._words


_STREAMS = (
    ("img", "norm1", "ff", "to_{}", 0),
    ("txt", "norm1_context", "ff_context", "add_{}_proj", 1),
)
"""Stream, its norm, its MLP, its projections, and its place in what the joint attention returns."""


def position_ids(rows: int, cols: int) -> torch.Tensor:
    """(0, row, col) of each image token, (row * col, 3)."""
    import torch

    return torch.cartesian_prod(torch.zeros(1), torch.arange(float(rows)), torch.arange(float(cols)))


def _renamed(name: str, image: Tap, text: Tap) -> Iterator[Tap]:
    """What enters a block is what left the one before."""
    yield replace(image, site=Site(f"{name}.img.pre", image.site.path))
    yield replace(text, site=Site(f"{name}.txt.pre", text.site.path))


def _scale(text: bool) -> int | None:
    return None if text else 1


def _double_sources(path: str) -> tuple[str, ...]:
    names = ("norm_q", "norm_k", "norm_added_q", "norm_added_k")
    return ("pos_embed", *(f"{path}.attn.{name}" for name in names))


def _single_sources(path: str) -> tuple[str, ...]:
    return ("pos_embed", f"{path}.attn.norm_q", f"{path}.attn.norm_k")


def _rotated(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """(sample, token, head, width) to (sample, head, token, width) with rotary positions."""
    if heads.is_meta:
        return heads.transpose(1, 2)
    from diffusers.models.embeddings import apply_rotary_emb

    rotated: Any = apply_rotary_emb(heads, (cos, sin), sequence_dim=1)  # pyright: ignore[reportArgumentType]
    return rotated.transpose(1, 2)
