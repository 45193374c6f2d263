"""What the transformer families share: tokens of 2 x 2 latent cells, and the taps that their blocks are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.models.attention import Looks, probabilities
from denoscope.models.base import Model
from denoscope.models.hooks import Call, Tap, output_tap

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import Components

__all__ = [
    "Calls",
    "Transformer",
    "gated_tap",
    "map_taps",
    "modulation_taps",
    "patchify",
    "token_pair",
    "token_tap",
    "unpatchify",
]

Calls = Mapping[str, Call]
Heads = Callable[[Calls], "tuple[torch.Tensor, torch.Tensor, int]"]


class Transformer(Model):
    """A denoiser whose tokens are square patches of latent cells, read row by row."""

    channels_last = True
    """Within a token the channel varies fastest; Flux packs with the channel slowest."""

    def __init__(self, parts: Components) -> None:
        super().__init__(parts)
        self.patch = int(self.config.patch_size)
        self._cells = (0, 0)
        self._words = 0

    def _enter(self, latents: torch.Tensor, words: int) -> None:
        """Note the sizes of the forward that begins, for taps that split streams and rebuild grids."""
        rows, cols = latents.shape[-2:]
        if rows % self.patch or cols % self.patch:
            raise InputError(
                f"latents of {rows} x {cols} cells do not divide into patches of {self.patch} x {self.patch}"
            )
        self._cells = (rows // self.patch, cols // self.patch)
        self._words = words

    def _out_tap(self, path: str) -> Tap:
        """The prediction on the latent grid, from the tokens that the last linear layer makes."""

        def take(calls: Calls) -> torch.Tensor:
            grid = unpatchify(calls[path].output, *self._cells, self.patch, self.channels_last)
            return grid[:, : self.latent_channels]

        def put(call: Call, value: torch.Tensor) -> torch.Tensor:
            import torch

            grid = unpatchify(call.output, *self._cells, self.patch, self.channels_last)
            whole = torch.cat([value, grid[:, self.latent_channels :]], dim=1)
            return patchify(whole, self.patch, self.channels_last)

        return Tap(Site("out", path), "grid", take, (path,), put)

    def _length(self, default: int) -> int:
        """Tokens of a T5 prompt."""
        return int(self.parts.pipeline.get("max_sequence_length", default))


def patchify(latents: torch.Tensor, patch: int, channels_last: bool) -> torch.Tensor:
    """(sample, channel, row, col) to tokens (sample, row * col / patch^2, channel * patch^2)."""
    samples, channels, rows, cols = latents.shape
    blocks = latents.reshape(samples, channels, rows // patch, patch, cols // patch, patch)
    order = (0, 2, 4, 3, 5, 1) if channels_last else (0, 2, 4, 1, 3, 5)
    return blocks.permute(order).reshape(samples, -1, channels * patch * patch)


def unpatchify(tokens: torch.Tensor, rows: int, cols: int, patch: int, channels_last: bool) -> torch.Tensor:
    """The inverse of `patchify`, for `rows` x `cols` tokens."""
    samples, _, width = tokens.shape
    channels = width // patch**2
    inner = (patch, patch, channels) if channels_last else (channels, patch, patch)
    order = (0, 5, 1, 3, 2, 4) if channels_last else (0, 3, 1, 4, 2, 5)
    blocks = tokens.reshape(samples, rows, cols, *inner).permute(order)
    return blocks.reshape(samples, channels, rows * patch, cols * patch)


def token_tap(name: str, path: str, text: bool = False, index: int | None = None) -> Tap:
    """The tap of a module's tokens: image tokens lie on the canvas, text tokens do not."""
    return output_tap(name, path, "tokens", None if text else 1, index)


def token_pair(name: str, path: str, text: bool = False, index: int | None = None) -> Iterator[Tap]:
    """A block's output under its own name and as `.post`."""
    yield token_tap(name, path, text, index)
    yield token_tap(f"{name}.post", path, text, index)


