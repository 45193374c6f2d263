"""Dictionaries at three and one blocks of the embedded model: what docs/results/dictionaries/ is made of.

    python benchmarks/learned.py              everything, some 25 minutes on one core; a second run goes on
    python benchmarks/learned.py --tiny       a few images, to see that it runs
    python benchmarks/learned.py --sites up.1 some of the sites
    python benchmarks/learned.py --steer      only steering, with what was learned
    python benchmarks/learned.py --write      only the pages, from what was measured

Stores, dictionaries and what each was measured at go to runs/learned; tables and figures to docs/results/dictionaries.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from contenders.atompages import write
from contenders.atoms import FACTS, Contestant, Scenes, measured
from contenders.atomscores import Place
from contenders.atomsteer import steered
from numpy.typing import NDArray

import denoscope as ds
from denoscope.core.registry import dictionaries
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.rows import PLACE, Rows, joined
from denoscope.store.store import Store

DOCS, RUNS = Path("docs/results/dictionaries"), Path("runs/learned")
"""From the repository's root, where this is run."""
SITES = ("mid", "up.0", "up.1", "up.2")
ORDER = (*(("trained", site) for site in SITES[:3]), *(("twin", site) for site in SITES[:3]), ("trained", "up.2"))
"""Models and sites; what was asked for first."""
METHODS = ("topk", "temporal", "itda")
BASELINES = ("topk-random", "random", "itda-random", "kmeans", "nmf", "pca", "neurons", "topk-pursued")
DRAWN = ("topk-random", "itda-random")
"""Baselines that are drawn a second time, as the methods are: what differs between draws is not what differs between
methods."""


@dataclass(frozen=True)
class Size:
    """Of everything."""

    train: int = 900
    """Scenes to learn from, as the model was trained on."""
    test: int = 1500
    """Scenes with one object each that nothing was learned from."""
    looked: int = 600
    """Of these, whose maps are held against masks."""
    atoms: int = 512
    """Directions of each dictionary."""
    k: int = 8
    """Codes per cell."""
    cells: int = 300_000
    """Cells that an autoencoder trains on, some of them again."""
    held: int = 150_000
    """Different cells that are held of each site, over all noise levels."""
    grown: int = 30_000
    """Cells that become an ITDA dictionary."""


_TINY = Size(48, 64, 32, 64, 4, 3000, 3000, 1500)
LEVELS = {"trained": (50, 200, 500, 800), "twin": (50, 500)}
"""Noise levels that are learned from, mixed."""
SCORED = {"up.2": (50,), "twin": (50,), "nmf": (50,), "kmeans": (50,), "-again": (50,), "-pursued": (50,),
          "random": (50, 500), "pca": (50, 500), "neurons": (50, 500)}  # fmt: skip
"""What is not scored at all levels, because it takes long: by site, model, name, or end of a name."""
SPARED = {"up.1": ("nmf",), "up.2": ("nmf", "kmeans", "random")}
"""What is not scored at all at sites with many cells."""
MASKED = (50, 500)
"""Noise levels at which maps are held against masks."""
_BATCH = 50


