"""The atoms of a dictionary as a panel of the bundle: what each did in a gallery of images, and what it is called."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from denoscope.core.errors import InputError, StoreError
from denoscope.explorer.bundle.atoms_codes import Codes, codes_from
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import PanelEntry

__all__ = [
    "KIND",
    "AtomsPanel",
    "Births",
    "Column",
    "GalleryImage",
    "Level",
    "directions_of",
    "known_atoms",
    "numbers_of",
    "put_atoms",
    "put_numbers",
    "shown_codes",
]

KIND = "atoms"


@dataclass(frozen=True)
class GalleryImage:
    """One image in which atoms are looked for.

    Attributes:
        id, title: as in the manifest, which does not list every one of them.
        file: picture.
        width, height: of the image as it was read; `frame` is in its pixels.
        rows, cols, stride, frame, invalid: as a pack has them.
        codes: safetensors file of `Codes`.
    """

    id: str
    title: str
    file: str
    width: int
    height: int
    rows: int
    cols: int
    stride: float
    frame: tuple[float, ...]
    codes: str
    invalid: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Column:
    """A number per atom to sort by; the tensor `key` of the numbers' file.

    Attributes:
        key, title: of the tensor, and for people.
        says: what it is, and over what.
    """

    key: str
    title: str
    says: str


@dataclass(frozen=True)
class Level:
    """A noise level at which the share of active cells is told; a row of the tensor `levels`.

    Attributes:
        level: in a word, as a layer has it.
        learned: whether cells of this level were learned from.
    """

    level: str
    learned: bool


@dataclass(frozen=True)
class Births:
    """Where atoms come from that are cells of images; entries are by atom, None where it is not known.

    Attributes:
        images, cells, timesteps: birthplace.
        sheets: pictures of `columns` tiles a row, each `tile` pixels square, by atom, the last one shorter.
        tile, columns: of a sheet.
        each: atoms on a sheet.
    """

    images: tuple[str | None, ...]
    cells: tuple[int | None, ...]
    timesteps: tuple[float | None, ...]
    sheets: tuple[str, ...] = ()
    tile: int = 48
    columns: int = 32
    each: int = 1024


@dataclass(frozen=True)
class AtomsPanel:
    """One dictionary at one site and noise level.

    Attributes:
        name: for people, unlike that of other dictionaries in the bundle.
        kind: of the dictionary: `topk`, `itda`.
        digest: of its weights.
        key: of everything that the panel was made from; equal keys are equal panels.
        model, site, level, recipe: where its cells lie.
        count, channels: atoms, and what they are directions of.
        signed: whether codes below zero occur.
        kept: codes that are kept of a cell, at most.
        images: the gallery; those that were added while it was served come last.
        counted: the first so many images, over which everything is counted.
        of: images that the store held there then.
        cells: of the counted images, without padding.
        power: mean squared distance of a cell from the mean; `Codes.left` / power is a cell's share of FVU.
        numbers: safetensors file: `Column.key` and the tensors that `docs/explorer.md` lists.
        directions: safetensors file: `atoms` `(atom, channel)` in half precision, `bias` `(channel,)`.
        columns: what atoms can be sorted by.
        texts: name to a text per atom: words, classes of facts, a judge's words.
        levels: rows of the tensor `levels`.
        scores: of the dictionary's reports, as `Score` has its fields.
        notes: sentences that a reader needs.
        layer: the manifest's layer of the same cells, where there is one.
        births: of atoms that are cells.
    """

    name: str
    kind: str
    digest: str
    key: str
    model: str
    site: str
    level: str
    recipe: str
    count: int
    channels: int
    signed: bool
    kept: int
    images: tuple[GalleryImage, ...]
    counted: int
    of: int
    cells: int
    power: float
    numbers: str
    directions: str
    columns: tuple[Column, ...]
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    levels: tuple[Level, ...] = ()
    scores: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    layer: str | None = None
    births: Births | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Every further file, each once."""
        pictures = [name for image in self.images for name in (image.file, image.codes)]
        sheets = self.births.sheets if self.births else ()
        return tuple(dict.fromkeys([self.numbers, self.directions, *sheets, *pictures]))

    def image(self, name: str) -> GalleryImage:
        """An image of the gallery by id.

        Raises:
            InputError: there is none.
        """
        for entry in self.images:
            if entry.id == name:
                return entry
        raise InputError(f"{name!r} is not among the {len(self.images)} images of {self.name}")

    def to_json(self) -> str:
        """The file, as `docs/explorer.md` describes it; what is not known is left out."""
        return json.dumps(_plain(self), separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "AtomsPanel":
        """Read what `to_json` wrote.

        Raises:
            StoreError: another kind of file, or a damaged one.
        """
        try:
            told = json.loads(text)
            births = told.pop("births", None)
            parts: dict[str, Any] = {
                "images": tuple(GalleryImage(**_tuples(image)) for image in told.pop("images")),
                "columns": tuple(Column(**column) for column in told.pop("columns")),
                "levels": tuple(Level(**level) for level in told.pop("levels")),
                "texts": {name: tuple(column) for name, column in told.pop("texts").items()},
                "births": Births(**_tuples(births)) if births else None,
            }
            return cls(**_tuples(told), **parts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"the atoms of this bundle are damaged: {error}") from None


def put_atoms(blobs: Blobs, panel: AtomsPanel) -> PanelEntry:
    """Write a panel's file; all that it names must be there."""
    return PanelEntry(KIND, panel.name, blobs.put(panel.to_json().encode(), "json"), panel.files)


def put_numbers(blobs: Blobs, tensors: Mapping[str, NDArray[Any]]) -> str:
    """Write tensors; returns the file's name."""
    return blobs.put(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}), "safetensors")


def known_atoms(blobs: Blobs, panels: Iterable[PanelEntry]) -> list[AtomsPanel]:
    """The panels of atoms among those of a bundle, without those that cannot be read."""
    found: list[AtomsPanel] = []
    for entry in panels:
        if entry.kind == KIND and all(map(blobs.has, (entry.file, *(entry.files or ())))):
            try:
                found.append(AtomsPanel.from_json(blobs.get(entry.file)))
            except StoreError:
                continue
    return found


def shown_codes(blobs: Blobs, panel: AtomsPanel, image: str) -> Codes:
    """The codes of an image's cells.

    Raises:
        InputError: the gallery lacks the image.
    """
    return codes_from(blobs.get(panel.image(image).codes))


def numbers_of(blobs: Blobs, panel: AtomsPanel) -> dict[str, NDArray[Any]]:
    """All numbers per atom, by name."""
    return _tensors(blobs, panel.numbers)


def directions_of(blobs: Blobs, panel: AtomsPanel) -> dict[str, NDArray[Any]]:
    """`atoms` and `bias`."""
    return _tensors(blobs, panel.directions)


def _tensors(blobs: Blobs, name: str) -> dict[str, NDArray[Any]]:
    try:
        return load(blobs.get(name))
    except (SafetensorError, ValueError) as error:
        raise StoreError(f"{name} of this bundle is damaged: {error}") from None


def _plain(value: Any) -> Any:
    """For JSON: a record without the fields that hold None; lists keep theirs."""
    if hasattr(value, "__dataclass_fields__"):
        pairs = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return {name: _plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
