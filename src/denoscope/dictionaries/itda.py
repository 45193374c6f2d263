"""Inference-time decomposition of activations: a dictionary whose atoms are cells of real images."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError, StoreError, unknown
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._pursuing import Pursuing, PursuitSettings
from denoscope.dictionaries.base import rows_of
from denoscope.dictionaries.rows import Rows, rebatched, repeated

__all__ = ["ITDA", "ITDASettings", "RandomCells", "RandomCellsSettings"]

log = logging.getLogger(__name__)

_HEAD = 16_384
"""Rows from which mean and power are estimated before the first atom."""
_BIRTHS, _PICTURES = "births.json", "births.zip"
_RENEWALS = 100


@dataclass(frozen=True)
class ITDASettings(PursuitSettings):
    """Parameters of `ITDA`; `atoms` is the size that the controller aims at, or the most that a threshold may make."""

    threshold: float = 0.0
    """Unexplained share of a cell, in units of the mean squared length (its mean is FVU), above which it becomes an
    atom; 0 lets a controller choose, such that the cells fill the dictionary."""
    choose: Literal["loss", "worst"] = "loss"
    """What the controller does: draw cells with a chance in proportion to their unexplained share, or take the worst
    ones, as a threshold would."""
    alike: float = 0.95
    """Size of the cosine from which on a cell is the same direction as an atom, and becomes none."""
    renew: float = 0.0
    """Exchanges of atoms once there are as many as were asked for, in units of their number: a badly explained cell
    takes the place of the atom that is used least and most like another; 0 keeps what came first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.choose not in ("loss", "worst"):
            raise unknown("choice of cells", self.choose, ("loss", "worst"), "help(denoscope.dictionaries.itda)")
        if self.threshold < 0 or not 0 < self.alike <= 1:
            raise InputError(f"threshold must not be negative and alike in 0 ... 1, not {self.threshold}, {self.alike}")
        if not 0 <= self.renew <= _RENEWALS:
            raise InputError(f"renew lies in 0 ... {_RENEWALS}, not {self.renew:g}")


