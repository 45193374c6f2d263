"""A page of similarity maps that needs no server and no other file."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.sample import Image
from denoscope.explorer.pack import Pack, level_name, pack
from denoscope.explorer.still import Query, still

__all__ = ["Query", "maps_page"]

_THUMBNAIL = 320


def maps_page(
    layers: Sequence[Activations],
    images: Mapping[str, Image],
    queries: Sequence[Query],
    *,
    title: str = "Similarity maps",
    lead: str = "",
    groups: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    start: tuple[str, str] | None = None,
) -> str:
    """HTML in which pointing at a cell shows how similar all cells of all images are to it.

    Args:
        layers: activations with a grid: the same samples, in the same order, at several sites and noise levels.
        images: pictures by sample id.
        queries: places that are worth a look; the first one is on show when the page opens.
        title: of the page.
        lead: one sentence below it, HTML.
        groups: heading by sample id.
        notes: paragraphs at the foot, HTML.
        start: site and noise level on show when the page opens; the first layer's unless given.

    Raises:
        InputError: the layers hold different samples, or nothing.
    """
    if not layers or not queries or any(layer.ids != layers[0].ids for layer in layers):
        raise InputError("a page of maps needs layers of the same samples and at least one query")
    packs = [pack(layer) for layer in layers]
    site, level = start or (packs[0].site, packs[0].level)
    data = {
        "views": [_view(packed) for packed in packs],
        "images": [_image(layers[0], index, images, groups or {}) for index in range(len(layers[0]))],
        "queries": [_query(query, layers[0].ids) for query in queries],
        "colours": {"sequential": _colours("viridis"), "diverging": _colours("RdBu_r")},
        "start": {"site": site, "level": level, "query": _query(queries[0], layers[0].ids)},
    }
    shown = [layer for layer in layers if level_name(layer.condition) == level]
    worst = max(packed.error for packed in packs)
    rounding = f"Live maps are computed in this page from activations in eight bits; tried against exact ones, no \
similarity was off by more than {worst:.4f}."
    return _fill(
        title=html.escape(title),
        lead=lead,
        still=_still(still(shown, images, queries), level),
        notes="".join(f"<p>{note}</p>" for note in [rounding, *notes]),
        data=json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
    )


def _view(packed: Pack) -> dict[str, Any]:
    return {
        "site": packed.site,
        "level": packed.level,
        "rows": packed.rows,
        "cols": packed.cols,
        "stride": packed.stride,
        "channels": packed.values.shape[-1],
        "meanSquare": packed.mean_square,
        "values": _base64(packed.values.tobytes()),
        "scalars": _base64(packed.scalars.astype("<f4").tobytes()),
    }


def _image(layer: Activations, index: int, images: Mapping[str, Image], groups: Mapping[str, str]) -> dict[str, Any]:
    name = layer.ids[index]
    return {
        "id": name,
        "title": name.rsplit("/", 1)[-1],
        "group": groups.get(name, "Images"),
        "frame": layer.frames[index].values,
        "url": _thumbnail(images[name]),
    }


def _query(query: Query, ids: Sequence[str]) -> dict[str, Any]:
    return {"image": ids.index(query.sample), "x": query.x, "y": query.y, "note": query.note}


def _thumbnail(image: Image) -> str:
    """The picture at the size of the page; small ones stay as they are."""
    picture = require("PIL.Image", "shrink pictures", "pillow").fromarray(image)
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
    out = BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    return f"data:image/jpeg;base64,{_base64(out.getvalue())}"


def _colours(name: str) -> str:
    """256 RGB triplets of a colour map."""
    table = require("matplotlib", "colour the maps").colormaps[name](np.linspace(0, 1, 256))[:, :3]
    return _base64(np.rint(table * 255).astype(np.uint8).tobytes())


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _still(picture: bytes, level: str) -> str:
    caption = (
        f"Cosine similarity to the marked cell at timestep {html.escape(level)}. Each site has one colour scale, from \
the 1st to the 99th percentile of its maps."
    )
    source = f"data:image/png;base64,{_base64(picture)}"
    return f'<figure class="still"><img alt="Similarity maps of several query cells at all sites" src="{source}">\
<figcaption>{caption}</figcaption></figure>'


def _fill(**parts: str) -> str:
    """The template with its places filled; a filled-in text is never searched for places again."""
    folder = files("denoscope.explorer") / "page"
    sources = {"css": "maps.css", "kernel": "kernel.js", "script": "maps.js"}
    parts |= {place: (folder / name).read_text("utf-8") for place, name in sources.items()}
    pieces = (folder / "maps.html").read_text("utf-8").split("@")
    return "".join(piece if even % 2 == 0 else parts[piece.lower()] for even, piece in enumerate(pieces))
