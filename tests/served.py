"""A small bundle made from planted numbers, a live side without a model, and a client that knows the token."""

import asyncio
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.layer import LayerAsked, pack_layer
from denoscope.explorer.bundle.manifest import LayerEntry, Manifest
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.explorer.server.shapes import Cost, ExactMap, ExtractAsk, JobResult, ModelEntry, SiteEntry
from denoscope.explorer.server.steershapes import FactCount, SteerSource

TOKEN = "the-token-of-this-run"
IMAGES = ("one", "two", "three")
GRID = Grid(4, 5, 8.0)
CHANNELS = 48


def planted(name: str) -> np.ndarray:
    """Cells `(channel, row, col)` of an image; the last one of each image is ten times as long."""
    rng = np.random.default_rng(crc32(name.encode()))
    values = rng.normal(size=(CHANNELS, GRID.rows, GRID.cols)).astype(np.float32)
    values *= rng.uniform(0.95, 1.05, size=values.shape[1:]) / np.linalg.norm(values, axis=0)
    values[:, -1, -1] *= 10
    return values


def reading(ids: Sequence[str]) -> Iterator[Activations]:
    """As a store gives them."""
    frame = Frame(40, 32, 40, 32)
    for name in ids:
        yield Activations(Site("mid"), Condition(timestep=50), planted(name)[None], (name,), "grid", (frame,), GRID)


ASKED = LayerAsked("fake", "mid", "image", "50", {"timestep": 50}, "0123456789abcdef", {"site": "mid"}, measures=())


def make_bundle(folder: Path) -> Path:
    """Three pictures at one site."""
    blobs = Blobs(folder)
    blobs.publish(Manifest("test", "planted numbers: no model", "0"))
    growing = GrowingBundle(folder)
    for index, name in enumerate(IMAGES):
        growing.add_image(Sample(name, np.full((32, 40, 3), 80 * index, np.uint8)), "test")
    growing.add_layer(lambda manifest: pack_layer(blobs, ASKED, reading, IMAGES))
    return folder


@dataclass
class FakeLive:
    """Does as it is told: `passes` steps of `seconds` each, then adds what it read to the bundle."""

    passes: int = 3
    seconds: float = 0.0
    hold: Callable[[int], None] = lambda index: None
    saved: list[Any] = field(default_factory=list)

    count = 2

    def models(self):
        """Two: one here, one not."""
        shared = {"sites": ["mid"], "timesteps": [50.0], "native_size": 64}
        return [
            ModelEntry(name="fake", available=True, command="", note="no model", **shared),
            ModelEntry(name="far", available=False, command="hf download far/away", note="elsewhere", **shared),
        ]

    def sites(self, model: str):
        """Of the one that is here."""
        if model != "fake":
            raise UnknownName(f"no model {model!r}; List them with: denoscope list models")
        return [SiteEntry(name="mid", channels=CHANNELS, rows=GRID.rows, cols=GRID.cols, share=0.5)]

    def plan(self, ask):
        """One pass per image."""
        self.sites(ask.model)
        return Cost(seconds=1.0, bytes=100, passes=len(ask.images), note="made up")

    def run(self, ask, watch, bundle: GrowingBundle) -> JobResult:
        """Step by step."""
        self.sites(ask.model)
        for index in range(self.passes):
            watch.tell(index, self.passes, "reading")
            self.hold(index)
            time.sleep(self.seconds)
        images = list(ask.images) if isinstance(ask, ExtractAsk) else []
        known = {image.id for image in bundle.manifest.images}
        if lost := [name for name in images if name not in known]:
            raise UnknownName(f"no image {lost[0]!r}")

        def more(manifest: Manifest) -> LayerEntry:
            held = manifest.layers[0]
            return pack_layer(bundle.blobs, ASKED, reading, [*dict.fromkeys([*held.packs, *images])], held)

        entry = bundle.add_layer(more)
        return JobResult(layers=[entry.id], images=images)

    def exact(self, ask):
        """Plain numpy on the planted cells; a cell outside the grid is refused, as the real one does."""
        if not (ask.query.row < GRID.rows and ask.query.col < GRID.cols):
            raise InputError(f"cell ({ask.query.row}, {ask.query.col}) lies outside the grid")
        query = planted(ask.query.image)[:, ask.query.row, ask.query.col]
        maps = []
        for name in ask.images:
            cells = planted(name).reshape(CHANNELS, -1)
            values = query @ cells / np.linalg.norm(query) / np.linalg.norm(cells, axis=0)
            maps.append(ExactMap(image=name, rows=GRID.rows, cols=GRID.cols, values=[float(v) for v in values]))
        return maps

    def sources(self):
        """One dictionary of three atoms."""
        return [SteerSource(id="dictionaries/d", name="d", kind="topk", site="mid", model="fake", atoms=3)]

    def facts(self, layer: str):
        """Of the planted pictures."""
        return [FactCount(fact="size", values={"small": 2, "large": 1})]

    def contrast(self, ask, folder) -> None:
        """Written down; one value is known."""
        if (ask.fact, ask.value) != ("size", "small"):
            raise UnknownName(f"no value {ask.value!r} of {ask.fact!r}")
        (folder / "config.json").write_text(json.dumps({"fact": ask.fact}))

    def direction(self, atom, centre, about, folder) -> None:
        """Written down."""
        self.saved.append((atom, centre, about))
        (folder / "config.json").write_text(json.dumps(dict(about), default=str))


def page_of(folder: Path) -> Path:
    """A built page in miniature."""
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "app-0a1b2c3d.js").write_text("export {}")
    return folder


def png(width: int = 6, height: int = 4, **options: Any) -> bytes:
    """A picture file with a gradient."""
    rows, cols = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 9 % 256, cols * 7 % 256, (rows + cols) % 256], axis=-1).astype(np.uint8)
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, **({"format": "PNG"} | options))
    return sink.getvalue()


def ended(client: TestClient, job: str, seconds: float = 60) -> dict[str, Any]:
    """A job once it has ended."""
    until = time.monotonic() + seconds
    while (found := client.get(f"/api/jobs/{job}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


def spoken(app: Any, path: str) -> tuple[int, bytes]:
    """What an application answers to a path just as it is: a client would tidy it up first."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {TOKEN}".encode())]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
             "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), "query_string": b"", "root_path": "",
             "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8765)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
