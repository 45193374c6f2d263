"""Learning from several sites or noise levels of the same cells at once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import made_folder, opened, usual
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.rank import rank
from denoscope.core.recipe import Recipe
from denoscope.core.registry import dictionaries
from denoscope.core.report import Score
from denoscope.core.site import Site
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries.base import Learned
from denoscope.dictionaries.joint import joint_rows
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.rows import Rows
from denoscope.learn.reporting import reported
from denoscope.learn.source import dealt
from denoscope.learn.stream import Stream
from denoscope.measures.statistics import bootstrap_ratio
from denoscope.progress import progress_bar
from denoscope.store.store import Store

__all__ = ["learn_joint", "refuse_parts"]

_ROWS = 32
"""Images that are read at a time, over all parts together."""


def learn_joint(
    store: Store | str | Path,
    dictionary: str = "crosscoder",
    sites: Sequence[str | Site] = (),
    timesteps: Sequence[float] = (),
    *,
    recipe: str | Recipe | None = None,
    held_out: float = 0.1,
    out: str | Path | None = None,
    keep: str | Path | None = None,
    baselines: Sequence[str] | None = None,
    buffer: float = 256.0,
    progress: bool = True,
    **settings: Any,
) -> Learned:
    """Learn from rows that hold every site at every noise level, one after the other, and measure what was held out.

    Args:
        store: a store, or its folder or URL.
        dictionary: `crosscoder`, whose codes are shared by all parts, or `residual`, for one site at several levels.
        sites: names or aliases; the only one that is stored unless given.
        timesteps: noise levels; for `residual` those of a trajectory, whose order is that of generation.
        recipe: digest, or its beginning, where several recipes hold the sites.
        held_out: share of the images that nothing is learned from.
        out: folder to save to; `dictionaries/NAME` in the store unless given.
        keep: folder for a log and checkpoints.
        baselines: further dictionaries that the report shows beside it.
        buffer: MB of cells that are held to be shuffled.
        progress: show a bar with the time left.
        settings: of the dictionary; the parts are told to it.

    Raises:
        UnknownName: a setting, site or recipe that does not exist.
        InputError: another dictionary, parts that lie in several recipes, or too few images.
        StoreError: nothing is stored.
    """
    started = time.perf_counter()
    place = opened(store)
    levels = sorted(set(map(float, timesteps)), reverse=True) if dictionary == "residual" else list(timesteps)
    parts = _parts(place, sites, levels, recipe)
    source = _source(place, parts, held_out)
    made: Learned = dictionaries.get(dictionary)(**_settings(dictionary, source, settings))
    if keep is not None and isinstance(made, Autoencoder):
        made_folder(keep)
    here = rank()
    with progress_bar("learn", int(made.settings.cells), progress and here.first) as advance:
        stream = Stream(source, buffer, int(made.settings.batch), None, advance)
        made.fit(stream) if keep is None else _kept(made, stream, keep)
    streams = {name: {"site": str(part.site), "condition": part.condition.to_dict()} for name, part in source.named()}
    made.about = {"streams": streams, "recipe": source.recipe.digest, "model": dict(source.recipe.model)}
    if not here.first:
        return made
    mixed = Stream(source, buffer, int(made.settings.batch))
    further = (*_by_part(made, source), *stream.scores())
    made.report = reported(made, source, started, baselines, source.blocks(0), mixed, further)
    name = place.save(made.report)
    if out is not None or place.place.local:
        made.folder = Path(out if out is not None else place.place.path(f"dictionaries/{name}"))
        made.save(made.folder)
    return made


def refuse_parts(made: Learned) -> None:
    """Say so where a dictionary of several parts is to learn from one site.

    Raises:
        InputError: with the function that reads them.
    """
    told = getattr(made.settings, {"crosscoder": "widths", "residual": "levels"}.get(made.name, ""), ())
    if len(told) > 1:
        raise InputError(f"learn reads one site, and this {made.name} {len(told)} parts: learn_joint(store, sites=...)")


@dataclass(frozen=True)
class _Part:
    """One site under one condition."""

    site: Site
    condition: Condition
    width: int


@dataclass(frozen=True)
class _Joint:
    """A source of rows that hold all parts; see `Source`."""

    store: Store
    parts: tuple[_Part, ...]
    recipe: Recipe
    per_image: int
    train: frozenset[str]
    test: frozenset[str]

    cheap = True

    @property
    def site(self) -> Site:
        """That of the first part."""
        return self.parts[0].site

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """That of the first part: a row holds all of them."""
        return (self.parts[0].condition,)

    @property
    def width(self) -> int:
        """Channels of all parts."""
        return sum(part.width for part in self.parts)

    @property
    def per_turn(self) -> int:
        """Rows that one pass gives."""
        return len(self.train) * self.per_image

    @property
    def counts(self) -> tuple[int, int]:
        """Images to learn from, and held out."""
        return len(self.train), len(self.test)

    @property
    def told(self) -> Mapping[str, Any]:
        """Names of the parts."""
        return {"parts": ", ".join(name for name, _ in self.named())}

    def named(self) -> list[tuple[str, _Part]]:
        """Parts by the shortest names that tell them apart."""
        sites = len({part.site for part in self.parts}) > 1
        levels = len({part.condition for part in self.parts}) > 1
        return [(_name(part, sites, levels), part) for part in self.parts]

    def blocks(self, turn: int) -> Iterator[Rows]:
        """Rows to learn from, some images at a time."""
        for parts in self._batches(turn):
            rows = [row for row, name in enumerate(parts[0].ids) if name in self.train]
            if rows:
                yield joint_rows([part.select(rows) for part in parts])

    def held(self) -> Iterator[tuple[int, str, NDArray[np.float32]]]:
        """Held-out rows, image by image."""
        for parts in self._batches(None):
            for row, name in enumerate(parts[0].ids):
                if name in self.test:
                    yield 0, name, joint_rows([part.select([row]) for part in parts]).values

    def _batches(self, seed: int | None) -> Iterator[tuple[Activations, ...]]:
        size, digest = max(1, _ROWS // len(self.parts)), self.recipe.digest
        streams = [
            self.store.batches(part.site, part.condition, size, shuffle_seed=seed, recipe=digest) for part in self.parts
        ]
        yield from zip(*streams, strict=True)


def _parts(
    store: Store, sites: Sequence[str | Site], timesteps: Sequence[float], recipe: str | Recipe | None
) -> list[tuple[Any, Site, Condition]]:
    """Volume, site and condition of every part, sites first."""
    asked = [{"timestep": level} for level in timesteps] or [{}]
    return [usual(store, site, None, recipe, **one) for site in (list(sites) or [None]) for one in asked]


def _source(store: Store, parts: Sequence[tuple[Any, Site, Condition]], share: float) -> _Joint:
    volume = parts[0][0]
    if len({part.recipe.digest for part, _, _ in parts}) > 1:
        raise InputError("several recipes hold these sites and noise levels; say which with recipe")
    if len({(site, condition) for _, site, condition in parts}) < len(parts):
        raise InputError("a site at a noise level is named twice; joint rows hold each once")
    train, test = dealt(volume.table.ids, share)
    first = [volume.read(site, condition, np.arange(1)) for _, site, condition in parts]
    widths = [part.tokens().shape[-1] for part in first]
    told = tuple(_Part(site, condition, width) for (_, site, condition), width in zip(parts, widths, strict=True))
    return _Joint(store, told, volume.recipe, len(joint_rows(first)), train, test)


def _settings(dictionary: str, source: _Joint, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a dictionary is told of the parts.

    Raises:
        InputError: one that does not read several parts, or a trajectory through several sites.
    """
    if dictionary == "crosscoder":
        names = tuple(name for name, _ in source.named())
        return {"widths": tuple(part.width for part in source.parts), "names": names, **asked}
    if dictionary != "residual":
        raise InputError(f"several parts are read by crosscoder or residual, not by {dictionary}; learn reads one site")
    if len({part.site for part in source.parts}) > 1:
        raise InputError("a residual dictionary follows one site through the noise levels; give one in sites")
    return {"levels": tuple(part.condition.timestep or 0.0 for part in source.parts), **asked}


