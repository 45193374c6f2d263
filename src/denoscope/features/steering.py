"""Directions and judges for steering, straight from a model and labelled images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown
from denoscope.core.sample import Sample
from denoscope.data.base import open_data
from denoscope.dictionaries.contrasts import How, contrast
from denoscope.dictionaries.painted import Painted
from denoscope.features.judging import Judge, judge
from denoscope.features.rendered import FACTS, Seen, rendered_judges

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["JudgedBy", "judges_of", "labelled", "towards"]

JudgedBy = Literal["auto", "renderings", "activations"]
DRAWS = ("embedded",)
"""Models whose pictures are of the menagerie."""


def labelled(data: str, limit: int) -> list[Sample]:
    """The first samples of a data set."""
    found = open_data(data, limit)
    return [found[index] for index in range(len(found))]


def towards(
    model: "Model",
    samples: Sequence[Sample],
    site: str,
    goal: str,
    *,
    against: str | None = None,
    how: How = "means",
    timestep: float = 400.0,
) -> tuple[Painted, dict[str, str]]:
    """The direction towards a class, read from images that show it and others.

    Args:
        model: loaded.
        samples: with the fact.
        site: where it is read, and where it acts.
        goal: fact and value, as in `colour=red`.
        against: the value that it leads away from; all others unless given.
        how: means or probe, see `contrast`.
        timestep: noise level of reading; a middle one suits more of the steps than one end.

    Returns:
        The direction, and the fact with its value.

    Raises:
        InputError: a goal that is no fact and value.
        UnknownName: a fact or value that no image has.
    """
    fact, equals, value = goal.partition("=")
    if not equals or not value:
        raise InputError(f"a goal is a fact and its value, as in colour=red, not {goal!r}")
    known = [sample for sample in samples if fact in sample.facts]
    if not known:
        raise unknown("fact", fact, [name for sample in samples[:1] for name in sample.facts], "sample.facts")
    name = str(model.select(site)[0])
    acts = model.read(known, name, Condition(timestep=timestep))[name]
    return contrast(acts, [sample.facts[fact] for sample in known], value, against=against, how=how), {fact: value}


def judges_of(
    model: "Model",
    facts: Sequence[str],
    data: str,
    limit: int,
    site: str = "mid",
    by: JudgedBy = "auto",
    progress: bool = False,
) -> dict[str, Judge | Seen]:
    """A judge of each fact; each says its own accuracy.

    Args:
        model: whose pictures are judged.
        facts: such as `category`.
        data, limit: labelled images, for judges made of activations.
        site: where these read.
        by: `renderings`: a classifier that was trained on the menagerie's pictures and knows no model, kept once it is
            trained. `activations`: the nearest class mean in the model's own reading of `data`. `auto`: the first for
            a model that draws the menagerie, the second for any other.
        progress: show a bar while a classifier is trained.

    Raises:
        UnknownName: a fact that no image has.
    """
    rendered = by == "renderings" or (
        by == "auto" and str(model.recipe.get("name")) in DRAWS and set(facts) <= {*FACTS}
    )
    if rendered:
        return {**rendered_judges(facts, progress=progress)}
    samples = labelled(data, limit)
    return {fact: judge(model, samples, site, fact) for fact in facts}
