"""Which packages are installed, which are needed, and which versions the tests ran with."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["EXTRAS", "PACKAGES", "absent_of", "floor_of", "older", "tested", "version_of"]

PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "numpy", "pyarrow", "scikit-learn")
"""What nothing works without."""

EXTRAS = {
    "data": "photographs for the demo, NYU Depth v2, data sets of the Hub",
    "store": "labelled arrays (xarray), Zarr",
    "explorer": "the explorer's server",
    "widget": "the explorer in a notebook",
    "ray": "extraction on a cluster",
    "quant": "models in int8, fp8 or nf4",
    "nnsight": "sites in traces of nnsight",
    "track": "curves of training in TensorBoard or trackio",
    "oracles": "the packages that dictionaries are checked against",
}
"""Optional parts of `pip install denoscope[...]`, and what each unlocks."""

_TESTED = Path(__file__).with_name("tested.txt")
"""Exact versions; `.ci/lock.py` writes it beside constraints.txt."""


def version_of(name: str) -> str:
    """Of an installed package; empty when it is absent."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def tested() -> dict[str, str]:
    """Version of each package that the tests ran with."""
    return dict(line.split("==", 1) for line in _TESTED.read_text(encoding="utf-8").splitlines())


def floor_of(name: str) -> str:
    """Least version of a package that denoscope asks for; empty where it asks for none."""
    from packaging.utils import canonicalize_name

    for wish in _wishes(""):
        if canonicalize_name(wish.name) == canonicalize_name(name):
            return next((clause.version for clause in wish.specifier if clause.operator == ">="), "")
    return ""


def older(found: str, floor: str) -> bool:
    """Whether a version is before another."""
    from packaging.version import Version

    return Version(found) < Version(floor)


def absent_of(extra: str) -> list[str]:
    """Packages of an extra that are not installed, or are older than it asks for."""
    if extra not in (metadata("denoscope").get_all("Provides-Extra") or ()):
        return [f"an installation that knows [{extra}]"]
    return [wish.name for wish in _wishes(extra) if not _served(wish)]


def _served(wish: "Requirement") -> bool:
    found = version_of(wish.name)
    return bool(found) and wish.specifier.contains(found, prereleases=True)


def _wishes(extra: str) -> "Iterator[Requirement]":
    """What denoscope needs with one of its extras, and without the others."""
    from packaging.requirements import Requirement

    for wish in map(Requirement, requires("denoscope") or ()):
        alone = wish.marker is None or wish.marker.evaluate({"extra": ""})
        wanted = wish.marker is None or wish.marker.evaluate({"extra": extra})
        if wanted and (alone if not extra else not alone):
            yield wish
