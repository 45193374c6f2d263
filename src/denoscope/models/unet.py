"""U-Nets: Stable Diffusion 1.x, 2.x, Turbo, SDXL and its distillations, and the embedded model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from denoscope.core.site import Site
from denoscope.models.attention import Looks, probabilities, split_heads
from denoscope.models.base import Model
from denoscope.models.hooks import Call, Tap, output_tap
from denoscope.models.levels import VariancePreserving
from denoscope.models.text import Text, clip_states
from denoscope.models.words import TextPart

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components

__all__ = ["UNet"]


class UNet(Model):
    """A `UNet2DConditionModel` with cross-attention to CLIP states (Rombach et al. 2022; SDXL: Podell et al. 2023)."""

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.levels = VariancePreserving(parts.scheduler)

    # Text ----------------------------------------------------------------------------------------------------------

    def embed(self, prompts: Sequence[str | None]) -> Text:
        """CLIP states, (row, token, width); SDXL: penultimate states of both encoders and the pooled text."""
        if any(prompt is None for prompt in prompts):
            return self._zeros(len(prompts))
        words = [prompt or "" for prompt in prompts]
        outputs = [clip_states(encoder, words, self.device, hidden=self._added) for encoder in self.parts.text]
        if not self._added:
            return Text(outputs[0].last_hidden_state.to(self.dtype))
        import torch

        context = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1)
        return Text(context.to(self.dtype), outputs[-1].text_embeds.to(self.dtype))

    def text_parts(self) -> Sequence[TextPart]:
        """CLIP's tokens; SDXL's two encoders have the same ones, side by side in the channels."""
        clip = self.parts.text[0].tokenizer
        return (TextPart(clip, 0, clip.model_max_length),)

    def _zeros(self, rows: int) -> Text:
        import torch

        tokens = self.parts.text[0].tokenizer.model_max_length if self.parts.text else 77
        context = torch.zeros(rows, tokens, self._context_width, device=self.device, dtype=self.dtype)
        pooled = self._pooled_width
        return Text(context, context.new_zeros(rows, pooled) if pooled else None)

    # Denoiser ------------------------------------------------------------------------------------------------------

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, text: Text, guidance: float | None = None
    ) -> torch.Tensor:
        """The prediction, (row, channel, row, col); SDXL is told the canvas as original and target size, uncropped."""
        added = {"text_embeds": text.pooled, "time_ids": self._time_ids(latents)} if self._added else None
        return self.parts.denoiser(
            latents.to(self.device, self.dtype),
            timesteps.to(self.device),
            encoder_hidden_states=text.context.to(self.device, self.dtype),
            timestep_cond=self._guidance(guidance, len(latents)),
            added_cond_kwargs=added,
            return_dict=False,
        )[0]

    def _time_ids(self, latents: torch.Tensor) -> torch.Tensor:
        height, width = (side * self.factor for side in latents.shape[-2:])
        ids = latents.new_tensor([height, width, 0, 0, height, width])
        return ids.expand(len(latents), -1).to(self.device, self.dtype)

    def _guidance(self, guidance: float | None, rows: int) -> torch.Tensor | None:
        """Sinusoidal embedding of the guidance scale, for consistency-distilled U-Nets (Luo et al. 2023)."""
        width = self.config.time_cond_proj_dim
        if width is None:
            return None
        import torch
        from diffusers.models.embeddings import get_timestep_embedding

        scale = torch.full((rows,), 1000.0 * ((7.5 if guidance is None else guidance) - 1.0), device=self.device)
        return get_timestep_embedding(scale, width, flip_sin_to_cos=False, downscale_freq_shift=1).to(self.dtype)

    @property
    def _added(self) -> bool:
        return self.config.addition_embed_type == "text_time"

    @property
    def _context_width(self) -> int:
        width = self.config.cross_attention_dim
        return width if isinstance(width, int) else width[0]

    @property
    def _pooled_width(self) -> int:
        if not self._added:
            return 0
        return self.config.projection_class_embeddings_input_dim - 6 * self.config.addition_time_embed_dim

    # Sites ---------------------------------------------------------------------------------------------------------

    def pick(self) -> Iterator[Tap]:
        """Blocks, resnets, attentions, transformer sub-layers, samplers and skips, as they run."""
        unet: Any = self.parts.denoiser
        yield output_tap("in", "conv_in")
        depth = 1
        for i, block in enumerate(unet.down_blocks):
            yield from self._layers(f"down.{i}", f"down_blocks.{i}", block, depth)
            for j, _ in enumerate(block.downsamplers or ()):
                depth *= 2
                yield output_tap(f"down.{i}.ds", f"down_blocks.{i}.downsamplers.{j}", scale=depth)
            yield output_tap(f"down.{i}", f"down_blocks.{i}", scale=depth, index=0)
        yield from self._middle(unet.mid_block, depth)
        left = sum(len(block.resnets) for block in unet.up_blocks)
        for i, block in enumerate(unet.up_blocks):
            left -= len(block.resnets)
            for place in reversed(range(len(block.resnets))):
                yield _skip_tap(f"skip.{left + place}", f"up_blocks.{i}", place, depth)
            yield from self._layers(f"up.{i}", f"up_blocks.{i}", block, depth)
            for j, _ in enumerate(block.upsamplers or ()):
                depth //= 2
                yield output_tap(f"up.{i}.us", f"up_blocks.{i}.upsamplers.{j}", scale=depth)
            yield output_tap(f"up.{i}", f"up_blocks.{i}", scale=depth)
        yield output_tap("out", "conv_out")

    def _middle(self, block: Any, depth: int) -> Iterator[Tap]:
        if block is None:
            return
        yield from _resnet_taps("mid.res.0", "mid_block.resnets.0", block.resnets[0], depth)
        for j, resnet in enumerate(block.resnets[1:]):
            if j < len(block.attentions) and block.attentions[j] is not None:
                yield from _transformer_taps(f"mid.attn.{j}", f"mid_block.attentions.{j}", block.attentions[j], depth)
            yield from _resnet_taps(f"mid.res.{j + 1}", f"mid_block.resnets.{j + 1}", resnet, depth)
        yield output_tap("mid", "mid_block", scale=depth)

    def _layers(self, name: str, path: str, block: Any, depth: int) -> Iterator[Tap]:
        attentions = getattr(block, "attentions", None)
        for j, resnet in enumerate(block.resnets):
            yield from _resnet_taps(f"{name}.res.{j}", f"{path}.resnets.{j}", resnet, depth)
            if attentions is not None:
                yield from _transformer_taps(f"{name}.attn.{j}", f"{path}.attentions.{j}", attentions[j], depth)


def _skip_tap(name: str, path: str, place: int, depth: int) -> Tap:
    """A skip tensor as an up block receives it, so that an edit changes what the decoder sees and nothing else.

    Skips are numbered as the encoder makes them (0 is conv_in's) and consumed in reverse.
    """

    def take(calls: Mapping[str, Call]) -> torch.Tensor:
        return calls[path].kwargs[_SKIPS][place]

    def put(call: Call, value: torch.Tensor) -> Any:
        skips = call.kwargs[_SKIPS]
        return call.args, {**call.kwargs, _SKIPS: (*skips[:place], value, *skips[place + 1 :])}

    return Tap(Site(name, path), "grid", take, (path,), put, before=True, scale=depth)


_SKIPS = "res_hidden_states_tuple"


def _resnet_taps(name: str, path: str, resnet: Any, depth: int) -> Iterator[Tap]:
    """A resnet block: what it adds (`.hidden`), and its output (shortcut(x) + hidden) / scale."""
    yield output_tap(f"{name}.hidden", f"{path}.conv2", scale=depth)
    yield output_tap(name, path, scale=depth)


def _transformer_taps(name: str, path: str, transformer: Any, depth: int) -> Iterator[Tap]:
    """A `Transformer2DModel`: sub-layers of each block, then its output on the grid."""
    for k, block in enumerate(transformer.transformer_blocks):
        inner, at = f"{name}.blk.{k}", f"{path}.transformer_blocks.{k}"
        yield from _attention_taps(f"{inner}.self", f"{at}.attn1", block.attn1, depth, depth)
        if block.attn2 is not None:
            yield from _attention_taps(f"{inner}.cross", f"{at}.attn2", block.attn2, depth, None)
        yield output_tap(f"{inner}.ff.hidden", f"{at}.ff.net.0", "tokens", depth)
        yield output_tap(f"{inner}.ff.out", f"{at}.ff", "tokens", depth)
        yield output_tap(inner, at, "tokens", depth)
    yield output_tap(name, path, scale=depth)


def _attention_taps(name: str, path: str, attention: Any, depth: int, keys: int | None) -> Iterator[Tap]:
    """Query, key, value, probabilities, and the contribution that is added to the stream."""
    yield output_tap(f"{name}.q", f"{path}.to_q", "tokens", depth)
    yield output_tap(f"{name}.k", f"{path}.to_k", "tokens", keys)
    yield output_tap(f"{name}.v", f"{path}.to_v", "tokens", keys)
    needs = (f"{path}.to_q", f"{path}.to_k")
    take = partial(_map, needs, attention.heads, attention.scale)
    looks = partial(_looks, needs, attention.heads, attention.scale) if keys is None else None
    yield Tap(Site(f"{name}.map", needs[-1]), "map", take, needs, scale=depth, looks=looks)
    yield output_tap(f"{name}.out", path, "tokens", depth)


def _map(needs: tuple[str, str], heads: int, scale: float, calls: Mapping[str, Call]) -> torch.Tensor:
    looks = _looks(needs, heads, scale, calls)
    return probabilities(looks.query, looks.key, scale)


def _looks(needs: tuple[str, str], heads: int, scale: float, calls: Mapping[str, Call]) -> Looks:
    query, key = (split_heads(calls[path].output, heads) for path in needs)
    return Looks(query, key, scale=scale)
