"""Miniature twins of the published data sets: the same files in the same formats, filled with drawn scenes.

They need no download, so that every reader is tested, and whoever has no data set sees what it should look like.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from denoscope.core.errors import unknown

__all__ = ["TWINS", "build"]

TWINS: Mapping[str, str] = {
    "ap-10k": "ap10k:ap10k",
    "ap-10k-poses": "ap10k:ap10k_poses",
    "bapps": "twoafc:bapps",
    "cichy": "similarities:cichy",
    "cifar10": "cifar:cifar10",
    "cifar100": "cifar:cifar100",
    "imagenet": "imagenet:imagenet",
    "imagenet-subset": "imagenet:imagenet_subset",
    "king": "similarities:king",
    "levels": "levels:levels",
    "nights": "twoafc:nights",
    "nyu": "nyu:nyu",
    "peterson": "similarities:peterson",
    "pf-pascal": "pf:pf_pascal",
    "pf-willow": "pf:pf_willow",
    "spair": "spair:spair",
    "spair-u": "spair:spair_u",
    "things": "things:things",
    "tss": "tss:tss",
    "tiny-imagenet": "imagenet:tiny_imagenet",
}
"""Data set to the module and function that writes its twin."""


def build(name: str, folder: str | Path) -> Path:
    """Write the twin of a data set below a folder.

    Args:
        name: of the data set, as `denoscope list data` has it.
        folder: made where it does not exist.

    Returns:
        What to give as the data set's path.

    Raises:
        UnknownName: no such data set has a twin.
    """
    if name not in TWINS:
        raise unknown("twin", name, TWINS, "denoscope.data.twins.TWINS")
    module, _, function = TWINS[name].partition(":")
    write: Callable[[Path], Path] = getattr(import_module(f"{__name__}._{module}"), function)
    place = Path(folder).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    return write(place)
