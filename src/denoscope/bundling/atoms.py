"""A dictionary becomes a panel of the bundle: its codes on a gallery of images, and all that is known of its atoms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.bundling.atoms_births import births_of, quiet
from denoscope.bundling.atoms_coded import ELSEWHERE, Spread, coded
from denoscope.bundling.atoms_images import entry_of, even, pictures_of, titles_of
from denoscope.bundling.atoms_told import OWN, report_of, told_of
from denoscope.bundling.families import Place, families, levels, noise, told
from denoscope.chosen import usual
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import canonical
from denoscope.core.report import Report
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.digest import digest_of
from denoscope.explorer.bundle.atoms import (
    AtomsPanel,
    GalleryImage,
    Level,
    known_atoms,
    put_atoms,
    put_numbers,
)
from denoscope.explorer.bundle.atoms_codes import MOST
from denoscope.explorer.bundle.atoms_tally import Tally, nearest
from denoscope.explorer.bundle.attention import with_panel
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import ImageEntry, LayerEntry, PanelEntry
from denoscope.store.store import Store

__all__ = ["GALLERY", "atom_panels", "named", "with_images"]

GALLERY = 192
"""Images in which atoms are looked for: those that are shown, and others from the whole store."""

_BYTES = 96 << 20
"""Of codes, about; a gallery that would take more is made smaller."""

_LEVELS, _TRIED = 12, 48
"""Noise levels that are compared at most, and images of each."""

_FORMAT = 2
"""Of panels; a new one is another key."""

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A panel to be.

    Attributes:
        name: for people.
        made: the dictionary.
        digest: of its weights.
        place: where its cells lie.
        level: of the place, in a word.
        others: places of the same site at all noise levels, with theirs, from little noise to much.
        report: of `interpret`.
    """

    name: str
    made: Learned
    digest: str
    place: Place
    level: str
    others: tuple[tuple[Place, str], ...]
    report: Report | None

    def key(self, ids: Sequence[str], layer: str | None) -> str:
        """Of all that a panel is made from."""
        report = sha256(canonical(self.report.to_dict()).encode()).hexdigest() if self.report else ""
        made = [_FORMAT, self.digest, self.place.volumes[0].recipe.digest, self.place.condition.to_dict(), report]
        beside = [level for _, level in self.others]
        return sha256(canonical([*made, list(ids), layer, self.name, beside]).encode()).hexdigest()[:32]


def named(store: Store, given: str | Path | Learned) -> Learned:
    """A dictionary, by itself, by its folder, or by its name in the store's `dictionaries`.

    Raises:
        StoreError: none lies there; the store's own are told.
    """
    if isinstance(given, Learned):
        return given
    own = Path(store.place.url) / "dictionaries" if store.place.local else None
    if own is not None and not Path(given).exists() and (own / given).is_dir():
        return load_dictionary(own / given)
    try:
        return load_dictionary(given)
    except StoreError as error:
        here = sorted(path.name for path in own.iterdir()) if own is not None and own.is_dir() else []
        raise StoreError(f"{error}; this store's own: {', '.join(here) or 'none, learn one with: denoscope learn'}") \
            from None  # fmt: skip


def atom_panels(
    blobs: Blobs, store: Store, dictionaries: Sequence[str | Path | Learned], images: Sequence[ImageEntry],
    layers: Sequence[LayerEntry], before: Sequence[PanelEntry], say: Say, gallery: int = GALLERY,
) -> tuple[PanelEntry, ...]:  # fmt: skip
    """The panels of a bundle with one for each dictionary.

    Args:
        blobs: where to.
        store: with activations where they were learned, every cell of them.
        dictionaries: folders, names in the store, or what `learn` made.
        images, layers: that are shown.
        before: panels of an earlier bundle; those of other dictionaries stay, and equal ones are not made again.
        say: takes a line on what is going on.
        gallery: images in which atoms are looked for.

    Raises:
        InputError: no site is known, or the store's cells are of another width or without a grid.
        StoreError: no dictionary lies there.
    """
    panels = tuple(before)
    for given in dictionaries:
        asked = _asked(store, named(store, given))
        shown = {image.id: image for image in images}
        layer = _layer(asked, layers)
        ids = _gallery(asked, list(shown), gallery)
        key = asked.key(ids, layer)
        if all(panel.key != key for panel in known_atoms(blobs, panels)):
            say(f"looking for {len(asked.made.atoms)} atoms of {asked.name} in {len(ids)} images")
            panels = with_panel(panels, put_atoms(blobs, _panel(blobs, asked, ids, shown, layer, key)))
    return panels


def with_images(
    blobs: Blobs, store: Store, panel: AtomsPanel, made: Learned, ids: Sequence[str], shown: Mapping[str, ImageEntry]
) -> AtomsPanel:
    """A panel with further images in its gallery; what was counted stays as it was.

    Args:
        blobs: where to.
        store: that holds the images.
        panel: of a dictionary.
        made: this dictionary.
        ids: of images; those that the gallery has, or that were not read at the panel's place, are passed over.
        shown: the manifest's images by id.
    """
    place = _asked(store, made).place
    there = set(place.ids) - {image.id for image in panel.images}
    look, titles = pictures_of(place), titles_of(place)
    more = [
        entry_of(blobs, image, shown.get(image.name), look, titles)
        for image in coded(made, place, [name for name in ids if name in there])
    ]
    return replace(panel, images=(*panel.images, *more))


