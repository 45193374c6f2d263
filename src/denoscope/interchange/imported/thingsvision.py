"""Features of thingsvision: one matrix for all pictures, as .npy, .pt, .txt, .mat or .hdf5, beside `file_names.txt`.

Muttenthaler, Hebart: "THINGSvision", Frontiers in Neuroinformatics 2021. `save_features` writes `features.*`, or
`features_01.*` ... where memory was short; `extract_features(output_dir=...)` writes `MODULE/features_0-32.npy` and so
on. Rows are `(channel,)`, `(token, channel)` or `(channel, row, col)`. The shorter side of a picture is scaled to
256 px and a centre square of 224 px taken, unless the network has a way of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from denoscope.core.errors import InputError
from denoscope.interchange.imported.arrays import Values, array_of, hdf5, mat
from denoscope.interchange.imported.files import below
from denoscope.interchange.imported.laying import Laying
from denoscope.interchange.imported.levels import condition_of, no_noise, said_of
from denoscope.interchange.imported.rows import Entry, Part
from denoscope.interchange.imported.sizes import laying_of
from denoscope.interchange.imported.told import Settled, Told

__all__ = ["parts"]

_SUFFIXES = (".npy", ".pt", ".txt", ".mat", ".hdf5")
_CHUNK = re.compile(r"features.*?_\d+-(\d+)")
_SPLIT = re.compile(r"features_(\d+)")
_USUAL = {"size": (256, 224)}
_PICTURE = re.compile(r"\.(eps|jpe?g|png|tiff?)$", re.IGNORECASE)


@dataclass(frozen=True)
class _Matrix:
    """Rows of one module, in several arrays, and the names of the pictures where the file has them."""

    pieces: Sequence[Values]
    files: tuple[Path, ...]
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def row(self, number: int) -> Values:
        for piece in self.pieces:
            if number < len(piece):
                return np.asarray(piece[number])
            number -= len(piece)
        raise IndexError(number)

    @property
    def file(self) -> Path:
        return self.files[0]

    @property
    def axes(self) -> int:
        return self.pieces[0].ndim - 1


def parts(root: Path, told: Told) -> list[Part]:
    """One part with all modules that are there.

    Raises:
        InputError: no features, matrices that differ in length, chunks that are not complete, rows without names.
    """
    settled = Settled(told, "thingsvision", _USUAL)
    modules = _modules(root, settled)
    sizes = {site: len(matrix) for site, matrix in modules.items()}
    names = _names(root, modules, told)
    for site, size in sizes.items():
        if size != len(names):
            raise InputError(f"{modules[site].file} holds {size} rows for {len(names)} pictures")
    grids = {site for site, matrix in modules.items() if matrix.axes == 3 or (matrix.axes == 2 and told.drop_tokens)}
    condition = no_noise() if told.timestep is None else condition_of(settled)
    laying = laying_of(settled, "crop") if grids else Laying("crop", 224, 224, 256)
    files = tuple(path for matrix in modules.values() for path in matrix.files)
    entries = [Entry(name, partial(_load, modules, number, told), files) for number, name in enumerate(names)]
    tokens = frozenset(site for site, matrix in modules.items() if matrix.axes == 2 and site not in grids)
    return [Part("thingsvision", entries, condition, laying, tokens, said_of(settled))]


def _load(modules: Mapping[str, _Matrix], number: int, told: Told) -> dict[str, Values]:
    return {site: _cells(matrix.row(number), told.drop_tokens) for site, matrix in modules.items()}


def _cells(row: Values, drop: int) -> Values:
    """A row; tokens on a square grid where it is said which ones are no cells.

    Raises:
        InputError: they fill no square.
    """
    if row.ndim != 2 or not drop:
        return row
    side = round(max(len(row) - drop, 0) ** 0.5)
    if side < 1 or side * side != len(row) - drop:
        raise InputError(f"{len(row)} tokens without the first {drop} fill no square grid; say how many are no cells")
    return row[drop:].T.reshape(-1, side, side)


def _modules(root: Path, settled: Settled) -> dict[str, _Matrix]:
    """Matrices by site."""
    folders: dict[Path, list[Path]] = {}
    for path in below(root, _SUFFIXES):
        if path.stem.startswith("features"):
            folders.setdefault(path.parent, []).append(path)
    if not folders:
        raise InputError(f"no features.npy, .pt, .txt, .mat or .hdf5 below {str(root)!r}")
    top = root.parent if root.is_file() else root
    if set(folders) == {top}:
        return {settled.need("site") or "unknown": _matrix(folders[top])}
    if settled.told.site and len(folders) > 1:
        raise InputError(f"there are {len(folders)} modules, each named by its folder; leave out site")
    return {
        settled.told.site or folder.relative_to(top).as_posix().replace("/", "."): _matrix(files)
        for folder, files in folders.items()
    }


def _matrix(files: Sequence[Path]) -> _Matrix:
    """All rows of a folder.

    Raises:
        InputError: two sets of features in one folder, or chunks that lack rows.
    """
    chunks = {path: int(found[1]) for path in files if (found := _CHUNK.fullmatch(path.stem))}
    splits = {path: int(found[1]) for path in files if (found := _SPLIT.fullmatch(path.stem))}
    whole = [path for path in files if path not in chunks and path not in splits]
    kinds = [kind for kind in (whole, chunks, splits) if kind]
    if len(kinds) != 1 or len(whole) > 1 or len({path.suffix for path in files}) > 1:
        raise InputError(f"{files[0].parent} holds several sets of features: {', '.join(p.name for p in files)}")
    if chunks:
        ordered = sorted(chunks, key=lambda path: chunks[path])
        return _Matrix(_complete(ordered, chunks), tuple(ordered))
    if whole:
        return _single(whole[0])
    ordered = sorted(splits, key=lambda path: splits[path])
    pieces = [_single(path) for path in ordered]
    names = tuple(name for piece in pieces for name in piece.names or ())
    return _Matrix([array for piece in pieces for array in piece.pieces], tuple(ordered), names or None)


def _complete(ordered: Sequence[Path], ends: Mapping[Path, int]) -> list[Values]:
    """Chunks one after the other.

    Where several modules are extracted at once, versions up to 2.7.3 count the start of a chunk wrongly for all but the
    first, and earlier ones lose rows of them: only the number after the dash is right in both.

    Raises:
        InputError: one holds fewer rows than there are between its end and the one before.
    """
    pieces, before = [array_of(path) for path in ordered], 0
    for path, piece in zip(ordered, pieces, strict=True):
        if len(piece) != ends[path] - before:
            raise InputError(
                f"{path} holds {len(piece)} rows where {ends[path] - before} were due; old versions of thingsvision "
                "lose rows of all but the first of several modules: extract one module at a time"
            )
        before = ends[path]
    return pieces


def _single(path: Path) -> _Matrix:
    if path.suffix == ".hdf5":
        found = hdf5(path)
        return _Matrix([found[name] for name in sorted(found) if name.startswith("features")], (path,))
    if path.suffix != ".mat":
        return _Matrix([array_of(path)], (path,))
    variables = {name: value for name, value in mat(path).items() if not name.startswith("__")}
    if "features" in variables:
        return _Matrix([variables["features"]], (path,))
    rows = [value[0] if value.ndim == 2 and len(value) == 1 else value for value in variables.values()]
    return _Matrix([np.stack(rows)], (path,), tuple(variables))


def _names(root: Path, modules: Mapping[str, _Matrix], told: Told) -> list[str]:
    """Name of the picture of each row.

    Raises:
        InputError: nothing tells, and nobody says that the order is that of the pictures.
    """
    first = next(iter(modules.values()))
    if first.names is not None:
        return list(first.names)
    top = root.parent if root.is_file() else root
    for folder in (first.file.parent, top):
        if (listed := folder / "file_names.txt").is_file():
            return [_plain(line) for line in listed.read_text("utf-8").splitlines() if line.strip()]
    if told.ordered:
        return [str(number) for number in range(len(first))]
    raise InputError(
        f"{first.file} does not tell which picture each row is of, and there is no file_names.txt beside it; say "
        "ordered=True (--ordered) where rows are in the order of the pictures"
    )


def _plain(line: str) -> str:
    """A name or path without its suffix, with `/`."""
    return PurePosixPath(_PICTURE.sub("", line.strip().replace("\\", "/"))).as_posix()
