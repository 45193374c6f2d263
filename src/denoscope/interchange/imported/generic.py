"""Features of generic-diffusion-feature: `extract_feature.py` saves one .npy file per picture and layer.

Meng, Xu, Wang, Cao, Huang: "Not All Diffusion Model Activations Have Been Evaluated as Discriminative Features",
NeurIPS 2024. Files lie as `LAYER/NAME.npy`, as `NAME/LAYER.npy` (`--sample_name_first`), or all layers of a picture
resized and joined as `NAME.npy` (`--aggregate_output`). Pictures are stretched to a square.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.interchange.imported.arrays import Values, npy
from denoscope.interchange.imported.files import below
from denoscope.interchange.imported.levels import condition_of, said_of
from denoscope.interchange.imported.rows import Entry, Part
from denoscope.interchange.imported.sizes import laying_of
from denoscope.interchange.imported.told import Settled, Told

__all__ = ["parts", "site_of"]

_USUAL = {"size": (1024,), "draws": 1}
_LAYER = re.compile(r"(unet|vae|down|mid|up|vit)(-[a-z0-9]+)+")
_PLACES = (
    (r"unet-after-conv-in", "in"),
    (r"unet-out", "out"),
    (r"(down|up)-level(\d+)-(down|up)sampler-out", r"\1.\2.{s}"),
    (r"(down|up)-level(\d+)-repeat(\d+)-res-out", r"\1.\2.res.\3"),
    (r"(down|up)-level(\d+)-repeat(\d+)-res-increment", r"\1.\2.res.\3.hidden"),
    (r"(down|up)-level(\d+)-repeat(\d+)-vit-out", r"\1.\2.attn.\3"),
    (r"(down|up)-level(\d+)-repeat(\d+)-vit-block(\d+)-(.+)", r"\1.\2.attn.\3.blk.\4:\5"),
    (r"mid-repeat(\d+)-res-out", r"mid.res.\1"),
    (r"mid-repeat(\d+)-res-increment", r"mid.res.\1.hidden"),
    (r"mid-vit-out", "mid.attn.0"),
    (r"mid-vit-block(\d+)-(.+)", r"mid.attn.0.blk.\1:\2"),
    (r"vit-block(\d+)-(.+)", r"dit.b.\1:\2"),
)
_INSIDE = {"out": "", "ffn-inner": ".ff.hidden"}
_INSIDE_DIT = {"out": "", "ffn-inner": ".mlp.hidden"}


def site_of(layer: str) -> str:
    """The site that a layer's name means; names that mean none are kept as they are."""
    for pattern, place in _PLACES:
        if found := re.fullmatch(pattern, layer):
            return _inside(found.expand(place).replace("{s}", f"{layer[0]}s"), layer)
    return layer


def _inside(place: str, layer: str) -> str:
    """`up.1.attn.1.blk.0:cross-q` to `up.1.attn.1.blk.0.cross.q`."""
    block, colon, part = place.partition(":")
    if not colon:
        return block
    known = _INSIDE_DIT if block.startswith("dit") else _INSIDE
    if part in known:
        return block + known[part]
    if found := re.fullmatch(r"(self|cross)-(q|k|v|map|out)", part):
        attention = "" if block.startswith("dit") and found[1] == "self" else f".{found[1]}"
        return f"{block}{attention}.{found[2]}"
    return layer


def parts(root: Path, told: Told) -> list[Part]:
    """One part with every layer that all pictures have.

    Raises:
        InputError: no .npy file, or no noise level.
    """
    settled = Settled(told, "generic-diffusion-feature", _USUAL)
    files = _by_picture(root, settled)
    if not files:
        raise InputError(f"no .npy file below {str(root)!r}; extract_feature.py writes them")
    sites = {site for layers in files.values() for site in layers}
    lacking = {name: f"no {min(sites - layers.keys())}" for name, layers in files.items() if sites - layers.keys()}
    entries = [
        Entry(name, partial(_load, layers), tuple(layers.values()))
        for name, layers in files.items()
        if name not in lacking
    ]
    if not entries:
        raise InputError(f"no picture below {str(root)!r} has every layer: {next(iter(lacking.items()))}")
    condition, laying = condition_of(settled), laying_of(settled, "stretch")
    return [Part("generic", entries, condition, laying, said=said_of(settled), lacking=lacking)]


def _by_picture(root: Path, settled: Settled) -> Mapping[str, dict[str, Path]]:
    """Files by picture and site."""
    found: dict[str, dict[str, Path]] = {}
    joined = ""
    for path in below(root, (".npy",)):
        first, *rest = path.relative_to(root if root.is_dir() else root.parent).with_suffix("").parts
        if rest and _LAYER.fullmatch(first):
            name, site = "/".join(rest), site_of(first)
        elif rest and _LAYER.fullmatch(rest[-1]):
            name, site = "/".join([first, *rest[:-1]]), site_of(rest[-1])
        else:
            joined = joined or str(Site.parse(settled.need("site") or "unknown"))
            name, site = "/".join([first, *rest]), joined
        found.setdefault(name, {})[site] = path
    return found


def _load(layers: Mapping[str, Path]) -> dict[str, Values]:
    values = {site: npy(path) for site, path in layers.items()}
    for site, array in values.items():
        if array.ndim != 3:
            raise InputError(f"{layers[site]} has shape {array.shape}; extract_feature.py saves (channel, row, col)")
    return values
