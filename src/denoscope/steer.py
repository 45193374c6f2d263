"""The verb `steer`: model x edits x prompt -> images + report."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import loaded
from denoscope.core.errors import InputError
from denoscope.core.optional import require
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report, Score
from denoscope.core.site import Site
from denoscope.dictionaries.attaching import attached
from denoscope.dictionaries.edits import by_site
from denoscope.figures.before_after import before_after
from denoscope.measures.statistics import bootstrap_mean

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["Steered", "steer"]

_NOTE = "Change of pixels says how much a picture moved, not whether it moved as was meant."
_ALONE = "A single picture has no interval; steer several prompts to see how far the change can be trusted."
Images = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Steered:
    """Pictures with and without edits, from the same noise. `np.asarray(steered)` gives those with.

    Attributes:
        images: with the edits, uint8 RGB `(sample, row, col, 3)`.
        before: without them.
        prompts: one per picture.
        report: by how much the pictures changed.
    """

    images: Images
    before: Images
    prompts: tuple[str, ...]
    report: Report

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Images:
        made = np.asarray(self.images, dtype=dtype)
        return made.copy() if copy else made

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Images:
        return self.images[index]

    @property
    def side_by_side(self) -> Images:
        """Without and with, left and right, a row per prompt; uint8 RGB `(row, col, 3)`."""
        return np.concatenate([np.concatenate(list(rows)) for rows in (self.before, self.images)], axis=1)

    def save(self, folder: str | Path) -> Path:
        """Write the pictures, both side by side, and the report; the folder is returned."""
        pillow, place = require("PIL.Image", "save pictures", "pillow"), Path(folder)
        self.report.save(place)
        pillow.fromarray(self.side_by_side).save(place / "without-and-with.png")
        for index, (before, after) in enumerate(zip(self.before, self.images, strict=True)):
            pillow.fromarray(before).save(place / f"{index:03d}-without.png")
            pillow.fromarray(after).save(place / f"{index:03d}-with.png")
        return place


def steer(
    model: "str | Path | Model",
    prompt: str | Sequence[str],
    edits: Sequence[Any],
    *,
    seed: int = 0,
    steps: int = 30,
    guidance: float = 5.0,
    force: bool = False,
    **options: Any,
) -> Steered:
    """Generate from a prompt twice, without and with edits, from the same noise.

    Edits act at every denoising step and, under guidance, on the branches with and without the prompt alike, unless
    `within` limits them.

    Args:
        model: name or path that `load` takes, or a loaded model.
        prompt: one, or one per picture.
        edits: made by `add`, `ablate`, `clamp`, `scale`, `replace`, `patch`, `splice` and so on; those of one site act
            in the order given.
        seed: names the starting noise, together with the picture's index.
        steps: denoising steps.
        guidance: classifier-free scale (1 turns it off), or the embedded guidance of distilled models.
        force: attach directions also where they were learned on another model or site.
        options: further ones of `Model.generate`, such as `negative`, `height`, `width`.

    Raises:
        UnknownName: a model or site that does not exist.
        InputError: no prompt or edit, an edit that does not fit its site, or a dictionary of another model or site.
    """
    started = time.perf_counter()
    changes = by_site(edits)
    if not changes:
        raise InputError("give at least one edit, made by add, ablate, clamp or patch")
    scope = loaded(model)
    settings = {"seed": seed, "steps": steps, "guidance": guidance, **options}
    for name in changes:
        scope.select(name)
    attached(edits, scope, force=force)
    after = scope.generate(prompt, edits=changes, **settings)
    before = scope.generate(prompt, **settings)
    told = [_told(edit) for edit in edits]
    report = Report(
        task="steer",
        parameters={"prompts": after.prompts, "edits": told, **settings},
        scores=(_change(before.images, after.images),),
        inputs={"model": _digest(dict(scope.recipe)), "edits": _digest(told)},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        figures={"Without and with the edits": before_after(before.images, after.images, after.prompts)},
        notes=(_NOTE, *[_ALONE] * (len(after.images) == 1)),
    )
    return Steered(after.images, before.images, after.prompts, report)


def _change(before: Images, after: Images) -> Score:
    """Mean absolute difference of pixels, of 255; its interval is over pictures."""
    gaps = np.abs(before.astype(np.float64) - after).mean(axis=(1, 2, 3))
    return Score("change of pixels", **bootstrap_mean(gaps)._asdict(), unit="of 255", over="pictures")


def _told(edit: Any) -> dict[str, Any]:
    """An edit as a record: its kind, site and numbers, and the digest of its arrays."""
    fields = cast("dict[str, Any]", vars(edit)) if hasattr(edit, "__dict__") else {}
    return {"kind": type(edit).__name__.lower(), **{name: _plain(value) for name, value in fields.items()}}


def _plain(value: Any) -> Any:
    """What a record can hold: numbers and words, digests of arrays, edits and limits in edits as records."""
    if isinstance(value, np.ndarray):
        return sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
    if isinstance(value, (int, float, str, type(None))):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in cast("Sequence[Any]", value)]
    return str(value) if isinstance(value, Site) or not is_dataclass(value) else _told(value)


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode()).hexdigest()[:16]
