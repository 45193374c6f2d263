"""Blocks of activations by whose noise they were read with: each image's own, one for all, several averaged, none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError

__all__ = ["AVERAGED", "KINDS", "NONE", "OWN", "SHARED", "Spot", "amount", "kind_of", "spots_of"]

OWN = "noise per image"
SHARED = "shared noise"
AVERAGED = "averaged draws"
NONE = "no noise"
KINDS = (OWN, SHARED, AVERAGED, NONE)
"""In the order in which they are told; the first one that was read is what others are compared with."""


@dataclass(frozen=True, eq=False)
class Spot:
    """A site of a model at a noise level, under each kind of chance.

    Attributes:
        model: its name.
        site: its name.
        level: the condition, without its chance.
        draws: kind of chance to the activations of each seed.
    """

    model: str
    site: str
    level: Condition
    draws: Mapping[str, Sequence[Activations]]


def kind_of(condition: Condition) -> str:
    """Whose noise a condition means.

    Raises:
        InputError: draws that were not averaged.
    """
    if condition.draws > 1 and condition.reduce != "mean":
        raise InputError(f"draws are compared as they are or averaged, not with reduce={condition.reduce!r}")
    if condition.noise == "none" or condition.clean:
        return NONE
    if condition.draws > 1:
        return AVERAGED
    return SHARED if condition.noise == "shared" else OWN


def spots_of(blocks: Sequence[Activations]) -> list[Spot]:
    """Blocks by model, site and noise level, the least noise first.

    Raises:
        InputError: one place was read twice under one seed.
    """
    found: dict[tuple[str, str, Condition], dict[str, dict[int, Activations]]] = {}
    for block in blocks:
        condition, kind = block.condition, kind_of(block.condition)
        level = replace(condition, seed=0, draws=1, noise="per_image")
        here = found.setdefault((_model(block), block.site.name, level), {}).setdefault(kind, {})
        if condition.seed in here:
            raise InputError(f"{block.site} at {condition} was read twice; name a recipe")
        here[condition.seed] = block
    order = sorted(found, key=lambda key: amount(key[2]))
    return [
        Spot(*key, {kind: [found[key][kind][seed] for seed in sorted(found[key][kind])]
                    for kind in KINDS if kind in found[key]})
        for key in order
    ]  # fmt: skip


def amount(level: Condition) -> float:
    """Sorts levels of one axis from little to much noise."""
    if level.timestep is not None:
        return level.timestep
    if level.logsnr is not None:
        return -level.logsnr
    return level.sigma or 0.0


def _model(block: Activations) -> str:
    if block.recipe is None:
        return ""
    name = str(block.recipe.model.get("name", ""))
    return f"untrained:{name}" if "untrained" in block.recipe.model else name