def main() -> None:
    """Read, learn, measure, write."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--tiny", action="store_true")
    asked.add_argument("--sites", nargs="*", default=SITES)
    asked.add_argument("--steer", action="store_true", help="only steer, with what was learned")
    asked.add_argument("--write", action="store_true", help="only write the pages from what was measured")
    told = asked.parse_args()
    runs = RUNS.with_name("learned-tiny") if told.tiny else RUNS
    size = _TINY if told.tiny else Size()
    if not told.write and not told.steer:
        measure(runs, size, told.sites)
    if not told.write:
        steered(runs, told.sites, read(runs, "trained", size)[0], told.tiny)
    write(runs, runs / "docs" if told.tiny else DOCS, SITES, METHODS)


def measure(runs: Path, size: Size, sites: Sequence[str]) -> None:
    """One file per dictionary, in `runs/units`; what is there already is not measured again."""
    (runs / "units").mkdir(parents=True, exist_ok=True)
    (runs / "size.json").write_text(json.dumps(size.__dict__, indent=1))
    stores = {which: read(runs, which, size) for which in LEVELS}
    scenes = _scenes(runs, stores["trained"][1], size)
    for which, site in ORDER:
        if site in sites:
            Bench(runs, which, site, size, *stores[which], scenes).done()


def read(runs: Path, which: str, size: Size) -> tuple[Store, Store]:
    """Stores of scenes to learn from and of others."""
    model = ds.load("embedded" if which == "trained" else "untrained:embedded")
    data = {"train": f"menagerie:train,count={size.train},size=96",
            "test": f"menagerie:test,count={size.test},size=96,objects=one"}  # fmt: skip
    keep, levels = ds.Keep(dtype="fp16"), LEVELS[which]
    made = [ds.extract(model, spec, SITES, levels, out=runs / f"{which}-{part}", keep=keep, progress=False)
            for part, spec in data.items()]  # fmt: skip
    return made[0], made[1]


def _scenes(runs: Path, test: Store, size: Size) -> Scenes:
    ids = list(test.volumes[0].table.ids)
    facts, world = test.facts(), ds.open_data(str(test.data()))
    place = runs / "masks.npy"
    if not place.exists():
        shown = {one.id: np.asarray(one.facts["mask"]) > 0 for one in (world[i] for i in range(size.test))}
        np.save(place, np.stack([shown[name] for name in ids[: size.looked]]))
    scenes = Scenes.of([facts[name] for name in ids], np.load(place))
    np.savez(runs / "scenes.npz", truth=scenes.truth, half=scenes.half, masks=scenes.masks,
             **{f"classes {fact}": [part.start, part.stop] for fact, part in scenes.classes.items()})  # fmt: skip
    return scenes


class Cells:
    """Cells to learn from, mixed anew each time they are read."""

    def __init__(self, rows: Rows, seed: int) -> None:
        self.rows, self._seed, self._turn = rows, seed, 0

    def __iter__(self) -> Iterator[Rows]:
        self._turn += 1
        order = np.random.default_rng((self._seed, self._turn)).permutation(len(self.rows))
        for start in range(0, len(order), 4096):
            yield self.rows[order[start : start + 4096]]


@dataclass(frozen=True, eq=False)
class Bench:
    """All dictionaries at one site of one model."""

    runs: Path
    which: str
    site: str
    size: Size
    train: Store
    test: Store
    scenes: Scenes

    def done(self) -> None:
        """Learn what is not learned yet, measure what is not measured yet."""
        rows = None
        twin = self.which == "twin"
        wanted = ("topk", "itda") if twin else METHODS
        again = () if twin else tuple(f"{name}-{kind}" for kind in ("again", "half0", "half1") for name in METHODS)
        again += () if twin else tuple(f"{name}-again" for name in DRAWN)
        whole = () if twin else ("pca-all", "neurons-all")
        names = (*wanted, *whole, *(("topk-random", "random") if twin else BASELINES), *again)
        for name in (name for name in names if name not in SPARED.get(self.site, ())):
            started = time.perf_counter()
            if not (self._folder(name) / "config.json").exists():
                rows = self._rows() if rows is None else rows
                self._learned(name, rows).save(self._folder(name))
            seconds = time.perf_counter() - started
            spared = ("half0", "half1", "all", *(("again",) if self.site == "up.2" else ()))
            if not name.endswith(spared) and self._measured(name):
                done = time.perf_counter() - started - seconds
                print(f"{self.which} {self.site} {name}: {seconds:.0f} s + {done:.0f} s", flush=True)
        self._probed()

    def _folder(self, name: str) -> Path:
        return self.runs / "dictionaries" / f"{self.which}-{self.site}-{name}"

    def _unit(self, name: str) -> Place:
        return Place(self.runs / "units", self.which, self.site, name)

    def _levels(self, name: str) -> tuple[float, ...]:
        known = LEVELS[self.which]
        told = self.site, self.which, name, f"-{name.rpartition('-')[2]}"
        return tuple(level for level in known if all(level in SCORED.get(one, known) for one in told))

    def _rows(self) -> Rows:
        """Some cells of every image at every level; as many of each."""
        levels, rng, parts = LEVELS[self.which], np.random.default_rng(31), []
        for level in levels:
            for batch in self.train.batches(self.site, size=_BATCH, timestep=level):
                values = batch.tokens().numpy()
                images, cells, width = values.shape
                count = min(cells, -(-self.size.held // (self.size.train * len(levels))))
                chosen = rng.permuted(np.tile(np.arange(cells), (images, 1)), axis=1)[:, :count]
                places = np.empty((images, count), dtype=PLACE)
                places["sample"], places["cell"] = np.array(batch.ids, dtype=object)[:, None], chosen
                kept = np.take_along_axis(values, chosen[:, :, None], axis=1).reshape(-1, width).astype(np.float32)
                parts.append(Rows(kept, np.full(len(kept), level, np.float32), None, places.reshape(-1)))
        return joined(parts)

    def _learned(self, name: str, rows: Rows) -> Learned:
        """A dictionary of the table, by its name there: the method, and which cells and seed."""
        size, (method, _, kind) = self.size, name.rpartition("-")
        if name == "topk-pursued":
            return _pursued(load_dictionary(self._folder("topk")), size)
        seeds = {"again": 1, "half0": 2, "half1": 3}
        method, seed = (method, seeds[kind]) if kind in seeds else (name, 0)
        if kind.startswith("half"):
            side = {one: sha256(f"deal {one}".encode()).digest()[0] % 2 for one in set(rows.places["sample"])}  # pyright: ignore
            rows = rows[np.flatnonzero([side[one] == int(kind[-1]) for one in rows.places["sample"]])]  # pyright: ignore
        made = _fitted(method, size, seed, Cells(rows, seed))
        known = self.train.volumes[0]
        made.about = {"site": self.site, "condition": ds.Condition(timestep=50).to_dict(),
                      "recipe": known.recipe.digest, "timesteps": list(LEVELS[self.which])}  # fmt: skip
        return made

    def _measured(self, name: str) -> bool:
        unit = self._unit(name)
        if unit.json.exists():
            return False
        one, told, arrays = self._contestant(name), {}, {}
        for level in self._levels(name):
            stored = self.test.batches(self.site, size=_BATCH, timestep=level)
            found, more = measured(one, stored, level, self.scenes, level in MASKED)
            told[f"{level:g}"] = found
            arrays |= {f"{level:g} {key}": value for key, value in more.items()}
        unit.keep(told, arrays)
        return True

    def _contestant(self, name: str) -> Contestant:
        made = load_dictionary(self._folder(name))
        if name not in ("pca", "neurons"):
            return Contestant(made, places="again" not in name and name not in ("nmf", "kmeans"))
        whole = load_dictionary(self._folder(f"{name}-all"))
        return Contestant(made, whole, both=True)

    def _probed(self) -> None:
        """What a linear map of pooled cells calls: how much of each fact there is to find."""
        unit = self._unit("probe")
        if unit.json.exists():
            return
        arrays = {}
        for level in self._levels("probe"):
            stored = self.test.batches(self.site, size=_BATCH, timestep=level)
            pooled = np.concatenate([_pooled(batch.tokens().numpy().astype(np.float32)) for batch in stored])
            arrays[f"{level:g} calls"] = _linear(pooled, self.scenes)
        unit.keep({f"{level:g}": {} for level in self._levels("probe")}, arrays)


def _fitted(method: str, size: Size, seed: int, cells: Cells) -> Learned:
    trained = {"atoms": size.atoms, "k": size.k, "cells": size.cells, "batch": 512, "lr": 2e-3, "seed": seed}
    pursued = {"atoms": size.atoms, "k": size.k, "cells": size.grown, "seed": seed}
    width = cells.rows.values.shape[1]
    if method == "topk-random":
        mean = cells.rows.values.mean(axis=0, dtype=np.float64).astype(np.float32)
        start = dictionaries.get("topk")(**trained)
        start.weights = {"atoms": np.zeros((size.atoms, mean.size), np.float32)}
        return start.random(mean)
    settings: dict[str, dict[str, Any]] = {
        "topk": trained, "temporal": trained, "itda": pursued, "itda-random": pursued,
        "random": pursued, "kmeans": {"atoms": size.atoms, "cells": size.grown}, "nmf": {},
        "pca": {"atoms": size.k}, "pca-all": {"atoms": width}, "neurons": {"k": size.k}, "neurons-all": {"k": width},
    }  # fmt: skip
    return dictionaries.get(method.removesuffix("-all"))(**settings[method]).fit(cells)


def _pursued(made: Learned, size: Size) -> Learned:
    """The same atoms, with codes by pursuit: what is the encoder's, and what the atoms'."""
    found = dictionaries.get("random")(atoms=size.atoms, k=size.k)
    found.weights = {"atoms": made.atoms, "bias": made.bias}
    return found


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean, largest and smallest value of each channel over cells, `(image, 3 channel)`."""
    return np.concatenate([values.mean(axis=1), values.max(axis=1), values.min(axis=1)], axis=1)


def _linear(pooled: NDArray[np.float32], scenes: Scenes) -> NDArray[np.bool_]:
    """Ridge classifiers, taught by one half of the images, asked on the other."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    calls = np.zeros_like(scenes.truth)
    for fact in FACTS:
        labels = scenes.truth[:, scenes.classes[fact]].argmax(axis=1)
        for side in (0, 1):
            learn, ask = scenes.half == side, scenes.half != side
            made = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(0, 5, 6)))
            told = made.fit(pooled[learn], labels[learn]).predict(pooled[ask])
            calls[np.flatnonzero(ask), scenes.classes[fact].start + told] = True
    return calls


if __name__ == "__main__":
    main()
