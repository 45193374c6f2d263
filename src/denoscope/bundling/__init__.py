"""From a store to a bundle: what the explorer's page shows, in files that need no denoscope to be read."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from os import environ
from pathlib import Path

from denoscope.bundling.atoms import atom_panels, named
from denoscope.bundling.attending import attention_panels
from denoscope.bundling.choice import choose_images, fitting
from denoscope.bundling.families import Place, families, levels, noise, read_from, told
from denoscope.bundling.samples import image_entries
from denoscope.bundling.work import shares_of
from denoscope.chosen import opened
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned
from denoscope.explorer.bundle.blobs import MANIFEST, Blobs
from denoscope.explorer.bundle.layer import LayerAsked, layer_id, pack_layer
from denoscope.explorer.bundle.manifest import LayerEntry, Manifest, PackEntry, ReportEntry
from denoscope.explorer.bundle.measures import Measure
from denoscope.explorer.bundle.order import computing_order, ranks
from denoscope.explorer.findings import find
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store
from denoscope.store.writer import RECIPE

__all__ = ["BUDGET", "Wanted", "bundle", "bundle_folder"]

log = logging.getLogger(__name__)

BUDGET = 512 << 20
"""Bytes of packs that a bundle may hold, about, unless said otherwise."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of a store a bundle shows."""

    recipe: str | Recipe | None = None
    """Digest, or its beginning; everything in the store unless given."""
    sites: str | Site | Sequence[str | Site] | None = None
    """Which sites; all that have a grid of cells unless given."""
    images: int | Sequence[str] = 96
    """How many images, taken in turn from every data set, or which ones by id."""
    budget: int = BUDGET
    """Bytes of packs, about."""
    measures: tuple[Measure, ...] = ("cosine", "centred")
    """Measures that eight bits have to give within a colour step; a layer that cannot is left out."""
    rotate: bool | None = None
    """Principal axes, with bands that load one after another: for large layers unless given."""
    title: str | None = None
    """Of the page; the store's name unless given."""
    dictionaries: Sequence[str | Path | Learned] = ()
    """Whose atoms are shown: folders, names in the store's `dictionaries`, or what `learn` made."""


def bundle_folder(store: Store) -> Path:
    """Where a store's bundle lies: inside a local store, else in the user's cache."""
    local = store.place.local
    if local is not None:
        return local / "explorer"
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "denoscope" / "explorer" / sha256(store.place.url.encode()).hexdigest()[:16]


def bundle(
    store: Store | str | Path,
    folder: str | Path | None = None,
    wanted: Wanted | None = None,
    say: Callable[[str], None] = log.info,
) -> Path:
    """Write, or bring up to date, the bundle of a store; what is there already is neither read nor written again.

    Args:
        store: a store, or its folder or URL.
        folder: of the bundle; beside the store's recipes unless given.
        wanted: what of the store to show.
        say: takes a line on what is going on, and on what was left out.

    Returns:
        The folder, which the server serves and `export` copies.

    Raises:
        UnknownName: a recipe, site or image that the store does not hold.
        InputError: no site has a grid of cells, or none can be shown in eight bits.
        StoreError: the store is empty, or the folder cannot be written.
    """
    store, wanted = opened(store), wanted or Wanted()
    dictionaries = [named(store, given) for given in wanted.dictionaries]
    blobs = Blobs(folder or bundle_folder(store))
    before = _before(blobs)
    places = _places(store, wanted)
    guests = {image.id for image in before.images if image.data is None and blobs.has(image.file)}
    ids = choose_images(places, wanted.images, guests)
    ids, places, left_out = fitting(places, ids, wanted.budget)
    layers, refused = _layers(blobs, places, ids, before, wanted, say)
    volumes = [volume for place in places for volume in place.volumes]
    volumes = list({volume.recipe.digest: volume for volume in volumes}.values())
    images, grey = image_entries(blobs, volumes, ids, {image.id: image for image in before.images})
    kept = tuple(panel for panel in before.panels if all(map(blobs.has, (panel.file, *(panel.files or ())))))
    panels, unseen = attention_panels(blobs, _attention(store, wanted), images, kept)
    panels = atom_panels(blobs, store, dictionaries, images, layers, panels, say)
    left_out += [*refused, *grey, *unseen]
    for line in left_out:
        say(line)
    made = Manifest(
        title=wanted.title or f"denoscope: {Path(store.place.url).name}",
        note=" ".join([_note(layers), *(f"{line[0].upper()}{line[1:]}." for line in left_out)]),
        denoscope=version("denoscope"),
        images=tuple(images),
        layers=tuple(layers),
        reports=tuple(_reports(blobs, store)),
        panels=panels,
    )
    made = _with_findings(blobs, _with_guests(blobs, made, before), before)
    if made != before or any(not blobs.has(name) for name in made.files):
        blobs.publish(made)
    return blobs.folder


