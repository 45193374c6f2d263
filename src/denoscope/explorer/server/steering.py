"""Routes of steering: what can be pushed, directions told from labels, and the runs that were made."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import FileResponse

from denoscope.explorer.server.directions import save_contrast
from denoscope.explorer.server.marks import Direction
from denoscope.explorer.server.problems import PROBLEMS
from denoscope.explorer.server.room import Place
from denoscope.explorer.server.steered import known, known_run, picture_of, remove
from denoscope.explorer.server.steershapes import ContrastAsk, FactCount, Layer, Steered, SteerSource
from denoscope.explorer.server.words import Index, Name

__all__ = ["api"]

api = APIRouter(prefix="/api", responses=PROBLEMS)

_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "A PNG."}}


@api.get("/steer/sources")
def get_sources(room: Place) -> list[SteerSource]:
    """Directions that can be pushed."""
    return list(room.live.sources())


@api.get("/steer/facts")
def get_facts(layer: Name, room: Place) -> list[FactCount]:
    """Facts of the pictures behind a layer, from which a direction can be told."""
    return list(room.live.facts(layer))


@api.post("/steer/contrasts", status_code=201)
def add_contrast(ask: ContrastAsk, room: Place) -> Direction:
    """Keep the direction towards a value of a fact as a dictionary of one atom."""
    return save_contrast(ask, room.files, room.live, room.directions)


@api.get("/steered")
def get_steered(room: Place) -> list[Steered]:
    """Every run of steering, the newest first."""
    return known(room.steered)


@api.get("/steered/{run}")
def get_run(run: str, room: Place) -> Steered:
    """One run."""
    return known_run(room.steered, run)


@api.delete("/steered/{run}")
def delete_run(run: str, room: Place) -> Steered:
    """Take a run away, with its pictures."""
    return remove(room.steered, run)


@api.get("/steered/{run}/{layer}.png", response_class=FileResponse, responses=_PICTURE)
def get_picture(
    run: str,
    layer: Layer,
    room: Place,
    picture: Annotated[Index, Query(description="Which of the pictures")] = 0,
) -> FileResponse:
    """One picture of a run."""
    path = picture_of(room.steered, run, layer, picture)
    return FileResponse(path, media_type="image/png", headers={"cache-control": "private, max-age=31536000, immutable"})
