"""Features of sd-dino and of "Telling Left from Right", which saves them for whole data sets.

Zhang, Herrmann, Hur, Polania Cabrera, Jampani, Sun, Yang: "A Tale of Two Features", NeurIPS 2023; Zhang, Herrmann, Hur,
Chen, Jampani, Sun, Yang: "Telling Left from Right", CVPR 2024. `preprocess_map.py` of the latter saves `NAME_sd.pt`
(`s3`, `s4`, `s5`) and `NAME_dino.pt`, and the same of mirrored pictures with `_flip`; `extractor_sd.py` of the former
saves `s4` as `NAME.npy`. Pictures are padded with black to a square of 960 px (840 px for DINOv2).

The maps are named after strides. They are what the decoder's layers 2, 5, 8 and 11 are handed before the skip is
appended, which is what the layer before gives out.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.interchange.imported.arrays import Values, as_array, npy, torch_file
from denoscope.interchange.imported.files import below, name_of
from denoscope.interchange.imported.laying import Laying
from denoscope.interchange.imported.levels import condition_of, no_noise, said_of
from denoscope.interchange.imported.rows import Entry, Part
from denoscope.interchange.imported.sizes import laying_of
from denoscope.interchange.imported.told import Settled, Told

__all__ = ["DINO", "SITES", "parts"]

SITES = {"s5": "up.0.res.1", "s4": "up.1.attn.1", "s3": "up.2.attn.1", "s2": "up.3.attn.1"}
"""Where each map is read, of a decoder-only extraction, which is the default."""

DINO = "dinov2.blocks.11"
"""Tokens of the last block of DINOv2 ViT-B/14, on a grid."""

_PATCH = 14
_SAVED = {"timestep": 50, "model": "sd15", "size": (960,), "draws": 1}
_SHOWN = {"timestep": 0, "model": "sd13", "size": (960,), "draws": 1, "site": SITES["s4"]}


def parts(root: Path, told: Told) -> list[Part]:
    """The denoiser's maps, and DINOv2's tokens as a part of their own, where they are there.

    Raises:
        InputError: no such file, or something needed that nobody said.
    """
    found = [*_saved(root, told), *_dino(root, told)] or [*_shown(root, told)]
    if not found:
        flip = " of mirrored pictures" if told.flipped else ""
        raise InputError(f"no NAME_sd.pt, NAME_dino.pt or NAME.npy{flip} below {str(root)!r}")
    return found


def _saved(root: Path, told: Told) -> Iterator[Part]:
    if files := _named(root, "_sd", told.flipped):
        settled = Settled(told, "sd-dino", _SAVED)
        condition, laying = condition_of(settled), laying_of(settled, "pad")
        entries = [Entry(name, partial(_maps, path), (path,)) for name, path in files]
        yield Part("sd", entries, condition, laying, said=said_of(settled))


def _dino(root: Path, told: Told) -> Iterator[Part]:
    if files := _named(root, "_dino", told.flipped):
        entries = [Entry(name, partial(_tokens, path), (path,)) for name, path in files]
        side = entries[0].load()[DINO].shape[1] * _PATCH
        policy = "stretch" if told.laid == "stretch" else "pad"
        said = {"checkpoint": "dinov2-vitb14", "assumed": {"model": "dinov2-vitb14", "size": (side,)}, "unknown": []}
        yield Part("dino", entries, no_noise(), Laying(policy, side, side, mirrored=told.flipped), said=said)


def _shown(root: Path, told: Told) -> Iterator[Part]:
    if files := below(root, (".npy",)):
        settled = Settled(told, "sd-dino", _SHOWN)
        site = str(Site.parse(settled.need("site") or "unknown"))
        condition, laying = condition_of(settled), laying_of(settled, "pad")
        entries = [Entry(name_of(path, root), partial(_shown_map, site, path), (path,)) for path in files]
        yield Part("sd", entries, condition, laying, said=said_of(settled))


def _named(root: Path, mark: str, flipped: bool) -> list[tuple[str, Path]]:
    """Names of pictures and their files."""
    ending = f"{mark}_flip" if flipped else mark
    files = [path for path in below(root, (".pt",)) if path.stem.endswith(ending)]
    return [(name_of(path, root).removesuffix(ending), path) for path in files]


def _maps(path: Path) -> dict[str, Values]:
    found = torch_file(path)
    if not isinstance(found, dict) or not found.keys() <= SITES.keys() or not found:
        told = ", ".join(map(str, found)) if isinstance(found, dict) else type(found).__name__
        raise InputError(f"{path} holds {told} where maps named {', '.join(SITES)} were due")
    return {SITES[name]: _one(as_array(value), path) for name, value in sorted(found.items())}


def _tokens(path: Path) -> dict[str, Values]:
    found = torch_file(path)
    if not hasattr(found, "detach"):
        raise InputError(f"{path} holds {type(found).__name__} where one tensor was due")
    return {DINO: _one(as_array(found), path)}


def _shown_map(site: str, path: Path) -> dict[str, Values]:
    return {site: _one(npy(path), path)}


def _one(array: Values, path: Path) -> Values:
    """`(channel, row, col)` of one picture.

    Raises:
        InputError: another shape.
    """
    if array.ndim != 4 or len(array) != 1:
        raise InputError(f"{path} has shape {tuple(array.shape)}; sd-dino saves (1, channel, row, col)")
    return array[0]
