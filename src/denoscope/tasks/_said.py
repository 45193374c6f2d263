"""Blocks of activations by what was said to the model: nothing, the right words, wrong ones, or ones of no meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import Formatter

import numpy as np
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.task import Facts

__all__ = ["LABEL", "SHUFFLED", "TEXT", "UNSAID", "Place", "Said", "carriers", "kind_of", "said"]

UNSAID = "unconditional"
LABEL = "label"
SHUFFLED = "shuffled label"
TEXT = "text."
"""How the site is named at which a text encoder's vectors stand: `text.last`, `text.mean`, `text.pooled`."""

_FACTS = ("label", "caption", "wrong_label", "shuffled_label", "random_tokens")


@dataclass(frozen=True, eq=False)
class Place:
    """A site at a noise level, under each of the prompts.

    Attributes:
        site: its name.
        level: the condition without a prompt.
        twin: whether the model was never trained.
        blocks: what was said to the activations; the unconditional ones first, if there are any.
    """

    site: str
    level: Condition
    twin: bool
    blocks: Mapping[str, Activations]


@dataclass(frozen=True, eq=False)
class Said:
    """Everything that was read, put in order.

    Attributes:
        places: sites at noise levels, by level, then in the order in which they came.
        texts: what was said to the text encoder's vectors of it.
        prompts: what was said to the prompt.
    """

    places: tuple[Place, ...]
    texts: Mapping[str, Activations]
    prompts: Mapping[str, str]


def kind_of(prompt: str) -> str:
    """What a prompt says: the one fact of `worded:` data that it names, `unconditional`, or the prompt in quotes."""
    named = {name for _, name, _, _ in Formatter().parse(prompt) if name is not None}
    if not prompt:
        return UNSAID
    return named.pop().replace("_", " ") if len(named) == 1 and named <= set(_FACTS) else f'"{prompt}"'


def said(blocks: Sequence[Activations], way: str) -> Said:
    """Blocks by site, noise level and prompt.

    Args:
        blocks: one vector per image each, of the same images in the same order.
        way: which of the text encoder's vectors count, `last`, `mean` or `pooled`.

    Raises:
        InputError: something was said where nothing was read without words, or twice the same.
    """
    prompts = _prompts(blocks)
    places: dict[tuple[str, Condition, bool], dict[str, Activations]] = {}
    texts: dict[str, Activations] = {}
    for block in blocks:
        kind = prompts[block.condition.prompt]
        if block.site.name.startswith(TEXT):
            texts |= {kind: block} if block.site.name == TEXT + way else {}
            continue
        key = (block.site.name, replace(block.condition, prompt=""), _untrained(block))
        if kind in (here := places.setdefault(key, {})):
            raise InputError(f"{key[0]} at {key[1]} was read twice with the prompt {block.condition.prompt!r}")
        here[kind] = block
    for (site, level, _), here in places.items():
        if UNSAID not in here:
            raise InputError(f"{site} at {level} was read with {', '.join(here)} but not without words, from which "
                             "gains are measured; extract with --prompt '' as well")  # fmt: skip
    levels = list(dict.fromkeys(level for _, level, _ in places))
    order = sorted(places, key=lambda key: levels.index(key[1]))
    made = (Place(*key, {kind: places[key][kind] for kind in prompts.values() if kind in places[key]}) for key in order)
    return Said(tuple(made), texts, {kind: prompt for prompt, kind in prompts.items()})


def carriers(
    facts: Facts, index: NDArray[np.int64], objects: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.int64]:
    """For each object the one that was shown under its name, -1 where none was, by the fact `shuffled_object`.

    Args:
        facts: of each image.
        index: number of each image's object.
        objects: numbers of the objects that are scored.
        names: of these.

    Raises:
        InputError: two objects were shown under one name.
    """
    place, number = {name: i for i, name in enumerate(names)}, {int(n): i for i, n in enumerate(objects)}
    found = np.full(len(names), -1)
    for one, row in zip(index.tolist(), facts, strict=True):
        told = place.get(str(row.get("shuffled_object")))
        if told is None or one not in number:
            continue
        if found[told] not in (-1, number[one]):
            raise InputError(f"{names[found[told]]!r} and {names[number[one]]!r} were both called {names[told]!r}")
        found[told] = number[one]
    return found


def _prompts(blocks: Sequence[Activations]) -> dict[str, str]:
    """Prompt to what it says, nothing first; a second prompt that says the same is told by its text."""
    found: dict[str, str] = {}
    for prompt in sorted(dict.fromkeys(block.condition.prompt for block in blocks), key=bool):
        kind = kind_of(prompt)
        found[prompt] = f'"{prompt}"' if kind in found.values() else kind
    return found


def _untrained(block: Activations) -> bool:
    return block.recipe is not None and "untrained" in block.recipe.model