def _before(blobs: Blobs) -> Manifest:
    """What an earlier run left; nothing where there was none, or where it cannot be read."""
    try:
        found = blobs.manifest()
    except StoreError as error:
        log.warning("%s; it is made anew", error)
        found = None
    return found or Manifest("", "", "")


def _places(store: Store, wanted: Wanted) -> list[Place]:
    """Layers to be, in computing order and then by noise, model by model."""
    volumes = by_recipe(store.volumes, wanted.recipe)
    if not volumes:
        raise StoreError(f"{store.place.url} holds no activations yet; {_instead(store)}")
    given = wanted.sites
    names = (
        None if given is None else {by_site(volumes, s) for s in ([given] if isinstance(given, (str, Site)) else given)}
    )
    found = [
        place
        for family in families(volumes)
        for place in sorted(
            family.places(), key=lambda place: (computing_order(place.site.name), noise(place.condition))
        )
        if names is None or place.site in names
    ]
    if not found:
        raise InputError("no stored site has a grid of cells to map; extract with keep=Keep(layout='grid')")
    return found


def _instead(store: Store) -> str:
    """What was probably meant by a folder that is no store, or what to do with an empty one."""
    local = store.place.local
    if local is not None and (local / "bundle" / MANIFEST).is_file():
        return f"it is an export; look at it with: python -m http.server --directory {local}"
    near = [local.absolute().parent, *sorted(local.glob("*/"))] if local is not None else []
    if inside := next((path for path in near if any(path.glob(f"*/{RECIPE}"))), None):
        return f"did you mean {inside}?"
    return "fill it with: denoscope extract"


def _attention(store: Store, wanted: Wanted) -> list[Place]:
    """Where the store holds attention to the words of a prompt; everywhere, whichever sites are shown as cells."""
    return [place for family in families(by_recipe(store.volumes, wanted.recipe)) for place in family.attention()]


def _layers(
    blobs: Blobs,
    places: Sequence[Place],
    ids: Sequence[str],
    before: Manifest,
    wanted: Wanted,
    say: Callable[[str], None],
) -> tuple[list[LayerEntry], list[str]]:
    """Every place's packs, and lines on those that cannot be shown."""
    known = {layer.id: layer for layer in before.layers}
    layers: list[LayerEntry] = []
    refused: list[str] = []
    asked = _asked(places, wanted, known)
    for done, (place, ask) in enumerate(zip(places, asked, strict=True), 1):
        mine = set(place.ids)
        there = [name for name in ids if name in mine]
        earlier = known.get(layer_id(ask))
        if earlier is None and not there:
            continue  # read from other images than those that are shown
        if earlier is None or not set(there) <= earlier.packs.keys():
            say(f"packing {place.site} at {ask.level} of {ask.model}: layer {done} of {len(places)}")
        try:
            layers.append(pack_layer(blobs, ask, lambda some, place=place: read_from(place, some), there, earlier))
        except InputError as error:
            refused.append(str(error))
    if not layers:
        raise InputError(refused[0] if refused else "none of the images that were asked for was read at these sites")
    return layers, refused


