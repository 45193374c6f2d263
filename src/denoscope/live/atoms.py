"""Pictures that are read while the explorer is served join the galleries of the dictionaries that it shows."""

from collections.abc import Sequence
from dataclasses import replace

from denoscope.bundling.atoms import with_images
from denoscope.core.errors import DenoscopeError
from denoscope.dictionaries.base import Learned
from denoscope.explorer.bundle.atoms import AtomsPanel, known_atoms, put_atoms
from denoscope.explorer.bundle.attention import with_panel
from denoscope.explorer.bundle.manifest import Manifest
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.live.sources import Shelf
from denoscope.store.store import Store

__all__ = ["join_galleries"]


def join_galleries(store: Store, bundle: GrowingBundle, shelf: Shelf, ids: Sequence[str]) -> int:
    """Code pictures with every dictionary on show that reads them; returns how many dictionaries do.

    A dictionary whose folder is gone is passed over: its panel stays as it is.

    Args:
        store: with the values in it.
        bundle: that is shown.
        shelf: dictionaries by name.
        ids: of the pictures that were just read.
    """
    joined = 0
    for panel in known_atoms(bundle.blobs, bundle.manifest.panels):
        made = _on(shelf, panel)
        if made is not None:
            joined += _join(Store(store.place.url), bundle, panel, made, ids)
    return joined


def _on(shelf: Shelf, panel: AtomsPanel) -> Learned | None:
    names = [source.id for source in shelf.sources() if source.digest == panel.digest]
    return shelf.load(names[0]) if names else None


def _join(store: Store, bundle: GrowingBundle, panel: AtomsPanel, made: Learned, ids: Sequence[str]) -> bool:
    shown = {image.id: image for image in bundle.manifest.images}
    try:
        grown = with_images(bundle.blobs, store, panel, made, ids, shown)
    except DenoscopeError:
        return False
    if len(grown.images) == len(panel.images):
        return False

    def make(manifest: Manifest) -> Manifest:
        return replace(manifest, panels=with_panel(manifest.panels, put_atoms(bundle.blobs, grown)))

    bundle.change(make)
    return True