def _kept(made: Learned, stream: Stream, keep: str | Path) -> None:
    if isinstance(made, Autoencoder):
        made.fit(stream, keep)


def _name(part: _Part, sites: bool, levels: bool) -> str:
    level = str(part.condition) if part.condition.timestep is None else f"{part.condition.timestep:g}"
    return " at ".join([str(part.site)] * (sites or not levels) + [level] * levels)


def _by_part(made: Learned, source: _Joint) -> list[Score]:
    """FVU of each part on held-out images, beside as many principal components of whole rows as there are codes."""
    ends = np.cumsum([0, *(part.width for part in source.parts)])
    codes = int(made.settings.k) * max(1, len(made.atoms) // int(made.settings.atoms))
    linear = PCA(atoms=min(codes, source.width)).fit(source.blocks(0))
    held = [rows for _, _, rows in source.held()]
    mean = np.concatenate(held).mean(axis=0, dtype=np.float64)
    spread = np.stack([_sums(rows - mean, ends) for rows in held])
    found: list[Score] = []
    for label, one in (("FVU", made), (f"FVU, {len(linear.atoms)} principal components,", linear)):
        errors = np.stack([_sums(rows - one.reconstruct(rows), ends) for rows in held])
        for place, (name, _) in enumerate(source.named()):
            told = bootstrap_ratio(errors[:, place], spread[:, place])._asdict()
            found.append(Score(f"{label} of {name}", **told, unit="share", better="lower", over="images"))
    return found


def _sums(rows: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.float64]:
    """Squared length of the rows of one image within each part, `(part,)`."""
    return np.add.reduceat(np.square(rows, dtype=np.float64).sum(axis=0), ends[:-1])
