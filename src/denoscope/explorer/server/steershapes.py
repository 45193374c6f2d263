"""Steering as it travels over HTTP: what is pushed, where and when, and what came of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from denoscope.explorer.server.words import Finite, Name, Seed, Shape, Side, Text, Whole, Word

__all__ = [
    "AtomMoved",
    "ContrastAsk",
    "FactCount",
    "FactorMoved",
    "Interval",
    "Layer",
    "Moved",
    "Push",
    "Region",
    "SteerAsk",
    "SteerSource",
    "Steered",
]

_MOST_PUSHES = 8
_MOST_PICTURES = 8
_BITS = r"^[0-9a-f]{1,4096}$"
Layer = Literal["before", "after", "control", "mask"]
"""Pictures of a run; the mask says where it acted."""
Count = Annotated[int, Field(ge=0, lt=2**20), Whole]
Step = Annotated[int, Field(ge=0, le=200), Whole]


class SteerSource(Shape):
    """Directions that can be pushed: a dictionary, or a direction that was painted or told from labels."""

    id: str
    """Names it in a `Push`."""
    name: str
    """For people."""
    kind: str
    """Of dictionary; `painted` for one direction."""
    site: str
    """Where its directions act."""
    model: str
    """Whose cells it was learned from; empty where that is not known."""
    atoms: int
    """How many directions."""
    digest: str = ""
    """Of its weights, as panels of atoms tell it."""
    labels: list[str] = Field(default_factory=list[str])
    """What each atom was found to stand for, empty words where nothing was; no list where nobody has looked."""
    activity: list[float] = Field(default_factory=list[float])
    """Share of held-out cells in which each atom is active; no list where it was not measured."""


class Push(Shape):
    """One direction and how it is used."""

    source: Name
    """Id of a `SteerSource`."""
    atom: Count = 0
    """Which of its directions."""
    edit: Literal["add", "ablate", "codes"] = "add"
    """Push every cell along it, take it out, or multiply the atom's codes and keep what the dictionary leaves."""
    strength: Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] = 0.5
    """Of `add`: in root mean square lengths of the picture's cells at each step. Of `codes`: the factor."""


class Region(Shape):
    """A part of the picture, in cells of a grid laid over it."""

    rows: Annotated[Side, Field(le=128)]
    """From top to bottom."""
    cols: Annotated[Side, Field(le=128)]
    """From left to right."""
    bits: Annotated[str, StringConstraints(pattern=_BITS)]
    """Cells in reading order, four to a hexadecimal digit, the first one the highest bit; 1 where it acts."""


class SteerAsk(Shape):
    """Make pictures from the same noise without and with pushes, and tell what moved."""

    kind: Literal["steer"]
    """Which kind of job."""
    model: Name
    """Name of a model (`GET /api/models`)."""
    prompt: Text = ""
    """Text of all pictures."""
    negative: Text = ""
    """Text of the unconditional branch."""
    pushes: Annotated[list[Push], Field(max_length=_MOST_PUSHES)] = Field(default_factory=list[Push])
    """What is pushed; without any, only the pictures themselves are made."""
    region: Region | None = None
    """Where it acts; everywhere unless given."""
    window: Annotated[list[Step], Field(min_length=2, max_length=2)] | None = None
    """Denoising steps in which it acts: the first, and the one after the last, counted from the noisiest."""
    branch: Literal["both", "cond", "uncond"] = "both"
    """Under guidance: rows with the prompt, with the negative one, or both."""
    pictures: Annotated[int, Field(ge=1, le=_MOST_PICTURES), Whole] = 1
    """How many, each from its own noise."""
    seed: Seed = 0
    """Names the noise, together with the picture's number."""
    steps: Annotated[int, Field(ge=1, le=200), Whole] | None = None
    """Denoising steps; the model's own number unless given."""
    guidance: Annotated[float, Field(ge=0, le=50, allow_inf_nan=False)] | None = None
    """Classifier-free scale; the model's own unless given."""
    control: bool = True
    """Also push as far in a random direction, cell by cell: what any change of this size does."""
    judge: bool = False
    """Have classifiers of renderings call the factors of the pictures; for models of the menagerie."""

    @model_validator(mode="after")
    def _window_in_order(self) -> Self:
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError("a window is the first step and the one after the last, in this order")
        return self


class Interval(Shape):
    """A mean over pictures with its 95 % interval; no interval for a single picture."""

    value: Finite
    low: Finite | None = None
    high: Finite | None = None
    n: int
    """Pictures."""


class Moved(Shape):
    """How far one thing moved under the pushes, and under the control of equal size."""

    name: str
    """What was measured."""
    unit: str
    """Of all numbers."""
    plain: Interval | None = None
    """Without pushes, where that is not 0 by definition."""
    steered: Interval
    """With them."""
    control: Interval | None = None
    """With the random direction."""


class FactorMoved(Shape):
    """What a classifier of renderings calls one factor, picture by picture."""

    fact: str
    """Such as colour."""
    before: list[str]
    """Without pushes."""
    after: list[str]
    """With them."""
    control: list[str] = Field(default_factory=list[str])
    """With the random direction."""
    accuracy: Interval
    """Of the classifier, on renderings that it has not seen; `n` counts these."""


class AtomMoved(Shape):
    """How an atom's code changed, read from the finished pictures without any push."""

    source: str
    """Id of the dictionary."""
    atom: int
    """Which."""
    label: str
    """What it was found to stand for, where anybody has looked."""
    before: float
    """Mean code over the cells of the part that was brushed, and over pictures."""
    after: float
    """The same with the pushes."""
    change: Interval
    """After less before; over pictures."""


class Steered(Shape):
    """One run, as it is kept."""

    id: str
    """Address."""
    created: str
    """UTC, ISO 8601."""
    ask: SteerAsk
    """What was asked, with the numbers that the model chose itself."""
    height: int
    """Of each picture, pixels."""
    width: int
    """Of each picture, pixels."""
    layers: list[Layer]
    """Which pictures there are: `GET /api/steered/{id}/{layer}.png?picture=0`."""
    moved: list[Moved]
    """Pixels, and how unusual the activations became."""
    factors: list[FactorMoved]
    """As judged, where judges were asked."""
    atoms: list[AtomMoved]
    """Those that changed most."""
    python: str
    """The same as a program."""
    command: str
    """The same as a command line; empty where one cannot say it."""
    seconds: float
    """That it took."""
    notes: list[str] = Field(default_factory=list[str])
    """What should be known about it."""


class FactCount(Shape):
    """A fact of the pictures behind a layer, and how many show each value."""

    fact: str
    """Such as category."""
    values: dict[str, int]
    """Pictures by value, most first."""


class ContrastAsk(Shape):
    """A direction towards one value of a fact: what tells pictures that show it from the others at a layer."""

    layer: Name
    """Layer id of the bundle: the site, and the noise at which it is read."""
    fact: Word
    """Such as background."""
    value: Word
    """Where the direction leads."""
    against: Word | None = None
    """Where it leads from; all others unless given."""
