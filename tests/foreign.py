"""Features as other programs write them to disk: the layouts of their files, with any values."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "dift_categories",
    "dift_each",
    "generic",
    "padded",
    "sd_dino",
    "squeezed",
    "thingsvision",
    "torchvision_crop",
]

Maps = Mapping[str, NDArray[Any]]
"""Values by picture, `CATEGORY/NAME` or `NAME`."""


def dift_each(folder: Path, maps: Maps) -> Path:
    """`extract_dift.py --output_path`: one tensor (channel, row, col) per picture."""
    for name, values in maps.items():
        _made(folder / f"{name}.pt", lambda path, values=values: torch.save(torch.tensor(values), path))
    return folder


def dift_categories(folder: Path, maps: Maps) -> Path:
    """`eval_spair.py --save_path`: one file per category, tensors (1, channel, row, col) by file name."""
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for name, values in maps.items():
        category, stem = name.split("/")
        groups.setdefault(category, {})[f"{stem}.jpg"] = torch.tensor(values)[None]
    for category, found in groups.items():
        _made(folder / f"{category}.pth", lambda path, found=found: torch.save(found, path))
    return folder


def sd_dino(folder: Path, maps: Mapping[str, Maps], dino: Maps, flip: str = "") -> Path:
    """`preprocess_map.py`: maps s3, s4, s5 per picture, and DINO's tokens as a map."""
    for name, layers in maps.items():
        told = {layer: torch.tensor(values)[None] for layer, values in layers.items()}
        _made(folder / f"{name}_sd{flip}.pt", lambda path, told=told: torch.save(told, path))
    for name, values in dino.items():
        _made(folder / f"{name}_dino{flip}.pt", lambda path, v=values: torch.save(torch.tensor(v)[None], path))
    return folder


def generic(folder: Path, layers: Mapping[str, Maps], order: str = "layer") -> Path:
    """`extract_feature.py`: LAYER/NAME.npy, NAME/LAYER.npy, or all layers resized and joined as NAME.npy."""
    names = list(next(iter(layers.values())))
    for name in names:
        if order == "joined":
            side = max(maps[name].shape[-1] for maps in layers.values())
            parts = [_nearest(maps[name], side) for maps in layers.values()]
            _made(folder / f"{name}.npy", lambda path, parts=parts: np.save(path, np.concatenate(parts)))
            continue
        for layer, maps in layers.items():
            place = f"{layer}/{name}" if order == "layer" else f"{name}/{layer}"
            _made(folder / f"{place}.npy", lambda path, v=maps[name]: np.save(path, v))
    return folder


def thingsvision(folder: Path, rows: NDArray[Any], names: Sequence[str], kind: str = "npy") -> Path:
    """`save_features(features, out_path, file_format)` beside the `file_names.txt` of its data set."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "file_names.txt").write_text("".join(f"{name}\n" for name in names))
    path = folder / f"features.{kind}"
    if kind == "npy":
        np.save(path, rows)
    elif kind == "pt":
        torch.save(torch.tensor(rows), path)
    elif kind == "txt":
        np.savetxt(path, rows)
    elif kind == "mat":
        import scipy.io

        scipy.io.savemat(path, {name.rsplit(".", 1)[0]: row for name, row in zip(names, rows, strict=True)})
    else:
        import h5py

        with h5py.File(path, "w") as file:
            file.create_dataset("features", data=rows)
    return folder


def squeezed(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """How DIFT and generic-diffusion-feature bring a picture to their size."""
    return np.asarray(Image.fromarray(image).resize((width, height)))


def padded(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """How sd-dino lays a picture on a black square: the longer side scaled, the margins as its slices cut them."""
    high, wide = image.shape[:2]
    canvas = np.zeros((side, side, 3), dtype=np.uint8)
    if high <= wide:
        small = squeezed_lanczos(image, side, int(np.around(side * high / wide)))
        height = small.shape[0]
        canvas[(side - height) // 2 : (side + height) // 2] = small
    else:
        small = squeezed_lanczos(image, int(np.around(side * wide / high)), side)
        width = small.shape[1]
        canvas[:, (side - width) // 2 : (side + width) // 2] = small
    return canvas


def squeezed_lanczos(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """As `squeezed`, with the filter of sd-dino."""
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))


def torchvision_crop(image: NDArray[np.uint8], short: int, side: int) -> NDArray[np.uint8]:
    """`Resize(short)` and `CenterCrop(side)` of torchvision, which thingsvision's default transformation makes."""
    high, wide = image.shape[:2]
    size = (short, int(short * high / wide)) if wide <= high else (int(short * wide / high), short)
    small = squeezed(image, *size)
    top, left = (round((length - side) / 2.0) for length in small.shape[:2])
    return small[top : top + side, left : left + side]


def _made(path: Path, write: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)


def _nearest(values: NDArray[Any], side: int) -> NDArray[Any]:
    return values.repeat(side // values.shape[-1], axis=-1).repeat(side // values.shape[-1], axis=-2)
