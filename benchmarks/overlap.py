"""Which cells become atoms of ITDA dictionaries: the embedded model beside its untrained twin, and site beside site.

Every dictionary meets all cells once, in one of two orders; pairs that are compared met them in different ones, so that
what comes first is no reason for them to share it. `python benchmarks/overlap.py` writes docs/overlap.md's numbers.
"""

import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tyro

import denoscope as ds
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.rows import PLACE, Rows
from denoscope.features.overlaps import overlaps
from denoscope.store.store import Store

MODELS = {"trained": "embedded", "untrained": "untrained:embedded"}


@dataclass(frozen=True)
class Settings:
    """What is compared."""

    scenes: int = 300
    """images of menagerie:train"""
    sites: tuple[str, ...] = ("mid", "up.0", "up.1")
    """where"""
    timestep: int = 50
    """noise level"""
    atoms: int = 512
    """of each dictionary"""
    k: int = 8
    """codes of a cell while atoms are chosen"""
    folder: Path | None = None
    """keeps the activations for the next time"""


def main(settings: Settings) -> None:
    """Choose, compare, and write a line per pair."""
    with TemporaryDirectory() as scratch:
        place = settings.folder or Path(scratch)
        stores = {name: _read(model, place / name, settings) for name, model in MODELS.items()}
        made = {
            (name, site, order): _chosen(store, site, order, settings)
            for name, store in stores.items()
            for site in settings.sites
            for order in (0, 1)
        }
        for first, second in _pairs(settings.sites):
            report = overlaps(
                [made[first], made[second]], ["a", "b"], stores=list(stores.values()), images=settings.scenes
            )
            told = {name: column[0] for name, column in report.table.items()}
            sys.stdout.write(
                f"{' '.join(map(str, first))} and {' '.join(map(str, second))}: {told['overlap']:.3f} "
                f"[{told['low']:.3f}, {told['high']:.3f}], images shuffled {told['images shuffled']:.3f} "
                f"(97.5 %: {told['shuffled, 97.5 %']:.3f}), p {told['p']:.4f}\n"
            )


def _pairs(sites: tuple[str, ...]) -> list[tuple[tuple[str, str, int], tuple[str, str, int]]]:
    """Pairs that met the cells in different orders."""
    found: list[tuple[tuple[str, str, int], tuple[str, str, int]]] = []
    for site in sites:
        found += [((name, site, 0), (name, site, 1)) for name in MODELS]
        found.append((("trained", site, 0), ("untrained", site, 1)))
    for name in MODELS:
        found += [((name, one, 0), (name, two, 1)) for one, two in combinations(sites, 2)]
    return found


def _read(model: str, folder: Path, settings: Settings) -> Store:
    return ds.extract(
        model, "menagerie:train", settings.sites, settings.timestep, out=folder, limit=settings.scenes, progress=False
    )


def _chosen(store: Store, site: str, order: int, settings: Settings) -> ITDA:
    """A dictionary of the cells of a site, met once in a random order."""
    read = store.get(site, timestep=settings.timestep)
    cells = read.tokens().numpy().astype(np.float32)
    images, each, width = cells.shape
    places = np.empty(images * each, dtype=PLACE)
    places["sample"] = np.repeat(np.array(read.ids, dtype=object), each)
    places["cell"] = np.tile(np.arange(each), images)
    mixed = np.random.default_rng(order).permutation(images * each)
    made = ITDA(atoms=settings.atoms, k=settings.k, pursuit="matching", choose="worst", cells=images * each)
    made.fit([Rows(cells.reshape(-1, width)[mixed], None, None, places[mixed])])
    made.about = {"site": site, "recipe": store.recipes[0].digest}
    return made


if __name__ == "__main__":
    main(tyro.cli(Settings))
