"""Features of DIFT: `extract_dift.py` saves one tensor per picture, `eval_spair.py` one file per category.

Tang, Jia, Wang, Phoo, Hariharan: "Emergent Correspondence from Image Diffusion", NeurIPS 2023. The picture is stretched
to 768 x 768 px unless told otherwise, `draws` noises are averaged, and what is saved is the output of an up block.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.interchange.imported.arrays import Values, as_array, torch_file
from denoscope.interchange.imported.files import below, name_of
from denoscope.interchange.imported.levels import condition_of, said_of
from denoscope.interchange.imported.rows import Entry, Part
from denoscope.interchange.imported.sizes import laying_of
from denoscope.interchange.imported.told import UNKNOWN, Settled, Told

__all__ = ["parts"]

_USUAL = {"site": "dift:1", "timestep": 261, "draws": 8, "prompt": "", "model": "sd21", "size": (768,)}


def parts(root: Path, told: Told) -> list[Part]:
    """One part: `NAME.pt` with a tensor `(channel, row, col)`, or `CATEGORY.pth` with tensors by file name.

    Raises:
        InputError: no such file, or something needed that nobody said.
    """
    settled = Settled(told, "DIFT", _USUAL)
    site = str(Site.parse(settled.need("site") or UNKNOWN))
    condition = condition_of(settled)
    entries = [entry for path in below(root, (".pt", ".pth")) for entry in _entries(root, path, site)]
    if not entries:
        raise InputError(f"no .pt or .pth file below {str(root)!r}; extract_dift.py of DIFT writes them")
    laying = laying_of(settled, "stretch", _square(entries[0]))
    return [Part("dift", entries, condition, laying, said=said_of(settled))]


def _entries(root: Path, path: Path, site: str) -> Iterator[Entry]:
    if path.suffix == ".pt":
        yield Entry(name_of(path, root), lambda: {site: _map(torch_file(path), path)}, (path,))
        return
    found = torch_file(path)
    if not isinstance(found, Mapping):
        raise InputError(f"{path} holds no tensors by file name, as eval_spair.py of DIFT saves them")
    for name, value in found.items():
        stem = Path(str(name)).with_suffix("").as_posix()
        load = partial(_loaded, site, value, path)
        yield Entry(f"{name_of(path, root)}/{stem}", load, (path,))


def _loaded(site: str, value: object, path: Path) -> dict[str, Values]:
    return {site: _map(value, path)}


def _map(value: object, path: Path) -> Values:
    """`(channel, row, col)`, without an axis of one picture.

    Raises:
        InputError: another shape.
    """
    if not hasattr(value, "shape"):
        raise InputError(f"{path} holds {type(value).__name__} where one tensor was due")
    array = as_array(value)
    array = array[0] if array.ndim == 4 and len(array) == 1 else array
    if array.ndim != 3:
        raise InputError(f"{path} has shape {tuple(array.shape)}; DIFT saves (channel, row, col)")
    return array


def _square(entry: Entry) -> bool:
    values = next(iter(entry.load().values()))
    return values.shape[1] == values.shape[2]