def _asked(places: Sequence[Place], wanted: Wanted, known: dict[str, LayerEntry]) -> list[LayerAsked]:
    """What to pack at each place: names that tell layers apart, and the share of the work up to there."""
    found: list[LayerAsked] = []
    for family in dict.fromkeys(place.family for place in places):
        mine = [place for place in places if place.family is family]
        conditions = list(dict.fromkeys(place.condition for place in mine))
        names = dict(zip(conditions, levels(conditions), strict=True))
        found += [_ask(place, names[place.condition], wanted) for place in mine]
    return _with_shares(found, places, known)


def _ask(place: Place, level: str, wanted: Wanted) -> LayerAsked:
    return LayerAsked(
        model=place.family.name,
        site=place.site.name,
        stream=place.site.stream,
        level=level,
        condition=told(place.condition),
        recipe=place.volumes[0].recipe.digest,
        key={**place.family.key, "site": place.site.name, "condition": place.condition.to_dict()},
        measures=wanted.measures,
        rotate=wanted.rotate,
    )


def _with_shares(asked: list[LayerAsked], places: Sequence[Place], known: dict[str, LayerEntry]) -> list[LayerAsked]:
    """The share of FLOPs, from an earlier bundle or the model where it is at hand; else the rank in computing order."""
    found: list[LayerAsked] = []
    tables: dict[str, dict[str, float]] = {}
    for ask, place in zip(asked, places, strict=True):
        earlier = known.get(layer_id(ask))
        if earlier is not None:
            found.append(replace(ask, share=earlier.share, share_of=earlier.share_of))
            continue
        if ask.model not in tables:
            tables[ask.model] = shares_of(place.family.volumes[0].recipe)
        work = tables[ask.model].get(ask.site)
        rank = ranks([other.site for other in asked if other.model == ask.model])
        found.append(
            replace(ask, share=rank[ask.site] if work is None else work, share_of="rank" if work is None else "FLOPs")
        )
    return found


def _reports(blobs: Blobs, store: Store) -> list[ReportEntry]:
    found: list[ReportEntry] = []
    for name in store.reports:
        report = store.report(name)
        page = blobs.put(report.to_html().encode(), "html")
        data = blobs.put(json.dumps(report.to_dict(), default=str).encode(), "json")
        found.append(ReportEntry(name, report.task, page, data))
    return found


def _note(layers: Sequence[LayerEntry]) -> str:
    """One honest sentence on what is shown."""
    models = list(dict.fromkeys(layer.model for layer in layers))
    if any(name.startswith("embedded") for name in models):
        return (
            "The embedded model is small and was trained on drawn scenes: a toy whose every fact is known, to learn "
            "and to test with, not a stand-in for Stable Diffusion."
        )
    return f"Activations of {', '.join(models)}, as they were read into the store."


def _with_guests(blobs: Blobs, made: Manifest, before: Manifest) -> Manifest:
    """What was added to the bundle by hand, while it was served, stays: pictures, and the layers that show them."""
    here = {image.id for image in made.images}
    guests = [image for image in before.images if image.data is None and image.id not in here and blobs.has(image.file)]
    names = {image.id for image in guests}
    earlier = {layer.id: layer for layer in before.layers}
    layers = [
        replace(layer, packs={**layer.packs, **_of(blobs, earlier[layer.id], names)}) if layer.id in earlier else layer
        for layer in made.layers
    ]
    ids = {layer.id for layer in layers}
    others = [layer for layer in before.layers if layer.id not in ids and names & layer.packs.keys()]
    extra = [replace(layer, packs=_of(blobs, layer, names | here)) for layer in others]
    return replace(made, images=(*made.images, *guests), layers=(*layers, *(layer for layer in extra if layer.packs)))


def _of(blobs: Blobs, layer: LayerEntry, names: set[str]) -> dict[str, PackEntry]:
    return {name: pack for name, pack in layer.packs.items() if name in names and blobs.has(pack.file)}


def _with_findings(blobs: Blobs, made: Manifest, before: Manifest) -> Manifest:
    """Measured on what is shown; kept where nothing changed."""
    if (made.images, made.layers, made.panels) == (before.images, before.layers, before.panels):
        return replace(made, findings=before.findings)
    return replace(made, findings=tuple(find(blobs, made)))
