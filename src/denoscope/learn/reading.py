"""What `learn` asks of a model: which images or prompts, at which noise levels, how many cells of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from denoscope.core.condition import LAST_TIMESTEP, Condition
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import identity, open_data, read
from denoscope.learn.cells import cells_of
from denoscope.learn.live import Live
from denoscope.learn.sampled import Sampled
from denoscope.learn.source import dealt
from denoscope.learn.stored import Timesteps, number

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["Images", "Reading", "source_of"]

Images = str | Path | DataSet | Sequence[Sample]

_ANYWHERE = (50.0, 200.0, 500.0, 800.0)
"""Levels at which held-out images are read where training draws them anew."""
_FEW = 256
"""Images that are read at least, where there are as many: of fewer cells each, if not so many are wanted."""
_BLOCK = 64


@dataclass(frozen=True)
class Reading:
    """How a model is read while a dictionary learns, where there is no store.

    Raises:
        InputError: a number below 1.
    """

    source: Literal["noised", "generation"] = "noised"
    """Images that are noised, at one forward each; or pictures in the making, at each step that is read."""
    prompt: str = ""
    """Text; {fact} stands for the image's fact. Pictures are made from it too, by the facts of each image: "{caption}"
    unless given."""
    prompts: tuple[str, ...] = ()
    """Texts that pictures are made from, instead of those of images."""
    steps: int | None = None
    """Denoising steps of a picture; the checkpoint's own number unless given."""
    guidance: float | None = None
    """Scale of guidance, or the embedded guidance of distilled models; pictures are made with the checkpoint's own."""
    cells_per_image: int = 0
    """Cells of an image that are learned from, drawn by chance; 0 for all, or for fewer where few cells are wanted, so
    that they are of 256 images at least."""
    limit: int | None = None
    """At most so many images or prompts."""
    batch_size: int | None = None
    """Rows per forward; chosen from the model's size unless given."""

    def __post_init__(self) -> None:
        if self.source not in ("noised", "generation"):
            raise unknown("source", self.source, ("noised", "generation"), "help(denoscope.learn)")
        if self.cells_per_image < 0:
            raise InputError(f"cells_per_image must not be negative, not {self.cells_per_image}")
        if self.prompts and (self.prompt or self.source != "generation"):
            raise InputError("prompts are for source='generation', instead of images with a prompt")

    def kept(self, per_image: int, goal: int, images: int) -> int:
        """Cells of one image, where `goal` are wanted of all."""
        wanted = self.cells_per_image or ceil(goal / max(1, min(_FEW, images)))
        return max(1, min(per_image, wanted)) if goal or self.cells_per_image else per_image


def source_of(
    model: "Model",
    data: Images | None,
    reading: Reading,
    site: str | Site | None,
    condition: Condition | None,
    timestep: float | None,
    timesteps: Timesteps,
    held_out: float,
    goal: int,
) -> Live | Sampled:
    """Where cells come from while a model runs.

    Args:
        model: that runs.
        data: its images, or those whose facts make prompts.
        reading: how.
        site: one.
        condition: noise, text and chance.
        timestep: instead, a level.
        timesteps: instead, several, or `"all"`.
        held_out: share of the images or prompts that nothing is learned from.
        goal: cells that are wanted in all; 0 for all there are.

    Raises:
        UnknownName: a site, data set or fact that does not exist.
        InputError: no site or several, no noise level, or too few images.
    """
    place = _one(model, site)
    if reading.source == "generation":
        return _sampled(model, data, reading, place, condition, timestep, timesteps, held_out, goal)
    if data is None:
        raise InputError("a model needs images to read: data='menagerie:train', or a folder; or source='generation'")
    samples = open_data(data, reading.limit)
    conditions = _conditions(reading, condition, timestep, timesteps)
    ids = _ids(samples)
    train, test = dealt(ids, held_out)
    frame = model.canvas(None)
    options: dict[str, Any] = {"canvas": frame, "batch_size": reading.batch_size}
    per_image, width = cells_of(_first(model, samples, place, conditions[0], options)).shape
    if per_image * len(test) < 2:
        raise InputError("one held-out cell cannot score a dictionary; hold more out, or name another site")
    keep = {"layout": "none", "source": reading.source} | ({"timesteps": "all"} if timesteps == "all" else {})
    recipe = _recipe(model, identity(data, samples), place, conditions, keep, asdict(frame))
    kept = reading.kept(per_image, goal, len(train))
    return Live(
        model, samples, ids, place, conditions, recipe, per_image, width, kept, train, test, timesteps == "all", options
    )


