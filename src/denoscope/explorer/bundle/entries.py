"""The records that a manifest is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Box",
    "Finding",
    "ImageEntry",
    "LayerEntry",
    "PackEntry",
    "PanelEntry",
    "Point",
    "ReportEntry",
    "Segmentation",
]


@dataclass(frozen=True)
class Point:
    """A named place in an image.

    Attributes:
        name: what lies there.
        x, y: pixels of the image as it was read.
        visible: inside the image and not hidden.
    """

    name: str
    x: float
    y: float
    visible: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle around a thing.

    Attributes:
        label: what it is.
        x, y, width, height: pixels of the image as it was read.
    """

    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Segmentation:
    """Which pixel belongs to what.

    Attributes:
        file: palette PNG, below the bundle.
        labels: palette index, as text, to name.
    """

    file: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class ImageEntry:
    """One picture and what is known of it.

    Attributes:
        id: the sample's, in the store.
        title, group: for people.
        file: PNG or JPEG of at most 768 pixels a side.
        width, height: of the image as it was read; every coordinate is in its pixels.
        facts: scalars only.
        points, boxes: named places and rectangles.
        depth: grey PNG, near is bright: 255 log(far / d) / log(far / near).
        depth_range: near and far, in metres.
        segmentation: palette PNG and its labels.
        data: identifies the data set that it comes from; None for a picture that was added by hand.
    """

    id: str
    title: str
    group: str
    file: str
    width: int
    height: int
    facts: Mapping[str, str | float | bool] = field(default_factory=dict[str, "str | float | bool"])
    points: tuple[Point, ...] | None = None
    boxes: tuple[Box, ...] | None = None
    depth: str | None = None
    depth_range: tuple[float, float] | None = None
    segmentation: Segmentation | None = None
    data: str | None = None


@dataclass(frozen=True)
class PackEntry:
    """The cells of one image in one layer.

    Attributes:
        file: token pack.
        rows, cols: of the grid; cell index = row * cols + col.
        frame: `Frame.values`, the map from pixels to the canvas.
        bytes: of the file.
        invalid: cells on padding.
        recipe: digest of the store's recipe, where it is not the layer's.
    """

    file: str
    rows: int
    cols: int
    frame: tuple[float, ...]
    bytes: int
    invalid: tuple[int, ...] | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class LayerEntry:
    """One site of one model under one condition.

    Attributes:
        id: 12 hexadecimal digits made of what was asked; outlives images that join later.
        model, site, stream: where.
        level: the noise, for people: `50`, `sigma 0.3`, `clean`.
        condition: fields of the condition that are not the usual ones.
        recipe: digest of the store's recipe.
        channels: width of a cell.
        stride: canvas pixels per cell.
        share: of the model's work up to here, 0 ... 1; layers are listed by it, then by noise.
        share_of: `FLOPs`, or `rank` where the work is not known.
        mean: float32 little-endian `(channel,)`, the m that is subtracted from every cell.
        mean_square: m.m.
        bands: where each band of a pack ends; the last end is the width of q, `channels` where there is no basis.
        error: measure to the 99.9th percentile of |eight bits - exact| over real pairs, as a share of what is shown.
        packs: by image id.
        over: ids of the images whose valid cells m, and the positions, are means of.
        basis: float32 little-endian `(width, channel)`, orthonormal columns: c @ basis.T is what was rounded.
        explained: share of variance up to the end of each band.
        position: pack of the mean over images at each position, where all images share a grid.
    """

    id: str
    model: str
    site: str
    stream: str
    level: str
    condition: Mapping[str, Any]
    recipe: str
    channels: int
    stride: float
    share: float
    share_of: Literal["FLOPs", "rank"]
    mean: str
    mean_square: float
    bands: tuple[int, ...]
    error: Mapping[str, float]
    packs: Mapping[str, PackEntry]
    over: tuple[str, ...] = ()
    basis: str | None = None
    explained: tuple[float, ...] | None = None
    position: str | None = None


@dataclass(frozen=True)
class Finding:
    """A saved view that shows something, and how well it is supported.

    Attributes:
        id, title: short.
        why: one to three sentences with the measured numbers.
        state: the view, as the page's URL hash.
        python: script that measures it again.
    """

    id: str
    title: str
    why: str
    state: str
    python: str


@dataclass(frozen=True)
class ReportEntry:
    """A report of the store: its page and its data."""

    name: str
    title: str
    file: str
    data: str


@dataclass(frozen=True)
class PanelEntry:
    """Something else to show beside the maps; `docs/explorer.md` has the schema of each kind.

    Attributes:
        kind: which schema.
        name: for people, and what tells panels of a kind apart.
        file: JSON.
        files: what that names, in turn.
    """

    kind: str
    name: str
    file: str
    files: tuple[str, ...] | None = None
