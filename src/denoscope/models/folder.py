"""A checkpoint's folder in diffusers format, and the components that it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError
from denoscope.models.cards import Card
from denoscope.models.components import Components, TextEncoder
from denoscope.models.hub import fetch_file
from denoscope.models.quantising import quiet

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["DENOISERS", "components", "weight_digest"]

Told = Callable[[str, str, str], Mapping[str, Any]]
DENOISERS = ("unet", "transformer")
"""What pipelines call their denoiser."""


def components(
    folder: Path,
    dtypes: Mapping[str, torch.dtype],
    known: Card | None = None,
    local_only: bool = True,
    told: Told | None = None,
) -> Components:
    """The networks of a folder, read as its `model_index.json` says; text encoders only when a prompt needs them.

    Args:
        folder: a checkpoint in diffusers format.
        dtypes: precision of `denoiser`, `vae` and `text`.
        known: the card, where the name is a registered one; it may replace the denoiser's weights.
        local_only: never download such a replacement.
        told: what else `from_pretrained` is told, by component, library and class: how weights are quantised.

    Raises:
        InputError: a component that is missing, damaged or of a class that is not read.
    """
    index = _json(folder / "model_index.json")
    name = next((part for part in DENOISERS if part in index), None)
    if name is None:
        raise InputError(f"{folder} names no denoiser; its model_index.json lists {', '.join(_parts(index))}")
    if known is not None and known.unet is not None:
        denoiser = _replacement(folder, index, name, known.unet, dtypes["denoiser"], local_only)
    else:
        denoiser = _network(folder, index, name, dtypes["denoiser"], told)
    return Components(
        denoiser=denoiser,
        vae=_network(folder, index, "vae", dtypes["vae"]),
        text=[_text(folder, index, part, dtypes["text"], told) for part in _text_names(index)],
        scheduler={**_json(folder / "scheduler" / "scheduler_config.json"), **(known.scheduler if known else {})},
        pipeline={key: value for key, value in index.items() if not isinstance(value, list)},
        native=known.native if known else _native(folder, name),
        **({"steps": known.steps, "guidance": known.guidance} if known else {}),
    )


def _parts(index: Mapping[str, Any]) -> list[str]:
    return [name for name, value in index.items() if isinstance(value, list) and value[0] is not None]


def _text_names(index: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in _parts(index) if name.startswith("text_encoder"))


def _network(
    folder: Path, index: Mapping[str, Any], name: str, dtype: torch.dtype, told: Told | None = None
) -> nn.Module:
    """One component from its sub-folder, in `dtype`.

    Raises:
        InputError: the component is missing or cannot be read.
    """
    if name not in _parts(index):
        raise InputError(f"{folder} has no {name}; it has {', '.join(_parts(index))}")
    library, kind = index[name]
    if library not in ("diffusers", "transformers"):
        raise InputError(f"{name} of {folder} is a {kind} of {library!r}, which denoscope does not read")
    return _pretrained(library, kind, name, folder, dtype, told(name, library, kind) if told else {})


def _pretrained(
    library: str, kind: str, name: str, folder: Path, dtype: torch.dtype, more: Mapping[str, Any] | None = None
) -> nn.Module:
    """The network that a library's class reads from a sub-folder with `config.json` and weights."""
    from torch import nn

    with _told(name, folder), quiet():
        source: Any = getattr(import_module(library), kind)
        if not _is_kind(source, nn.Module):  # an `Auto...` class might run code of the checkpoint
            raise TypeError(f"{kind} of {library} is no network")
        options = {"torch_dtype": dtype, "local_files_only": True, **_variant(folder / name), **(more or {})}
        return source.from_pretrained(folder / name, **options)


def _is_kind(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base)


@contextmanager
def _told(name: str, where: object) -> Generator[None]:
    """Whatever goes wrong in reading a component becomes one line that names it."""
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, ImportError) as error:
        reason = str(error).strip().split("\n")[0][:160] or type(error).__name__
        raise InputError(f"cannot read {name} of {where}: {reason}") from None


def _variant(folder: Path) -> dict[str, str]:
    """Half-precision files, when a folder has no others."""
    files = [file.name for file in folder.glob("*.safetensors*")]
    return {"variant": "fp16"} if files and all(".fp16" in file for file in files) else {}


def _text(folder: Path, index: Mapping[str, Any], name: str, dtype: torch.dtype, told: Told | None) -> TextEncoder:
    import transformers

    tokenizer = name.replace("text_encoder", "tokenizer")
    if not (folder / name).is_dir() or not (folder / tokenizer).is_dir():
        raise InputError(f"{folder} has no {name if not (folder / name).is_dir() else tokenizer} folder")
    with _told(tokenizer, folder):
        made = transformers.AutoTokenizer.from_pretrained(
            folder / tokenizer, local_files_only=True, trust_remote_code=False
        )
    if len(set(map(tuple, made(["a cat", "a dog"]).input_ids))) < 2:
        raise InputError(f"{tokenizer} of {folder} reads every word alike; its vocabulary file is damaged")

    def bring() -> nn.Module:
        return _network(folder, index, name, dtype, told).requires_grad_(False).eval()

    return TextEncoder(name, made, None, bring)


def _replacement(
    folder: Path,
    index: Mapping[str, Any],
    name: str,
    source: tuple[str, str, str | None],
    dtype: torch.dtype,
    local_only: bool,
) -> nn.Module:
    """A denoiser from another repository: a file for the base model's configuration, or a folder with its own."""
    import diffusers
    from safetensors.torch import load_file

    repo, file, revision = source
    weights = fetch_file(repo, file, revision, local_only)
    part, _, _ = file.rpartition("/")
    if part:
        fetch_file(repo, f"{part}/config.json", revision, local_only)
        library, kind = index[name]
        return _pretrained(library, kind, part, weights.parent.parent, dtype)
    with _told(file, repo):
        denoiser: Any = getattr(diffusers, index[name][1]).from_config(_json(folder / name / "config.json"))
        denoiser.load_state_dict(load_file(weights))
    return denoiser.to(dtype)


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(f"{path.parent.parent} lacks {path.parent.name}/{path.name}")
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise InputError(f"{path} is damaged: it cannot be read as JSON") from None


def _native(folder: Path, name: str) -> int:
    """Side of the training images: the denoiser's sample size in latent cells times the VAE's factor."""
    cells = _json(folder / name / "config.json").get("sample_size") or 64
    levels = len(_json(folder / "vae" / "config.json")["block_out_channels"])
    return int(cells) * 2 ** (levels - 1)


def weight_digest(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights, configurations and vocabularies, 16 hexadecimal digits.

    Of files above 256 MB only the length and 64 evenly spaced blocks of 1 MB are read.
    """
    digest = sha256()
    weights = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("*.bin"))
    for file in (*weights, *sorted(folder.rglob("*.json")), *sorted(folder.rglob("*.txt"))):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as handle:
            for start in range(0, size, 1 << 20) if size <= 1 << 28 else range(0, size, size // 64):
                handle.seek(start)
                digest.update(handle.read(1 << 20))
    return digest.hexdigest()[:16]