def modulation_taps(name: str, path: str, order: Sequence[str]) -> Iterator[Tap]:
    """AdaLN outputs (Peebles & Xie 2023, eq. 1): `.adaln`, and of these `.shift`, `.scale` and `.gate`.

    Tokens are the sub-layers that are modulated, attention first, so (sample, 3 * sub-layer, channel) in all.

    Args:
        name: site of the stream.
        path: the linear layer that makes them.
        order: what each chunk of its output is.
    """
    chunks = {kind: [i for i, what in enumerate(order) if what == kind] for kind in ("shift", "scale", "gate")}
    everything = [i for rows in zip(*filter(None, chunks.values()), strict=True) for i in rows]
    for suffix, rows in {"": everything, **{f".{kind}": rows for kind, rows in chunks.items() if rows}}.items():
        take = partial(_take_chunks, path, len(order), rows)
        put = partial(_put_chunks, len(order), rows)
        yield Tap(Site(f"{name}.adaln{suffix}", path), "tokens", take, (path,), put, scale=None)


def _take_chunks(path: str, count: int, rows: list[int], calls: Calls) -> torch.Tensor:
    return calls[path].output.unflatten(-1, (count, -1))[:, rows]


def _put_chunks(count: int, rows: list[int], call: Call, value: torch.Tensor) -> torch.Tensor:
    chunks = call.output.unflatten(-1, (count, -1)).clone()
    chunks[:, rows] = value
    return chunks.flatten(1)


def gated_tap(
    name: str, path: str, norm: str, gate: int, text: bool = False, index: int | None = None
) -> Iterator[Tap]:
    """What a sub-layer adds to the stream, gate * f(x), and as `.raw` what it returns before the gate.

    The raw one comes first, so that the sub-layer's module path means its plain output.

    Args:
        name: site of the contribution.
        path: the sub-layer.
        norm: the adaptive norm that hands out the gate.
        gate: which element of the norm's output that is.
        text: whether the stream is the text.
        index: element of the tuple that the sub-layer returns.
    """
    raw = token_tap(f"{name}.raw", path, text, index)

    def take(calls: Calls) -> torch.Tensor:
        return calls[norm].output[gate].unsqueeze(1) * raw.take(calls)

    yield raw
    yield Tap(Site(name, path), "tokens", take, (norm, path), scale=raw.scale)


def map_taps(name: str, path: str, needs: tuple[str, ...], heads: Heads, text_first: bool = False) -> Iterator[Tap]:
    """Joint attention probabilities, image tokens before text tokens, and their quadrants.

    `.ii` holds image queries and image keys, `.it` image queries and text keys, and so on: slices of one softmax over
    all keys, so that `.ii` and `.it` of a query sum to one together.

    Args:
        name: site of the map.
        path: where it is listed.
        needs: modules that `heads` reads.
        heads: queries and keys (sample, head, token, width) with image tokens first, and the number of these.
        text_first: whether the model itself puts the text first.
    """
    kernel = path.rpartition(".")[0]
    yield Tap(Site(name, path), "map", partial(_quadrant, heads, ""), needs, scale=1)
    for quadrant in ("ii", "it", "ti", "tt"):
        take, scale = partial(_quadrant, heads, quadrant), None if quadrant == "tt" else 1
        told = {"looks": partial(_looks, heads, kernel, text_first), "kernel": kernel} if quadrant == "it" else {}
        yield Tap(Site(f"{name}.{quadrant}", path), "map", take, needs, scale=scale, **told)


def _looks(heads: Heads, kernel: str, text_first: bool, calls: Calls) -> Looks:
    query, key, images = heads(calls)
    sums = calls[kernel].sums if kernel in calls else None
    if sums is not None:
        fits, text = sums.shape == query.shape[:3], query.shape[2] - images
        sums = (sums[:, :, text:] if text_first else sums[:, :, :images]) if fits else None
    return Looks(query[:, :, :images], key, images, sums=sums)


def _quadrant(heads: Heads, quadrant: str, calls: Calls) -> torch.Tensor:
    """Rows and columns of the map, head by head, so that the whole map is never held for a part of it."""
    import torch

    query, key, images = heads(calls)
    part = {"i": slice(images), "t": slice(images, None), "": slice(None)}
    rows, columns = part[quadrant[:1]], part[quadrant[1:]]
    shape = (*query[:, :, rows].shape[:3], key[:, :, columns].shape[2])
    if query.is_meta:
        return query.new_empty(shape)
    found = [probabilities(query[:, [h], rows], key[:, [h]])[..., columns] for h in range(query.shape[1])]
    return torch.cat(found, dim=1)