def _sampled(
    model: "Model",
    data: Images | None,
    reading: Reading,
    site: Site,
    condition: Condition | None,
    timestep: float | None,
    timesteps: Timesteps,
    held_out: float,
    goal: int,
) -> Sampled:
    """Cells of pictures in the making."""
    from denoscope.models.reading import rows_at_once
    from denoscope.models.visiting import steps_near, visited

    if condition is not None:
        raise InputError("pictures are made from prompts; name steps by timestep or timesteps, not by a condition")
    template = reading.prompt or "{caption}"
    texts, told = _texts(data, reading, template)
    train, test = dealt(texts, held_out)
    count = reading.steps or model.parts.steps
    levels = visited(model, count)
    wanted = None if timesteps is None or timesteps == "all" else [number(level) for level in timesteps]
    at = steps_near(levels, wanted if timestep is None else [timestep])
    said = "" if reading.prompts else template
    conditions = tuple(Condition(timestep=min(levels[step].timestep, LAST_TIMESTEP + 1), prompt=said) for step in at)
    guidance = model.parts.guidance if reading.guidance is None else reading.guidance
    options: dict[str, Any] = {"steps": count, "guidance": guidance}
    together = max(1, rows_at_once(model, model.canvas(None), reading.batch_size) // (2 if guidance > 1 else 1))
    made = model.generate(sorted(test)[:1], record=[site], at=at[:1], decode=False, **{**options, "steps": count})
    per_image, width = cells_of(made.activations[0][site.name]).shape
    keep = {"layout": "none", "source": reading.source, **options}
    recipe = _recipe(model, told, site, conditions, keep, {})
    kept = reading.kept(per_image, -(-goal // len(at)), len(train))
    return Sampled(model, site, conditions, at, recipe, per_image, width, kept, train, test, together, options)


def _one(model: "Model", site: str | Site | None) -> Site:
    if site is None:
        raise InputError("say at which site to learn; list them with: denoscope sites MODEL")
    found = model.select(site)
    if len(found) != 1:
        raise InputError(f"a dictionary is learned at one site; {site} names {len(found)}")
    return found[0]


def _conditions(
    reading: Reading, condition: Condition | None, timestep: float | None, timesteps: Timesteps
) -> tuple[Condition, ...]:
    """One per noise level, least noise first."""
    if condition is not None and (timestep is not None or reading.prompt or reading.guidance is not None):
        raise InputError("a condition says everything; leave out timestep, prompt and guidance")
    base = condition or Condition(
        timestep=50 if timestep is None else timestep, prompt=reading.prompt, guidance=reading.guidance
    )
    if timesteps is None:
        return (base,)
    if timesteps == "all":
        return tuple(base.at(timestep=level) for level in _ANYWHERE)
    if isinstance(timesteps, str) or not len(timesteps):
        raise InputError(f"timesteps are numbers, 0 to 999, or the one word 'all'; not {timesteps!r}")
    return tuple(base.at(timestep=level) for level in sorted({number(level) for level in timesteps}))


def _ids(samples: DataSet) -> tuple[str, ...]:
    """Of all images; those that say so need not be opened."""
    known = getattr(samples, "ids", None)
    if known:
        return tuple(known)
    starts = range(0, len(samples), _BLOCK)
    return tuple(
        sample.id for start in starts for sample in read(samples, range(start, min(start + _BLOCK, len(samples))))[0]
    )


def _first(model: "Model", samples: DataSet, site: Site, condition: Condition, options: Mapping[str, Any]) -> Any:
    """What the first picture that can be opened holds at the site."""
    for index in range(len(samples)):
        good, _ = read(samples, [index])
        if good:
            return next(iter(model.stream(good, [site], [condition], **options)))[0]
    raise InputError(f"none of the {len(samples)} pictures could be read")


def _texts(data: Images | None, reading: Reading, template: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Different prompts, and what a recipe says of them."""
    if reading.prompts:
        texts = tuple(dict.fromkeys(reading.prompts[: reading.limit]))
        return texts, {"name": "prompts", "fingerprint": " | ".join(texts), "count": len(texts)}
    if data is None:
        raise InputError("pictures are made from prompts: give prompts, or data with captions and a prompt")
    samples, asked = open_data(data, reading.limit), Condition(timestep=0, prompt=template)
    found: list[str] = []
    for start in range(0, len(samples), _BLOCK):
        good, _ = read(samples, range(start, min(start + _BLOCK, len(samples))))
        found += [asked.text_for(sample.facts) for sample in good]
    return tuple(dict.fromkeys(found)), identity(data, samples)


def _recipe(
    model: "Model", data: Mapping[str, Any], site: Site, conditions: Sequence[Condition], keep: Mapping[str, Any],
    canvas: Mapping[str, Any],
) -> Recipe:  # fmt: skip
    told = tuple(condition.to_dict() for condition in conditions)
    return Recipe(model.recipe, data, canvas, (site.name,), told, keep)
