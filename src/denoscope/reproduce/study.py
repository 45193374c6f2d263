"""A study file: one published table or figure, how it was measured, and what was found."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.resources import files
from typing import Any, Literal

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown

__all__ = ["Measurement", "Published", "Study", "studies", "study"]

LISTING = "denoscope list studies"


@dataclass(frozen=True)
class Measurement:
    """What is read and what is computed from it; each field may be changed by a variant or for the embedded model."""

    task: str = ""
    """Task of the registry; empty where only shapes are compared."""
    score: str = ""
    """Score of the task that was published."""
    scores: tuple[str, ...] = ()
    """Several, where a row of published values goes over these rather than over noise levels."""
    protocol: str = ""
    """Name of a published protocol of correspondence (`denoscope.features.protocols`): its canvas and its switches."""
    data: str = ""
    """Spec of the images."""
    sites: tuple[str, ...] = ("all",)
    """Names or globs."""
    timesteps: tuple[float, ...] = (50,)
    """Noise levels; none where `conditions` says them."""
    logsnrs: tuple[float, ...] = ()
    """Noise levels as log-SNR, for models of several families at equal noise."""
    percents: tuple[float, ...] = ()
    """Noise levels in percent, as published, instead of timesteps: what they mean depends on the model's sampler."""
    prompts: tuple[str, ...] = ()
    """Texts, each read at every level; what `condition` says unless given."""
    limit: int | None = None
    """At most so many images."""
    canvas: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of `Canvas`."""
    condition: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of `Condition` besides the level."""
    chances: tuple[Mapping[str, Any], ...] = ()
    """Several of the fields `noise`, `seed` and `draws`, each read at every level."""
    keep: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of `Keep`."""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Parameters of the task."""
    baselines: tuple[str, ...] = ()
    """The same task on something simpler: `pixels`, `colour`, `position`, `latents`."""
    twin: bool = False
    """Whether the model's random-init twin is measured beside it."""
    tolerance: float | None = None
    """How far off a number may lie; that of the study unless given."""
    compat: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What `--compat` changes: `params` of the task, `canvas`, `extractor` (sdhelper unless named), its switches, and
    `digits` to which scores were rounded."""

    def changed(self, changes: Mapping[str, Any]) -> "Measurement":
        """A copy; tables are merged key by key."""
        known = [part.name for part in fields(self)]
        made: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise unknown("field of a measurement", name, known, "denoscope.reproduce.study.Measurement")
            old = getattr(self, name)
            merged = {**old, **value} if isinstance(old, dict) else value
            made[name] = tuple(merged) if isinstance(merged, list) else merged
        return Measurement(**{part.name: getattr(self, part.name) for part in fields(self)} | made)


@dataclass(frozen=True)
class Published:
    """One block of published numbers: a model, a variant, and values `(level)` per site."""

    model: str
    values: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict[str, Any])
    variant: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the measurement."""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, Any])
    """Published shapes, where those are compared."""


@dataclass(frozen=True)
class Study:
    """One published table or figure that can be measured again."""

    name: str
    title: str
    source: str
    """Where the numbers were published."""
    asks: str
    """The question."""
    found: str = ""
    """What the authors say."""
    faults: tuple[str, ...] = ()
    """What is known to be wrong or unstated in how it was measured."""
    kind: Literal["values", "shapes"] = "values"
    scale: float = 1.0
    """Published numbers are scores times this."""
    tolerance: float = 0.0
    """How far a number that was measured in the same way may lie off, in published units."""
    curves: Literal["", "sites", "noise"] = ""
    """What curves go along, where they are drawn beside the maps."""
    measurement: Measurement = field(default_factory=Measurement)
    published: tuple[Published, ...] = ()
    offline: tuple[Published, ...] = ()
    """What runs on the embedded model and the menagerie instead: variants without values."""

    @property
    def models(self) -> tuple[str, ...]:
        """Models with published numbers, in order."""
        return tuple(dict.fromkeys(block.model for block in self.published))

    @property
    def data(self) -> tuple[str, ...]:
        """Data sets that the published numbers were measured on."""
        found = (self.measurement.changed(block.changes).data for block in self.published)
        return tuple(dict.fromkeys(name for name in found if name))


def studies() -> dict[str, Study]:
    """Every study that comes with denoscope, by name."""
    return {name: parsed(name, file.read_text(encoding="utf-8")) for name, file in _files().items()}


def study(name: str) -> Study:
    """A study by name.

    Raises:
        UnknownName: there is none of that name.
    """
    known = _files()
    if name not in known:
        raise unknown("study", name, known, LISTING)
    return parsed(name, known[name].read_text(encoding="utf-8"))


def _files() -> dict[str, Any]:
    """Study files by name, fig7 before fig13."""
    home = files("denoscope.studies")
    folders = sorted((folder for folder in home.iterdir() if folder.is_dir()), key=lambda folder: folder.name)
    found: dict[str, Any] = {}
    for folder in folders:
        for file in sorted(folder.iterdir(), key=lambda file: (len(file.name), file.name)):
            if file.name.endswith(".toml"):
                found[f"{folder.name}/{file.name.removesuffix('.toml')}"] = file
    return found


def parsed(name: str, text: str) -> Study:
    """The study that a file says.

    Raises:
        InputError: no TOML, a key that is not known, or values that do not fit sites and levels.
    """
    try:
        told = tomllib.loads(text)
        measurement = Measurement().changed(told.pop("measurement", {}))
        published = tuple(map(_block, told.pop("published", [])))
        offline = told.pop("offline", {})
        variants = offline.pop("variants", [{}])
        small = tuple(_block({"model": "embedded", **_both(offline, variant)}) for variant in variants)
        made = Study(
            name=name, measurement=measurement, published=published, offline=small,
            faults=tuple(told.pop("faults", ())), **told,
        )  # fmt: skip
    except (tomllib.TOMLDecodeError, TypeError, LookupError) as error:
        raise InputError(f"study {name} cannot be read: {error}") from None
    _check(made)
    return made


def _block(told: Mapping[str, Any]) -> Published:
    told = dict(told)
    values = {site: tuple(_number(value) for value in row) for site, row in told.pop("values", {}).items()}
    shapes = {site: tuple(row) for site, row in told.pop("shapes", {}).items()}
    return Published(told.pop("model"), values, told.pop("variant", ""), told, shapes)


def _number(value: Any) -> float | None:
    """A published number; an empty text where there is none."""
    return None if value == "" else float(value)


def _both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables, the second over the first, and tables within them likewise."""
    both = {**first, **second}
    for name in first.keys() & second.keys():
        if isinstance(first[name], dict) and isinstance(second[name], dict):
            both[name] = {**first[name], **second[name]}
    return both


def _check(made: Study) -> None:
    """Every block can be measured: levels and values agree, and conditions exist."""
    for block in (*made.published, *made.offline):
        asked = made.measurement.changed(block.changes)
        levels = _levels(asked)
        wanted = len(levels) * max(1, len(asked.scores))
        for site, row in block.values.items():
            if len(row) != wanted:
                raise InputError(f"study {made.name}: {site} of {block.model} has {len(row)} values, not {wanted}")
        for level in levels:
            Condition.from_dict({**level, **asked.condition})


def _levels(asked: Measurement) -> Sequence[dict[str, float]]:
    if asked.percents:  # their number is known, their timesteps only with a model
        return [{"timestep": value} for value in range(len(asked.percents))]
    timesteps = [{"timestep": value} for value in asked.timesteps]
    return [*timesteps, *({"logsnr": value} for value in asked.logsnrs)]
