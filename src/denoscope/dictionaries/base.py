"""What all dictionaries share: weights, a record of where they come from, and one format on disk.

A dictionary says x ~ codes @ atoms + bias in the units of the activations, with atoms of length one. Whatever a method
does to its input while it learns (centring, scaling) is folded back into these weights when it has learned.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.recipe import FORMAT, Origin
from denoscope.core.registry import dictionaries
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.dictionaries._files import ORIGIN, REPORT, told_of, weights_of, write_weights

__all__ = ["Learned", "load_dictionary", "rows_of"]

Array = NDArray[Any]
_READ_ALONE = {"diffract": "denoscope.dictionaries.formats.timed:TimedTranscoder"}
"""Kinds that are not learned here."""


class Learned(ABC):
    """A dictionary with weights by name; `atoms` and `bias` are always among them.

    Args:
        settings: the method's frozen dataclass of parameters; made from `fields` unless given.
        fields: its values by name.
    """

    name: ClassVar[str]
    """Under which it is registered."""
    Settings: ClassVar[type[Any]]
    """Parameters of the method, a frozen dataclass."""

    def __init__(self, settings: Any = None, **fields: Any) -> None:
        if settings is not None and fields:
            raise InputError(f"give settings or {', '.join(fields)}, not both")
        self.settings: Any = settings if settings is not None else _settings(self.Settings, fields)
        self.weights: dict[str, NDArray[np.float32]] = {}
        self.about: Mapping[str, Any] = {}
        """Where it was learned: site, condition and recipe digest, as the verb `learn` records them."""
        self.report: Report | None = None
        """How well it explains what it did not see, as the verb `learn` measured it."""
        self.folder: Path | None = None
        """Where the verb `learn` saved it."""

    @property
    def atoms(self) -> NDArray[np.float32]:
        """Directions of length one, `(atom, channel)`."""
        return self._weight("atoms")

    @property
    def bias(self) -> NDArray[np.float32]:
        """What no atom explains: the point that codes are counted from, `(channel,)`."""
        return self._weight("bias")

    @property
    def width(self) -> int:
        """Channels of what it reads."""
        return self.bias.size

    @property
    def site(self) -> Site | None:
        """Where it was learned, if that is known."""
        return Site(self.about["site"]) if "site" in self.about else None

    def encode(self, x: Any) -> Any:
        """Codes `(sample, atom)` of activations `(sample, channel)`; arrays give arrays, tensors tensors.

        Raises:
            InputError: another width, or nothing was learned yet.
        """
        if len(x.shape) != 2 or x.shape[1] != self.width:
            raise InputError(f"this dictionary reads (sample, {self.width}), not {tuple(x.shape)}")
        return self._encode(x)

    def decode(self, codes: Any) -> Any:
        """Activations `(sample, channel)` that codes `(sample, atom)` stand for: codes @ atoms + bias."""
        if len(codes.shape) != 2 or codes.shape[1] != len(self.atoms):
            raise InputError(f"this dictionary has {len(self.atoms)} atoms, not codes of shape {tuple(codes.shape)}")
        return codes @ like(self.atoms, codes) + like(self.bias, codes)

    def reconstruct(self, x: Any) -> Any:
        """What the dictionary makes of activations `(sample, channel)`: decode(encode(x))."""
        return self.decode(self.encode(x))

    @abstractmethod
    def _encode(self, x: Any) -> Any: ...

    @abstractmethod
    def fit(self, batches: Iterable[Any]) -> Self:
        """Learn from arrays or tensors `(sample, channel)`, and return itself.

        Args:
            batches: read once, or again and again where it can be iterated anew and the method wants more.
        """

    def random(self, mean: NDArray[np.float32]) -> "Learned | None":
        """The same method around `mean` with atoms drawn by chance, as a baseline; None where that means nothing."""
        return None

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `config.json`, `dictionary.safetensors`, `origin.json` and the report, where there is one.

        Whatever moment it is stopped at, the folder holds the old dictionary, the new one, or none that loads.
        """
        place = Path(folder)
        told = {"format": FORMAT, "dictionary": self.name, "settings": asdict(self.settings), "about": self.about}
        write_weights(place, told, self.weights)
        if self.report is not None:
            self.report.save(place / REPORT)
        (place / ORIGIN).write_text(json.dumps(self._origin(), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            StoreError: no dictionary of this kind and format lies there, or a damaged or half-written one.
        """
        told = told_of(Path(folder))
        if told["dictionary"] != cls.name:
            raise StoreError(f"{folder} holds a {told['dictionary']!r} dictionary, not {cls.name!r}")
        made = cls(**told["settings"])
        made.weights = weights_of(Path(folder))
        made.about = told["about"]
        if (Path(folder) / REPORT / "report.json").exists():
            made.report = Report.load(Path(folder) / REPORT)
        return made

    def push_to_hub(self, repo: str, **options: Any) -> str:
        """Put it into a repository of the Hub with a model card; its address is returned.

        Args:
            repo: OWNER/NAME.
            options: see `denoscope.dictionaries.hub.push`.
        """
        from denoscope.dictionaries.hub import push

        return push(self, repo, **options)

    def _origin(self) -> dict[str, Any]:
        """What ran, and what the weights are."""
        ran = Origin.now(0.0) if self.report is None else self.report.origin
        shapes = {name: list(array.shape) for name, array in self.weights.items()}
        return {"origin": asdict(ran), "base": dict(self.about.get("model") or {}), "weights": shapes}

    def _weight(self, name: str) -> NDArray[np.float32]:
        if name not in self.weights:
            raise InputError(f"this {self.name!r} dictionary has learned nothing yet; call fit, or the verb learn")
        return self.weights[name]

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.atoms.shape)) if self.weights else "nothing learned"
        return f"{type(self).__name__}({shape}{f' at {self.site}' if self.site else ''})"


def load_dictionary(folder: str | PathLike[str]) -> Learned:
    """The dictionary in a folder, whichever kind it is; or of the Hub, as `hf://OWNER/NAME` or `hf://OWNER/NAME@REVISION`.

    Raises:
        StoreError: none lies there, or a damaged one; of another package's files it is told how to read them.
        InputError: a repository that cannot be had, with the command that fetches it.
        UnknownName: of a kind that is not registered here.
    """
    if str(folder).startswith("hf:/"):
        from denoscope.dictionaries.hub import fetched

        folder = fetched(str(folder))
    return kind_of(told_of(Path(folder))["dictionary"]).load(folder)


def kind_of(name: str) -> "type[Learned]":
    """The class of a kind of dictionary: one that is registered, or one that is read from other packages' files alone.

    Raises:
        UnknownName: no such kind.
    """
    if name in _READ_ALONE:
        module, kind = _READ_ALONE[name].split(":")
        return getattr(import_module(module), kind)
    return dictionaries.get(name)


def rows_of(batches: Iterable[Any]) -> Iterator[NDArray[np.float32]]:
    """Batches, arrays, tensors or `Rows`, as fp32 arrays `(sample, channel)`, checked.

    Raises:
        InputError: a batch of another shape or width, or one that holds NaN or infinite values.
    """
    width = None
    for batch in batches:
        values = np.asarray(batch.detach().cpu().float() if hasattr(batch, "detach") else batch, dtype=np.float32)
        width = width or values.shape[-1]
        if values.ndim != 2 or values.shape[1] != width:
            raise InputError(f"batches must be (sample, {width}), got {values.shape}")
        if not np.isfinite(values).all():
            raise InputError("activations hold NaN or infinite values; a dictionary cannot learn from them")
        yield values


def like(weight: NDArray[np.float32], x: Any) -> Any:
    """A weight as x is: an array, or a tensor on its device and of its dtype."""
    return weight.astype(x.dtype, copy=False) if isinstance(x, np.ndarray) else x.new_tensor(weight)


def _settings(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    known = list(kind.__dataclass_fields__) if is_dataclass(kind) else []
    for name in fields:
        if name not in known:
            raise unknown("setting", name, known, f"help(denoscope.dictionaries.{kind.__module__.split('.')[-1]})")
    return kind(**fields)
