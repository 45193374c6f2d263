"""The application: routes behind the guard, every error one line of JSON."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from denoscope.explorer.server import annotating, pictures, serving, steering, working
from denoscope.explorer.server.guard import Guard, Limits
from denoscope.explorer.server.problems import HANDLERS
from denoscope.explorer.server.protocol import Live
from denoscope.explorer.server.room import Room, Settings

__all__ = ["application", "description"]

_ABOUT = """The live side of denoscope's explorer: a server on this machine alone.

Everything below `/api` and `/bundle` needs the token of the run, as a cookie (set by the first address) or as
`Authorization: Bearer TOKEN`. Errors are `{"detail": "one line"}`."""


def application(settings: Settings, live: Live | None = None) -> FastAPI:
    """The server of one bundle, as an ASGI application.

    Args:
        settings: folders, token and port.
        live: what owns models and stores; None serves the bundle and annotations alone.
    """
    made = FastAPI(
        title="denoscope explorer",
        version=_version(),
        description=_ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=_operation,
        redirect_slashes=False,
    )
    made.state.room = Room(settings, live)
    for router in (serving.api, working.api, steering.api, pictures.api, annotating.api, serving.files):
        made.include_router(router)
    for kind, handler in HANDLERS.items():
        made.add_exception_handler(kind, handler)
    made.add_middleware(Guard, token=settings.token, cookie=settings.cookie, limits=Limits())
    return made


def description(made: FastAPI) -> dict[str, Any]:
    """OpenAPI of an application without what differs between releases."""
    told = made.openapi()
    return {**told, "info": {**told["info"], "version": "0"}}


@asynccontextmanager
async def _lifespan(made: FastAPI) -> AsyncIterator[None]:
    room: Room = made.state.room
    room.jobs.start()
    try:
        yield
    finally:
        room.jobs.close()


def _operation(route: APIRoute) -> str:
    return route.name


def _version() -> str:
    return version("denoscope")