def _asked(store: Store, made: Learned) -> _Asked:
    if made.site is None:
        raise InputError("this dictionary does not say at which site it was learned; learn it with denoscope learn")
    about = str(made.about.get("recipe", ""))
    here = about if about in [recipe.digest for recipe in store.recipes] else None
    condition = Condition.from_dict(made.about["condition"]) if "condition" in made.about else None
    volume, site, condition = usual(store, made.site, condition, here)
    family = next(f for f in families(store.volumes) if volume.recipe.digest in [v.recipe.digest for v in f.volumes])
    places = sorted((p for p in family.places() if p.site == site), key=lambda place: noise(place.condition))
    names = levels([place.condition for place in places])
    mine = [(place, name) for place, name in zip(places, names, strict=True) if place.condition == condition]
    if not mine:
        raise InputError(f"{site} is stored without a grid of cells; extract it with --keep.layout grid")
    place, level = mine[0]
    digest = digest_of(made)
    name = f"{made.name}, {len(made.atoms)} atoms: {family.name}, {site} at {level} ({digest[:4]})"
    others = _comparable(place, list(zip(places, names, strict=True)))
    return _Asked(name, made, digest, place, level, others, report_of(store, made, digest, str(site)))


def _comparable(place: Place, every: Sequence[tuple[Place, str]]) -> tuple[tuple[Place, str], ...]:
    """Places that differ in their noise alone; evenly some of them where they are many."""
    same = [(other, name) for other, name in every if _quiet(other.condition) == _quiet(place.condition)]
    kept = np.linspace(0, len(same) - 1, min(len(same), _LEVELS)).round().astype(int)
    return tuple(same[k] for k in sorted({*kept.tolist(), [other for other, _ in same].index(place)}))


def _quiet(condition: Condition) -> dict[str, Any]:
    """A condition without its noise."""
    axes = ("timestep", "sigma", "logsnr", "clean")
    return {name: value for name, value in told(condition).items() if name not in axes}


def _layer(asked: _Asked, layers: Sequence[LayerEntry]) -> str | None:
    """The manifest's layer of the same cells."""
    where = (asked.place.family.name, asked.place.site.name, told(asked.place.condition))
    same = [layer.id for layer in layers if (layer.model, layer.site, dict(layer.condition)) == where]
    return same[0] if same else None


def _gallery(asked: _Asked, shown: Sequence[str], count: int) -> list[str]:
    """Ids of images: those that are shown, then others evenly over the store, in the store's order."""
    stored, place = asked.place.ids, asked.place
    volume = place.volumes[0]
    grid = volume.read(place.site, place.condition, np.arange(1)).grid
    codes = min(MOST, int(getattr(asked.made.settings, "k", MOST)), len(asked.made.atoms))
    most = max(1, min(count, _BYTES // ((grid.cells if grid else 1) * (6 * codes + 8))))
    first = even([name for name in stored if name in set(shown)], most)
    rest = even([name for name in stored if name not in set(shown)], most - len(first))
    chosen = {*first, *rest}
    return [name for name in stored if name in chosen]


def _panel(
    blobs: Blobs, asked: _Asked, ids: Sequence[str], shown: Mapping[str, ImageEntry], layer: str | None, key: str
) -> AtomsPanel:
    """Everything about one dictionary; its files are written."""
    made, place = asked.made, asked.place
    tally, spread = Tally(len(made.atoms), len(ids)), Spread()
    look, titles = pictures_of(place), titles_of(place)
    entries: dict[str, GalleryImage] = {}
    signed = False
    for image in coded(made, place, ids):
        tally.add(image.codes, image.valid, image.where)
        spread.add(image.values)
        signed = signed or bool((image.codes.values < 0).any())
        entries[image.name] = entry_of(blobs, image, shown.get(image.name), look, titles)
    found = told_of(made, asked.report, "What its atoms stand for was not asked: denoscope interpret STORE DICTIONARY")
    numbers = {**found.numbers, **tally.numbers(), **_levels(asked, ids, tally)}
    near, cosines = nearest(made.atoms)
    volume = place.volumes[0]
    return AtomsPanel(
        name=asked.name,
        kind=made.name,
        digest=asked.digest,
        key=key,
        model=place.family.name,
        site=place.site.name,
        level=asked.level,
        recipe=volume.recipe.digest,
        count=len(made.atoms),
        channels=made.atoms.shape[1],
        signed=signed,
        kept=MOST,
        images=tuple(entries[name] for name in ids),
        counted=len(ids),
        of=len(place.ids),
        cells=tally.cells,
        power=0.0 if made.name in ELSEWHERE else spread.power,
        numbers=put_numbers(blobs, {**numbers, "near": near, "near.cosine": cosines}),
        directions=put_numbers(blobs, {"atoms": made.atoms.astype(np.float16), "bias": made.bias}),
        columns=(*OWN, *found.columns),
        texts=found.texts,
        levels=tuple(_told_level(made, other, name) for other, name in asked.others),
        scores=tuple(found.scores),
        notes=tuple(found.notes),
        layer=layer,
        births=births_of(blobs, made, place, quiet(look)),
    )


def _levels(asked: _Asked, ids: Sequence[str], own: Tally) -> dict[str, NDArray[Any]]:
    """Share of active cells at every noise level, and its standard error, `(level, atom)`."""
    some = even(list(ids), _TRIED)
    rows: list[Any] = []
    for place, _ in asked.others:
        if place is asked.place:
            rows.append(own.density)
            continue
        there = set(place.ids)
        tally = Tally(len(asked.made.atoms), len(some))
        for image in coded(asked.made, place, [name for name in some if name in there]):
            tally.add(image.codes, image.valid, image.where)
        rows.append(tally.density)
    mean, error = (np.array([row[k] for row in rows], dtype=np.float32) for k in (0, 1))
    return {"levels": mean, "levels.error": error}


def _told_level(made: Learned, place: Place, name: str) -> Level:
    own = made.about.get("condition", {})
    learned = made.about.get("timesteps", [own.get("timestep")])
    return Level(name, place.condition.timestep in learned or place.condition.to_dict() == own)
