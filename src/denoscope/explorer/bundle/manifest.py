"""What a bundle says of itself: one JSON file, from which everything else is found."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from hashlib import sha256
from typing import Any, TypeVar

from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.recipe import canonical
from denoscope.explorer.bundle.entries import (
    Box,
    Finding,
    ImageEntry,
    LayerEntry,
    PackEntry,
    PanelEntry,
    Point,
    ReportEntry,
    Segmentation,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "Box",
    "Finding",
    "ImageEntry",
    "LayerEntry",
    "Manifest",
    "PackEntry",
    "PanelEntry",
    "Point",
    "ReportEntry",
    "Segmentation",
]

FORMAT, VERSION = "denoscope-bundle", 1

T = TypeVar("T")


@dataclass(frozen=True)
class Manifest:
    """Everything that a page needs to know before it reads a file.

    Attributes:
        title: of the page.
        note: one honest sentence on model and data.
        denoscope: version that wrote it.
        images, layers, findings, reports, panels: what is here; layers in computing order, then by noise.
    """

    title: str
    note: str
    denoscope: str
    images: tuple[ImageEntry, ...] = ()
    layers: tuple[LayerEntry, ...] = ()
    findings: tuple[Finding, ...] = ()
    reports: tuple[ReportEntry, ...] = ()
    panels: tuple[PanelEntry, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the content: equal exactly when everything that is shown is equal."""
        return sha256(canonical(_plain(replace(self, denoscope=""))).encode()).hexdigest()

    @property
    def files(self) -> frozenset[str]:
        """Every file that is named, below the bundle's folder."""
        return frozenset(_files(self))

    def layer(self, name: str) -> LayerEntry:
        """A layer by id, or by `site@level` where one model has it.

        Raises:
            UnknownName: there is none.
        """
        named = {layer.id: layer for layer in self.layers}
        named |= {f"{layer.site}@{layer.level}": layer for layer in reversed(self.layers)}
        if name not in named:
            raise unknown("layer", name, named, "manifest.layers")
        return named[name]

    def image(self, name: str) -> ImageEntry:
        """An image by id.

        Raises:
            UnknownName: there is none.
        """
        for entry in self.images:
            if entry.id == name:
                return entry
        raise unknown("image", name, [entry.id for entry in self.images], "manifest.images")

    def to_json(self) -> str:
        """The file; what is not known is left out."""
        head = {"format": FORMAT, "version": VERSION, "digest": self.digest}
        return json.dumps(head | _plain(self), separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            StoreError: not a manifest, or one of another version.
        """
        try:
            values = json.loads(text)
            told = values.pop("format"), values.pop("version")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoreError("this is no bundle: its manifest.json cannot be read") from None
        if told != (FORMAT, VERSION):
            raise StoreError(
                f"this bundle is {told[0]} {told[1]}; this denoscope reads {FORMAT} {VERSION}: pack the store "
                "again, or pip install --upgrade denoscope"
            )
        values.pop("digest", None)
        try:
            return _manifest(values)
        except (TypeError, KeyError, ValueError, InputError) as error:
            raise StoreError(f"this bundle's manifest.json is damaged: {error}") from None


def _plain(value: Any) -> Any:
    """For JSON, without the fields that hold None."""
    if isinstance(value, (str, float)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((entry.name, getattr(value, entry.name)) for entry in fields(value))
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _files(value: Any) -> Iterator[str]:
    """Every text in there that names a file."""
    if isinstance(value, str):
        if value.startswith("blobs/"):
            yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _files(item)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from _files(getattr(value, entry.name))


def _manifest(values: dict[str, Any]) -> Manifest:
    lists: dict[str, Any] = {
        "images": _image,
        "layers": _layer,
        "findings": _into(Finding),
        "reports": _into(ReportEntry),
        "panels": _into(PanelEntry),
    }
    made: dict[str, Any] = {name: tuple(make(item) for item in values[name]) for name, make in lists.items()}
    return Manifest(**values | made)


def _into(kind: type[T]) -> Any:
    """A maker of plain records, which takes lists as tuples."""
    return lambda item: kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in item.items()})


def _image(values: dict[str, Any]) -> ImageEntry:
    nested: dict[str, Any] = {
        "points": lambda items: tuple(Point(**item) for item in items),
        "boxes": lambda items: tuple(Box(**item) for item in items),
        "segmentation": lambda item: Segmentation(**item),
    }
    return _into(ImageEntry)(values | {name: make(values[name]) for name, make in nested.items() if name in values})


def _layer(values: dict[str, Any]) -> LayerEntry:
    packs = {name: _into(PackEntry)(item) for name, item in values["packs"].items()}
    return _into(LayerEntry)(values | {"packs": packs})
