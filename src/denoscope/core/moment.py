"""Which denoising step it is, and what each row of a batch is for: what the sampler tells an edit."""

from dataclasses import dataclass
from typing import Any, Literal

from denoscope.core.frame import Grid

__all__ = ["Branch", "Moment", "at"]

Branch = Literal["cond", "uncond"]


@dataclass(frozen=True)
class Moment:
    """One step of sampling, seen from one site.

    Attributes:
        step: number of the step, 0 the noisiest.
        steps: how many there are.
        timestep: noise level of the step, 0 ... 1000.
        branches: what each row of the batch is for: `cond` has the prompt, `uncond` the negative one.
        pictures: which picture each row belongs to, counted from 0.
        height, width: of the pictures, in pixels.
        grid: cells of the site; None where its tokens do not lie on the picture.
    """

    step: int
    steps: int
    timestep: float
    branches: tuple[Branch, ...]
    pictures: tuple[int, ...]
    height: int
    width: int
    grid: Grid | None


def at(edit: Any, moment: Moment) -> Any:
    """The edit as it acts at a moment, None where it does not.

    An edit that depends on the step, on the branch or on the picture says so by a method `at(moment)`, which gives a
    plain function from tensor to tensor, or None; one without acts in the same way at all moments.
    """
    told = getattr(edit, "at", None)
    return told(moment) if callable(told) else edit
