"""DifFRACT (2606.15796): a state dict per block and stream, as `transcoder_img_12.pt` or `sae_txt_6.pt`."""

import re
from pathlib import Path

import numpy as np

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.formats.reading import Tensors, tensors, write
from denoscope.dictionaries.formats.timed import TimedTranscoder

__all__ = ["FILES", "fits", "read", "save_made"]

FILES = ("transcoder_STREAM_BLOCK.pt",)
_NAME = re.compile(r"(transcoder|sae)_(img|txt)_(\d+)\.pt$")
_SCHNELL = (250.0, 500.0, 750.0, 1000.0)
"""Noise levels of Flux schnell in four steps, at which the published ones were learned."""
_PARTS = {
    "time": "time_mlp.0.weight", "time_bias": "time_mlp.0.bias", "time_2": "time_mlp.2.weight",
    "time_2_bias": "time_mlp.2.bias", "film": "mod_linear.weight", "film_bias": "mod_linear.bias",
    "encoder": "encoder.weight", "encoder_bias": "encoder.bias", "bias": "decoder.bias",
}  # fmt: skip
_NEEDED = {name: ours.replace("_", " ") for ours, name in _PARTS.items()} | {"decoder.weight": "atoms"}


def fits(folder: Path) -> bool:
    """Whether this is such a file, or a folder of such files."""
    return bool(_NAME.search(folder.name) if folder.is_file() else _files(folder))


def read(folder: Path, k: int | None = None) -> TimedTranscoder:
    """The dictionary; codes above zero, at one noise level a transcoder of ours.

    Args:
        folder: a file, or the folder of only one.
        k: not used: how many codes a cell has is learned.

    Raises:
        InputError: a folder of several.
        StoreError: a file that is damaged, lacks something, or does not fit together.
    """
    path = folder if folder.is_file() else _only(folder)
    found = tensors(path, _NEEDED)
    lengths = np.linalg.norm(found["decoder.weight"], axis=0)
    weights = {ours: found[name] for ours, name in _PARTS.items()}
    weights |= {
        "atoms": found["decoder.weight"].T / np.where(lengths > 0, lengths, 1)[:, None],
        "encoder": weights["encoder"] * lengths[:, None],
        "encoder_bias": weights["encoder_bias"] * lengths,
        "timesteps": np.array(_SCHNELL),
    }
    _check(path, weights)
    made = TimedTranscoder(atoms=len(lengths), k=min(32, len(lengths)))
    made.weights = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()}
    told = _NAME.search(path.name)
    made.about = {"format": "diffract"} if told is None else {"format": "diffract", **_place(*told.groups())}
    return made


def save_made(made: Learned, folder: Path) -> None:
    """Write one file that DifFRACT's `TemporalAwareTranscoder` reads, named after the site.

    Raises:
        InputError: a dictionary of another kind: ours look at the noise level through another network.
    """
    if not isinstance(made, TimedTranscoder):
        raise InputError(f"DifFRACT's files hold ReLU codes under its own network of the noise level, which a "
                         f"{made.name!r} dictionary has not; write what it is at one level as sae_lens")  # fmt: skip
    arrays = {name: made.weights[ours] for ours, name in _PARTS.items()} | {"decoder.weight": made.atoms.T}
    write(folder / str(made.about.get("file", "transcoder_img_0.pt")), arrays)


def _place(kind: str, stream: str, block: str) -> dict[str, str]:
    """Of one file's dictionary: the MLP of a joint block."""
    return {"file": f"{kind}_{stream}_{block}.pt", "site": f"dit.d.{int(block)}.{stream}.mlp.raw",
            "reads": "what goes into the MLP" if kind == "transcoder" else "what comes out of the MLP"}  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.pt")) if _NAME.search(path.name)]


def _only(folder: Path) -> Path:
    found = _files(folder) or sorted(folder.glob("*.pt"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found[:3])
        raise InputError(f"{folder} holds {len(found)} files of dictionaries ({names}, ...); name one of them")
    return found[0]


def _check(path: Path, weights: Tensors) -> None:
    """Raise where shapes do not fit together."""
    (atoms, width), channels = weights["encoder"].shape, weights["bias"].size
    waves, hidden = weights["time"].shape[1], weights["time"].shape[0]
    shapes = {"atoms": (atoms, channels), "encoder_bias": (atoms,), "time_bias": (hidden,), "film": (2 * width, waves),
              "film_bias": (2 * width,), "time_2": (waves, hidden), "time_2_bias": (waves,)}  # fmt: skip
    wrong = [name for name, shape in shapes.items() if weights[name].shape != shape]
    if wrong or waves % 2 or not all(np.isfinite(array).all() for array in weights.values()):
        raise StoreError(f"{path} holds weights that do not fit together or are not finite: {', '.join(wrong)}")