@dictionaries("itda")
class ITDA(Pursuing):
    """Atoms are cells that the atoms before them explained badly (Leask et al. 2025); codes are found by pursuit.

    x_hat = mean + codes @ atoms, atoms (x_i - mean) / |x_i - mean|. What is left of a cell, |x - x_hat|^2 over
    E|x - mean|^2, does not depend on width or scale, so that one threshold means the same at every site. Unless one is
    given, the size is: cells are drawn with a chance in proportion to what is left of them, as k-means++ draws centres
    (Arthur and Vassilvitskii 2007), at a rate that fills the dictionary. With `renew`, cells go on
    taking the places of atoms that are used least and most like others. Each atom knows its birthplace: sample, cell,
    timestep.

    Weights: `atoms`, `bias`, `loss` `(atom,)`, the share that was left of each atom's cell.
    """

    name: ClassVar[str] = "itda"
    Settings: ClassVar[type[Any]] = ITDASettings

    def __init__(self, settings: Any = None, **fields: Any) -> None:
        super().__init__(settings, **fields)
        self.births: dict[str, list[Any]] = {}
        """Columns `sample`, `cell`, `timestep`, one entry per atom, None where the rows did not say."""
        self.pictures: dict[int, bytes] = {}
        """Atom to a small WebP picture of its birthplace, where they were drawn (`denoscope dictionary births`)."""

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read until `cells` rows were seen, the batches end, or no further cell can become an atom.

        Args:
            batches: arrays, tensors or `Rows`; the places of `Rows` become birthplaces.

        Raises:
            InputError: no rows, rows that do not vary, NaN or infinite values, or too few atoms for k.
        """
        from denoscope.dictionaries._growing import Growing

        rows = rebatched(repeated(batches), self.settings.cells, self.settings.batch)
        head: list[Rows] = []
        for batch in rows:
            head.append(batch)
            if sum(map(len, head)) >= _HEAD:
                break
        mean, power = _moments(head)
        growing, to_come = Growing(self.settings, mean, power), self.settings.cells
        for batch in chain(head, rows):
            to_come -= len(batch)
            growing.read(batch, to_come)
            if growing.done:
                break
        self._keep(growing, mean)
        return self

    def save(self, folder: str | PathLike[str]) -> None:
        """As every dictionary, and `births.json` beside it; pictures of birthplaces as `births.zip`."""
        super().save(folder)
        (Path(folder) / _BIRTHS).write_text(json.dumps(self.births))
        if self.pictures:
            with ZipFile(Path(folder) / _PICTURES, "w") as archive:
                for atom, picture in sorted(self.pictures.items()):
                    archive.writestr(f"{atom:06d}.webp", picture)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Self:
        """Read what `save` wrote."""
        made = super().load(folder)
        place = Path(folder) / _BIRTHS
        made.births = json.loads(place.read_text()) if place.exists() else {}
        made.pictures = _pictures(Path(folder) / _PICTURES)
        return made

    def told(self) -> dict[str, list[Any]]:
        """What is known of each atom: where it was born, and what was left of that cell."""
        return {
            "born in": self.births["sample"],
            "cell": self.births["cell"],
            "loss then": self.weights["loss"].tolist(),
        }

    def _keep(self, growing: Any, mean: NDArray[np.float32]) -> None:
        told = self.settings
        if growing.count < told.k:
            raise InputError(f"only {growing.count} cells became atoms, fewer than k = {told.k}; lower the threshold")
        if growing.count < told.atoms:
            log.info("%d atoms of %d: the other cells were explained or alike", growing.count, told.atoms)
        self.weights = {
            "atoms": growing.atoms(),
            "bias": mean,
            "loss": np.array(growing.losses, dtype=np.float32),
        }
        columns = zip(*growing.births, strict=True)
        self.births = dict(zip(("sample", "cell", "timestep"), map(list, columns), strict=True))


@dataclass(frozen=True)
class RandomCellsSettings(PursuitSettings):
    """Parameters of `RandomCells`."""


@dictionaries("itda-random")
class RandomCells(Pursuing):
    """Atoms are cells drawn by chance, with codes by pursuit: what the choice of cells by `itda` is held against."""

    name: ClassVar[str] = "itda-random"
    Settings: ClassVar[type[Any]] = RandomCellsSettings

    def fit(self, batches: Iterable[Any]) -> Self:
        """Read `cells` rows, none of them twice, and draw atoms among them, each as likely as any other.

        Raises:
            InputError: too few rows, rows that do not vary, NaN or infinite values.
        """
        told = self.settings
        chance, head = np.random.default_rng((told.seed, 5)), list[Rows]()
        keys, kept = np.empty(0), np.empty((0, 0), dtype=np.float32)
        for batch in rebatched(_once(batches), told.cells, told.batch):
            if sum(map(len, head)) < _HEAD:
                head.append(batch)
            kept = np.concatenate([kept.reshape(-1, batch.values.shape[1]), batch.values])
            keys = np.concatenate([keys, chance.random(len(batch))])
            first = np.argsort(keys, kind="stable")[: told.atoms + 1]
            keys, kept = keys[first], kept[first]
        mean, _ = _moments(head)
        away = kept - mean
        lengths = np.linalg.norm(away, axis=1)
        away = (away[lengths > 0] / lengths[lengths > 0, None])[: told.atoms]
        if len(away) < told.atoms:
            raise InputError(f"{told.atoms} atoms need as many cells, and there were {len(away)}")
        self.weights = {"atoms": away.astype(np.float32), "bias": mean}
        return self


def _pictures(path: Path) -> dict[int, bytes]:
    """Those that were saved.

    Raises:
        StoreError: a damaged file.
    """
    if not path.exists():
        return {}
    try:
        with ZipFile(path) as archive:
            return {int(Path(name).stem): archive.read(name) for name in archive.namelist()}
    except (BadZipFile, ValueError):
        raise StoreError(f"{path} is damaged; delete it, and draw the birthplaces again") from None


def _once(batches: Iterable[Any]) -> Iterable[Rows]:
    """One reading of the batches, so that no cell is drawn twice."""
    return (Rows(values) for values in rows_of(batches))


def _moments(head: Sequence[Rows]) -> tuple[NDArray[np.float32], float]:
    """Mean, and mean squared distance to it."""
    if not head:
        raise InputError("a dictionary needs rows to learn from, and there were none")
    rows = np.concatenate([part.values for part in head])
    mean = rows.mean(axis=0, dtype=np.float64)
    power = float(np.square(rows - mean).sum(axis=1).mean())
    if not power:
        raise InputError("activations that do not vary have no directions to learn")
    return mean.astype(np.float32), power
