"""Live work as it travels over HTTP: checked on the way in, described in `docs/openapi.json`."""

from typing import Annotated, Literal

from pydantic import Field

from denoscope.explorer.server.steershapes import SteerAsk
from denoscope.explorer.server.words import CellRef, Measure, Name, Seed, Shape, Text, Timestep, Whole

__all__ = [
    "Ask",
    "Cost",
    "ExactAsk",
    "ExactMap",
    "ExtractAsk",
    "GenerateAsk",
    "Job",
    "JobResult",
    "Level",
    "ModelEntry",
    "PlanAsk",
    "SiteEntry",
]


class ModelEntry(Shape):
    """A model that can be asked for by name."""

    name: str
    """What `denoscope.load` calls it."""
    available: bool
    """Whether its weights are on this machine."""
    command: str
    """The command that fetches it; empty where nothing is missing."""
    sites: list[str]
    """Where it is best read, best first; `GET /api/sites` lists all."""
    timesteps: list[float]
    """The noise levels that go with them."""
    native_size: int
    """Side of its training images, pixels."""
    note: str
    """One line on what it is."""


class SiteEntry(Shape):
    """One place where a model can be read and that has a grid of cells."""

    name: str
    """Canonical name."""
    channels: int
    """Width of a cell."""
    rows: int
    """Cells from top to bottom at the native size."""
    cols: int
    """Cells from left to right."""
    share: float
    """Share of the denoiser's work up to here, 0 ... 1."""
    shows: Literal["cells", "words"] = "cells"
    """`words`: attention from cells to the words of a prompt, which becomes a panel instead of a layer."""


class Level(Shape):
    """Which sites are read, at which noise, under which text and chance."""

    model: Name
    """Name of a model (`GET /api/models`)."""
    sites: Annotated[list[Name], Field(min_length=1, max_length=200)]
    """Names, globs or aliases."""
    timesteps: Annotated[list[Timestep], Field(min_length=1, max_length=50)]
    """Noise levels, 0 (least) ... 999 (most)."""
    seed: Seed = 0
    """Names the noise."""
    prompt: Text = ""
    """Text; `{fact}` stands for the image's fact."""


class PlanAsk(Level):
    """What would be read."""

    images: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    """Image ids."""


class ExtractAsk(PlanAsk):
    """Read images that are in the bundle."""

    kind: Literal["extract"]
    """Which kind of job."""


class GenerateAsk(Level):
    """Make a picture from a prompt and keep what the denoiser held on the way."""

    kind: Literal["generate"]
    """Which kind of job."""
    timesteps: Annotated[list[Timestep], Field(min_length=1, max_length=50)]
    """The denoising steps nearest to these are kept."""
    steps: Annotated[int, Field(ge=1, le=200), Whole] | None = None
    """Denoising steps; the model's own number unless given."""
    guidance: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)] | None = None
    """Classifier-free scale; the model's own unless given."""
    negative: Text = ""
    """Text of the unconditional branch."""


Ask = Annotated[ExtractAsk | GenerateAsk | SteerAsk, Field(discriminator="kind")]


class Cost(Shape):
    """What a job would take."""

    seconds: float
    """Estimated, this model on this machine."""
    bytes: int
    """Of the store on disk."""
    passes: int
    """Forwards of the denoiser."""
    note: str
    """What the estimate rests on."""


class JobResult(Shape):
    """What a job has added to the bundle."""

    layers: list[str]
    """Layer ids."""
    images: list[str]
    """Image ids."""
    panels: list[str] = Field(default_factory=list[str])
    """Names of the panels that it added or extended."""
    steered: str = ""
    """Id of the steered pictures (`GET /api/steered/{id}`)."""
    note: str = ""
    """What should be known about it, such as images that were left out."""


class Job(Shape):
    """One piece of work in the queue, or its end."""

    id: str
    """Address."""
    kind: Literal["extract", "generate", "steer"]
    """What is done."""
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    """Where it stands; `failed` with a message that begins with `interrupted` when the server was stopped."""
    done: int
    """Units of work done."""
    total: int
    """Units of work in all; 0 until it is known."""
    eta: float | None
    """Seconds left, once something is done."""
    message: str
    """What it is doing, or why it ended."""
    created: str
    """UTC, ISO 8601."""
    ask: Ask
    """What was asked."""
    result: JobResult | None = None
    """What was made, when it is done."""


class ExactAsk(Shape):
    """Compare one cell with all cells of some images, with the values of the store."""

    layer: Name
    """Layer id of the bundle."""
    query: CellRef
    """The cell that is asked about."""
    images: Annotated[list[Name], Field(min_length=1, max_length=64)]
    """Image ids."""
    measure: Measure = "cosine"
    """How cells are compared."""


class ExactMap(Shape):
    """One image's map."""

    image: str
    """Image id."""
    rows: int
    """Cells from top to bottom."""
    cols: int
    """Cells from left to right."""
    values: list[float | None]
    """fp32, row after row; null where a value is not finite."""
