"""The verb `explore`: store + reports -> similarity maps in a browser, served on this machine only."""

import html
import webbrowser
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.chosen import opened
from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.data.base import open_data, read
from denoscope.explorer.maps import Query, maps_page
from denoscope.store.choose import by_recipe, by_site
from denoscope.store.store import Store
from denoscope.store.volume import Volume

__all__ = ["explore", "pages", "server"]

_BYTES = 48 << 20
"""Eight-bit values that a page may carry."""

_STILLS = 3
"""Pictures whose middle is asked about when the page opens."""

_LEAD = "Point at any cell: every picture shows how similar its own cells are to that one."


def explore(
    store: Store | str | Path,
    *,
    recipe: str | Recipe | None = None,
    sites: str | Site | Sequence[str | Site] | None = None,
    images: int = 12,
    port: int = 8765,
    open_browser: bool = True,
) -> None:
    """Serve a store's page of similarity maps and its reports at 127.0.0.1 until interrupted.

    Args:
        store: a store, or its folder or URL; its pictures are opened again by the name of their data set.
        recipe: digest, or its beginning, where the store holds several.
        sites: which sites to show; those with a grid of cells, as many as fit on a page, unless given.
        images: how many pictures to show, from the front; fewer where the grids are large.
        port: TCP port; 0 takes any that is free.
        open_browser: show the page in the default browser.

    Raises:
        UnknownName: a site or recipe that does not exist.
        InputError: the pictures cannot be opened again, no site has a grid, or the port is taken.
    """
    made = server(pages(opened(store), recipe, sites, images), port)
    with made:
        if open_browser:
            webbrowser.open(address(made))
        try:
            made.serve_forever()
        except KeyboardInterrupt:
            return


def address(made: ThreadingHTTPServer) -> str:
    """Where a server is found."""
    return f"http://127.0.0.1:{made.server_address[1]}/"


def pages(
    store: Store,
    recipe: str | Recipe | None = None,
    sites: str | Site | Sequence[str | Site] | None = None,
    images: int = 12,
) -> dict[str, str]:
    """The page of maps under `/`, and each report under `/reports/NAME`: everything that is served."""
    reports = {f"/reports/{name}": store.report(name).to_html() for name in store.reports}
    links = ", ".join(f'<a href="{html.escape(path)}">{html.escape(path[9:])}</a>' for path in reports)
    layers = _layers(store, recipe, sites, images)
    samples = _samples(store, layers[0])
    body = maps_page(
        layers,
        {name: sample.image for name, sample in samples.items()},
        [_middle(sample) for sample in list(samples.values())[:_STILLS]],
        title="denoscope: similarity maps",
        lead=_LEAD,
        notes=[_told(layers[0]), *([f"Reports: {links}."] if links else [])],
    )
    return {"/": body, **reports}


def server(served: Mapping[str, str], port: int = 0) -> ThreadingHTTPServer:
    """A server of some pages on this machine, to be started with `serve_forever`.

    Raises:
        InputError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        """Answers with one of the pages; a path is only ever looked up among them."""

        def do_GET(self) -> None:
            """Send a page, or 404; 403 to another host's name, so that no web site can read through it."""
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            page = served.get(self.path.split("?")[0])
            if host not in ("127.0.0.1", "localhost"):
                self.send_error(403)
            elif page is None:
                self.send_error(404)
            else:
                self._send(page.encode())

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise InputError(f"cannot serve on port {port}: {error.strerror}; choose another port") from None


def _layers(
    store: Store, recipe: str | Recipe | None, sites: str | Site | Sequence[str | Site] | None, images: int
) -> list[Activations]:
    """The same few images at every shown site and condition, within a page's size."""
    if images < 1:
        raise InputError(f"a page needs at least one image, not {images}")
    volume = _volume(store, recipe)
    asked = [sites] if isinstance(sites, (str, Site)) else list(sites or volume.sites)
    places = [by_site([volume], site) for site in asked]
    ids = _alike(volume, images)
    firsts = [
        store.get(place, condition, ids=ids, recipe=volume.recipe)
        for condition in sorted(volume.conditions, key=_noise)
        for place in places
    ]
    shown = [first for first in firsts if first.grid is not None and first.layout in ("grid", "tokens")]
    if not shown:
        raise InputError("no stored site has a grid of cells to map; extract with keep=Keep(layout='grid')")
    kept = ids[: _fitting(shown)]
    return [first.select([first.ids.index(name) for name in kept]) for first in shown]


def _alike(volume: Volume, images: int) -> list[str]:
    """The first few images that share the first one's canvas size, and so its grids."""
    groups = volume.table.groups
    return [volume.table.ids[i] for i in np.flatnonzero(groups == groups[0])[:images]]


def _volume(store: Store, recipe: str | Recipe | None) -> Volume:
    """What the recipe that is meant has stored: the first one where nothing is said.

    Raises:
        StoreError: the store is empty.
    """
    found = by_recipe(store.volumes, recipe)
    if not found:
        raise StoreError(f"{store.place.url} holds no activations yet; fill it with: denoscope extract")
    return found[0]


def _noise(condition: Condition) -> float:
    return -1.0 if condition.timestep is None else condition.timestep


def _fitting(layers: Sequence[Activations]) -> int:
    """Images that fit on a page."""
    each = sum(layer.values[0].size for layer in layers)
    return max(1, min(len(layers[0]), _BYTES // each))


def _samples(store: Store, layer: Activations) -> dict[str, Sample]:
    """The pictures behind some activations by id, opened again from their data set.

    Raises:
        InputError: they were in memory when they were read, or are no longer where they were.
    """
    spec = store.data(layer.recipe)
    if spec is None:
        raise InputError("the pictures of this store were in memory when they were read; they cannot be shown again")
    samples, wanted, found = open_data(spec), set(layer.ids), dict[str, Sample]()
    for index in range(len(samples)):
        for sample in read(samples, [index])[0]:
            if sample.id in wanted:
                found[sample.id] = sample
        if len(found) == len(wanted):
            return {name: found[name] for name in layer.ids}
    gone = sorted(wanted - found.keys())
    raise InputError(f"{spec} no longer holds {len(gone)} of the pictures that were read, such as {gone[0]}")


def _middle(sample: Sample) -> Query:
    height, width = sample.image.shape[:2]
    return Query(sample.id, width / 2, height / 2, "the middle")


def _told(layer: Activations) -> str:
    """What was read, as a line of HTML."""
    recipe = layer.recipe
    if recipe is None:
        return ""
    model = ", ".join(f"{key} {value}" for key, value in recipe.model.items())
    return f"Recipe <code>{recipe.digest}</code>: {html.escape(model)}; data {html.escape(str(recipe.data['name']))}."
