"""Diffusion transformers on image tokens alone: DiT (Peebles & Xie 2023), PixArt-alpha and Sigma (Chen et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError, unknown
from denoscope.core.site import Site
from denoscope.models.attention import Looks, probabilities, split_heads
from denoscope.models.hooks import Call, Tap
from denoscope.models.levels import VariancePreserving
from denoscope.models.t5 import named, t5_states
from denoscope.models.text import Text
from denoscope.models.transformer import (
    Calls,
    Transformer,
    gated_tap,
    modulation_taps,
    token_pair,
    token_tap,
    unpatchify,
)
from denoscope.models.words import TextPart

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components

__all__ = ["DiT", "PixArt"]

_ZERO = ("shift", "scale", "gate")


class DiT(Transformer):
    """A `DiTTransformer2DModel`, told an ImageNet class instead of a text.

    Prompts are class indices (`"207"`) or, where the checkpoint lists them, class names (`"golden retriever"`); the
    empty prompt and zeros are the null class. post = pre + attn + mlp.
    """

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.levels = VariancePreserving(parts.scheduler)

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """Class indices as a context of one token and one channel."""
        import torch

        classes = [self._class(prompt) if prompt else self._null for prompt in prompts]
        return Text(torch.tensor(classes, device=self.device).view(-1, 1, 1))

    @property
    def _null(self) -> int:
        return self.config.num_embeds_ada_norm

    def _class(self, prompt: str) -> int:
        if prompt.isdecimal():
            if int(prompt) > self._null:
                raise InputError(f"class {prompt} does not exist; classes are 0 ... {self._null - 1}")
            return int(prompt)
        if prompt not in self._names:
            raise unknown("class", prompt, self._names, f"the numbers 0 ... {self._null - 1}")
        return self._names[prompt]

    @cached_property
    def _names(self) -> dict[str, int]:
        """Every synonym of every class, from the pipeline's `id2label`."""
        labels = self.parts.pipeline.get("id2label") or {}
        return {word.strip(): int(index) for index, words in labels.items() for word in words.split(",")}

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """The predicted noise, (row, channel, row, col); the predicted variance is left out."""
        self._enter(latents, 0)
        with self._any_shape() as tokens:
            self.parts.denoiser(
                latents.to(self.device, self.dtype),
                timestep=timesteps.to(self.device),
                class_labels=text.context[:, 0, 0].to(self.device),
                return_dict=False,
            )
        return unpatchify(tokens[0], *self._cells, self.patch, self.channels_last)[:, : self.latent_channels]

    @contextmanager
    def _any_shape(self) -> Iterator[list[torch.Tensor]]:
        """Tokens of the last layer, while diffusers, which only knows square pictures, lays out a single one."""
        tokens: list[torch.Tensor] = []

        def keep(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
            tokens.append(output)
            return output[:, :1]

        handle = self.parts.denoiser.get_submodule("proj_out_2").register_forward_hook(keep)
        try:
            yield tokens
        finally:
            handle.remove()

    def pick(self) -> Iterator[Tap]:
        """Patch embedding, then each block: modulation, attention, MLP, and what leaves the block."""
        denoiser: Any = self.parts.denoiser
        yield token_tap("dit.patch", "pos_embed")
        before = "pos_embed"
        for i, block in enumerate(denoiser.transformer_blocks):
            name, path = f"dit.b.{i}", f"transformer_blocks.{i}"
            yield token_tap(f"{name}.pre", before)
            yield from modulation_taps(name, f"{path}.norm1.linear", _ZERO * 2)
            yield token_tap(f"{name}.norm1", f"{path}.norm1", index=0)
            yield from _attention_taps(name, f"{path}.attn1", block.attn1)
            yield from gated_tap(f"{name}.attn", f"{path}.attn1", f"{path}.norm1", 1)
            yield token_tap(f"{name}.mlp.hidden", f"{path}.ff.net.0")
            yield from gated_tap(f"{name}.mlp", f"{path}.ff", f"{path}.norm1", 4)
            yield from token_pair(name, path)
            before = path
        yield self._out_tap("proj_out_2")


class PixArt(Transformer):
    """A `PixArtTransformer2DModel`: a DiT that reads T5 states by cross-attention.

    One modulation for all blocks, to which each adds a table of its own; post = pre + attn + cross + mlp.
    """

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.levels = VariancePreserving(parts.scheduler)

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """T5 states of the lower-cased prompts, (row, token, width), and which tokens are not padding."""
        if any(prompt is None for prompt in prompts):
            return self._zeros(len(prompts))
        words = [(prompt or "").lower().strip() for prompt in prompts]
        encoder = named(self.parts.text, "text_encoder")
        context, mask = t5_states(encoder, words, self._tokens, self.device, masked=True)
        return Text(context.to(self.dtype), mask=mask)

    def text_parts(self) -> Sequence[TextPart]:
        """T5's tokens of the lower-cased prompt."""
        return (TextPart(named(self.parts.text, "text_encoder").tokenizer, 0, self._tokens, lower=True),)

    def _zeros(self, rows: int) -> Text:
        import torch

        shape = (rows, self._tokens, self.config.caption_channels)
        context = torch.zeros(shape, device=self.device, dtype=self.dtype)
        return Text(context, mask=context.new_ones(shape[:2], dtype=torch.long))

    @property
    def _tokens(self) -> int:
        return self._length(300 if "Sigma" in self.parts.pipeline.get("_class_name", "") else 120)

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """The predicted noise, (row, channel, row, col); the predicted variance is left out."""
        self._enter(latents, text.context.shape[1])
        output = self.parts.denoiser(
            latents.to(self.device, self.dtype),
            encoder_hidden_states=text.context.to(self.device, self.dtype),
            encoder_attention_mask=None if text.mask is None else text.mask.to(self.device),
            timestep=timesteps.to(self.device),
            added_cond_kwargs=self._sizes(latents),
            return_dict=False,
        )[0]
        return output[:, : self.latent_channels]

    def _sizes(self, latents: torch.Tensor) -> dict[str, torch.Tensor | None]:
        """Canvas sides in pixels and their ratio, for models that were trained to know them."""
        denoiser: Any = self.parts.denoiser
        if not denoiser.use_additional_conditions:
            return {"resolution": None, "aspect_ratio": None}
        height, width = (side * self.factor for side in latents.shape[-2:])
        sides = latents.new_tensor([[height, width]]).expand(len(latents), -1).to(self.device, self.dtype)
        ratio = latents.new_tensor([[height / width]]).expand(len(latents), -1).to(self.device, self.dtype)
        return {"resolution": sides, "aspect_ratio": ratio}

    def pick(self) -> Iterator[Tap]:
        """Patch embedding, then each block: modulation, self- and cross-attention, MLP, and what leaves the block."""
        denoiser: Any = self.parts.denoiser
        yield token_tap("dit.patch", "pos_embed")
        before = "pos_embed"
        for i, block in enumerate(denoiser.transformer_blocks):
            name, path = f"dit.b.{i}", f"transformer_blocks.{i}"
            yield token_tap(f"{name}.pre", before)
            yield from _table_taps(name, path, block)
            yield from _attention_taps(name, f"{path}.attn1", block.attn1)
            yield from _scaled(f"{name}.attn", f"{path}.attn1", block, 2)
            yield Tap(Site(f"{name}.norm1", f"{path}.attn1"), "tokens", _entering, (f"{path}.attn1",), _enter, True)
            yield from _attention_taps(f"{name}.cross", f"{path}.attn2", block.attn2, text=True)
            yield token_tap(f"{name}.cross", f"{path}.attn2")
            yield token_tap(f"{name}.mlp.hidden", f"{path}.ff.net.0")
            yield from _scaled(f"{name}.mlp", f"{path}.ff", block, 5)
            yield from token_pair(name, path)
            before = path
        yield self._out_tap("proj_out")


def _attention_taps(name: str, path: str, attention: Any, text: bool = False) -> Iterator[Tap]:
    """Query, key, value and probabilities of an attention, over image tokens or from them to the text."""
    yield token_tap(f"{name}.q", f"{path}.to_q")
    yield token_tap(f"{name}.k", f"{path}.to_k", text)
    yield token_tap(f"{name}.v", f"{path}.to_v", text)
    needs = (f"{path}.to_q", f"{path}.to_k", *([path] if text else []))
    looks = partial(_looks, path, attention.heads)
    told = looks if text else None
    yield Tap(Site(f"{name}.map", f"{path}.to_k"), "map", partial(_map, looks), needs, looks=told)


def _looks(path: str, heads: int, calls: Calls) -> Looks:
    query, key = (split_heads(calls[f"{path}.{name}"].output, heads) for name in ("to_q", "to_k"))
    bias = calls[path].kwargs.get("attention_mask") if path in calls else None
    return Looks(query, key, seen=None if bias is None else bias[:, 0] >= 0)


def _map(looks: Callable[[Calls], Looks], calls: Calls) -> torch.Tensor:
    found = looks(calls)
    query, key = found.query, found.key
    shape = (*query.shape[:3], key.shape[2])
    if query.is_meta:
        return query.new_empty(shape)
    if found.seen is None:
        return probabilities(query, key)
    result = query.new_zeros(shape)
    for row, seen in enumerate(found.seen):
        result[row, :, :, seen] = probabilities(query[[row]], key[[row]][:, :, seen])[0]
    return result


def _entering(calls: Calls) -> torch.Tensor:
    (call,) = calls.values()
    return call.input(0, "hidden_states")


def _enter(call: Call, value: torch.Tensor) -> Any:
    if call.args:
        return (value, *call.args[1:]), dict(call.kwargs)
    return (), {**call.kwargs, "hidden_states": value}


def _modulation(block: Any, rows: list[int], calls: Calls) -> torch.Tensor:
    """Rows of the shared modulation plus the block's table, in the order shift, scale, gate per sub-layer."""
    shared = calls["adaln_single"].output[0]
    return (block.scale_shift_table[None] + shared.reshape(len(shared), 6, -1))[:, rows]


def _table_taps(name: str, path: str, block: Any) -> Iterator[Tap]:
    parts = {"": [0, 1, 2, 3, 4, 5], ".shift": [0, 3], ".scale": [1, 4], ".gate": [2, 5]}
    for suffix, rows in parts.items():
        take, site = partial(_modulation, block, rows), Site(f"{name}.adaln{suffix}", f"{path}.scale_shift_table")
        yield Tap(site, "tokens", take, ("adaln_single",), scale=None)


def _scaled(name: str, path: str, block: Any, row: int) -> Iterator[Tap]:
    """What a sub-layer adds to the stream, gate * f(x), and as `.raw` what it returns before the gate."""

    def take(calls: Calls) -> torch.Tensor:
        return _modulation(block, [row], calls) * calls[path].output

    yield token_tap(f"{name}.raw", path)
    yield Tap(Site(name, path), "tokens", take, ("adaln_single", path))
