"""The cache that the U-Net learns from: latents of rendered scenes, and captions as token ids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch import multiprocessing as mp

from denoscope.models.embedded.training.attention import prepare
from denoscope.models.embedded.training.tokenizer import build_tokenizer

__all__ = ["Cache", "LatentSet", "encode", "encode_set", "render_set", "to_pixels"]

_CHUNK = 32


@dataclass(frozen=True)
class LatentSet:
    """Which scenes to encode, how large and under which name."""

    name: str
    """name of the files"""
    size: int
    """side of the renderings, px"""
    first: int
    """index of the first scene"""
    count: int
    """number of scenes"""
    two_objects: float = 0.2
    """share of scenes with two objects; a little below the world's, to favour whole, large objects"""
    drops: tuple[float, ...] = (0.1,) * 7 + (0.6,) * 3
    """one caption per scene and entry: the probability that it leaves out a factor"""
    seed: int = 0
    """seed of scenes and captions"""


def to_pixels(images: NDArray[np.uint8]) -> Tensor:
    """uint8 (B, H, W, 3) to (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


@torch.no_grad()
def encode(vae: Any, images: NDArray[np.uint8]) -> Tensor:
    """Posterior means (B, 4, H / 4, W / 4) in fp32."""
    pixels = to_pixels(images).to(vae.dtype, memory_format=torch.channels_last)
    return vae.quant_conv(vae.encoder(pixels)).float()[:, :4]


_KINDS = ("latents", "tokens", "images")


def _create(folder: Path, of: LatentSet, length: int) -> None:
    side = of.size // 4
    shapes = (of.count, 4, side, side), (of.count, len(of.drops), length), (of.count, of.size, of.size, 3)
    for kind, shape, dtype in zip(_KINDS, shapes, (np.float16, np.int16, np.uint8), strict=True):
        np.lib.format.open_memmap(folder / f"{of.name}_{kind}.npy", "w+", dtype, shape)


def _words(world: Any, of: LatentSet, indices: range, tokenizer: Any) -> NDArray[np.int16]:
    from denoscope.data.menagerie import caption

    texts: list[str] = []
    for i in indices:
        scene, rng = world.scene(i), np.random.default_rng((of.seed, 3, i))
        texts += [caption(scene, rng, drop) for drop in of.drops]
    ids = tokenizer(texts, padding="max_length", truncation=True).input_ids
    return np.asarray(ids, dtype=np.int16).reshape(len(indices), len(of.drops), -1)


def _open(folder: Path, of: LatentSet) -> tuple[Any, Any, Any]:
    latents, tokens, images = (np.load(folder / f"{of.name}_{kind}.npy", mmap_mode="r+") for kind in _KINDS)
    return latents, tokens, images


def _parts(of: LatentSet, rank: int, workers: int) -> Iterator[slice]:
    for start in range(rank * _CHUNK, of.count, workers * _CHUNK):
        yield slice(start, min(start + _CHUNK, of.count))


def _render(rank: int, of: LatentSet, folder: Path, workers: int) -> None:
    from denoscope.data.menagerie import VOCABULARY, Menagerie

    _, tokens, images = _open(folder, of)
    tokenizer = build_tokenizer(VOCABULARY)
    world = Menagerie("train", of.size, of.first + of.count, of.seed, of.two_objects)
    for rows in _parts(of, rank, workers):
        places = range(of.first + rows.start, of.first + rows.stop)
        images[rows] = np.stack([world.image(i) for i in places])
        tokens[rows] = _words(world, of, places, tokenizer)


def _encode(rank: int, vae: Any, of: LatentSet, folder: Path, workers: int) -> None:
    if workers > 1:
        torch.set_num_threads(1)
    latents, _, images = _open(folder, of)
    for rows in _parts(of, rank, workers):
        latents[rows] = encode(vae, images[rows]).numpy()


def _spread(target: Callable[..., None], workers: int, *args: Any) -> None:
    if workers == 1:
        target(0, *args)
    else:
        mp.start_processes(target, args, nprocs=workers, start_method="spawn")


def render_set(of: LatentSet, folder: Path, workers: int = 2) -> None:
    """Render and caption the scenes of `of` into memory-mapped files; nothing is done if that is complete."""
    from denoscope.data.menagerie import VOCABULARY

    done = folder / f"{of.name}_rendered"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _create(folder, of, build_tokenizer(VOCABULARY).model_max_length)
    _spread(_render, workers, of, folder, workers)
    done.touch()


def encode_set(vae: Any, of: LatentSet, folder: Path, workers: int = 2) -> None:
    """Encode rendered scenes with an autoencoder, which is prepared and rounded to bf16 in place."""
    done = folder / f"{of.name}_encoded"
    if done.exists():
        return
    vae = prepare(vae.to(torch.bfloat16))
    _spread(_encode, workers, vae, of, folder, workers)
    done.touch()


class Cache:
    """Random batches of (latents, token ids), with the empty prompt in a tenth of the cases."""

    def __init__(self, folder: Path, name: str, empty: list[int], rng: np.random.Generator, drop: float = 0.1) -> None:
        self._latents = np.load(folder / f"{name}_latents.npy")
        self._tokens = np.load(folder / f"{name}_tokens.npy")
        self._empty, self._rng, self._drop = np.asarray(empty), rng, drop
        self._order = np.empty(0, dtype=np.int64)

    def batch(self, count: int) -> tuple[Tensor, Tensor]:
        """(count, 4, h, w) fp32 and (count, length) token ids; every scene once before any comes again."""
        if len(self._order) < count:
            self._order = np.concatenate([self._order, self._rng.permutation(len(self._latents))])
        rows, self._order = self._order[:count], self._order[count:]
        ids = self._tokens[rows, self._rng.integers(self._tokens.shape[1], size=count)].astype(np.int64)
        ids[self._rng.random(count) < self._drop] = self._empty
        return torch.from_numpy(self._latents[rows].astype(np.float32)), torch.from_numpy(ids)
