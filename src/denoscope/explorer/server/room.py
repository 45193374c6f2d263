"""All that a request may need, in one place that is handed around."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from denoscope.explorer.server.annotations import Annotations, Triplets
from denoscope.explorer.server.files import BundleFiles, Page
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.explorer.server.jobs import Jobs
from denoscope.explorer.server.problems import Absent
from denoscope.explorer.server.protocol import Live, Watch
from denoscope.explorer.server.shapes import ExtractAsk, GenerateAsk, JobResult
from denoscope.explorer.server.steershapes import SteerAsk
from denoscope.explorer.server.uploads import Uploads

__all__ = ["Place", "Room", "Settings", "room_of"]

STATIC = Path(__file__).resolve().parents[1] / "static"


@dataclass(frozen=True)
class Settings:
    """What a server is started with."""

    bundle: Path
    """Folder of the bundle."""
    desk: Path
    """Folder for what people add: annotations, answers, pictures, directions, the record of jobs."""
    token: str
    """Secret of this run."""
    port: int = 0
    """TCP port, part of the cookie's name."""
    page: Path = STATIC
    """Folder of the built page."""

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"denoscope-{self.port}"


class Room:
    """The parts of a running server.

    Args:
        settings: folders and secrets.
        live: models and stores; None serves without live work.
    """

    def __init__(self, settings: Settings, live: Live | None) -> None:
        self.settings = settings
        self._live = live
        self.page = Page(settings.page)
        self.files = BundleFiles(settings.bundle)
        self.bundle = GrowingBundle(settings.bundle)
        self.annotations = Annotations(settings.desk / "annotations.jsonl")
        self.triplets = Triplets(settings.desk / "triplets.jsonl")
        self.uploads = Uploads(settings.desk / "images")
        self.directions = settings.desk / "directions"
        self.steered = settings.desk / "steered"
        self.jobs = Jobs(settings.desk / "jobs.jsonl", self._work)
        self.decoding = threading.Lock()
        """One picture is decoded at a time: they may be large."""

    @property
    def live(self) -> Live:
        """Models and stores.

        Raises:
            Absent: the server was started without.
        """
        if self._live is None:
            raise Absent("this explorer shows a bundle without its store; start it with: denoscope explore STORE")
        return self._live

    @property
    def lively(self) -> bool:
        """Whether models can be run."""
        return self._live is not None

    def _work(self, ask: ExtractAsk | GenerateAsk | SteerAsk, watch: Watch) -> JobResult:
        return self.live.run(ask, watch, self.bundle)


def room_of(request: Request) -> Room:
    """The room of the application that a request came to."""
    found: Any = request.app.state.room
    return found


Place = Annotated[Room, Depends(room_of)]
