"""Prompts that steering is tried on: one factor is left open, or named otherwise, all others are named."""

from collections.abc import Sequence
from dataclasses import dataclass

from denoscope.core.errors import InputError, unknown
from denoscope.data.menagerie import BACKGROUNDS, CATEGORIES, COLOURS, SUPERCLASS, Menagerie

__all__ = ["FACTORS", "Goal", "Trial", "goal_of", "named", "trials"]

FACTORS = {"category": tuple(CATEGORIES), "colour": tuple(COLOURS), "background": tuple(BACKGROUNDS)}
"""Facts that prompts name, and their values."""
_PLACES = {"meadow": "on a meadow", "beach": "at the beach", "night": "at night", "room": "in a room",
           "snow": "in the snow"}  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """What pictures are to show: a fact's value."""

    fact: str
    value: str

    def __str__(self) -> str:
        return f"{self.fact}={self.value}"


@dataclass(frozen=True)
class Trial:
    """One prompt, and what it names: `{"category": "cat", "colour": "red", "background": "snow"}`.

    A colour or background of "" is left out; so is a category, of which the super-category is named.
    """

    category: str
    colour: str
    background: str
    above: str
    """Super-category of the thing."""

    @property
    def prompt(self) -> str:
        """As the embedded model was taught to read: `a photo of a red cat in the snow`."""
        thing = self.category or self.above
        words = [word for word in (self.colour, thing) if word]
        article = "an" if words[0][0] in "aeiou" else "a"
        return " ".join(["a photo of", article, *words, *([_PLACES[self.background]] if self.background else [])])


def goal_of(text: str) -> Goal:
    """A goal from `background=snow`.

    Raises:
        InputError: no fact and value.
        UnknownName: a fact or value that prompts cannot name.
    """
    fact, equals, value = text.partition("=")
    if not equals or not value:
        raise InputError(f"a goal is a fact and its value, as in colour=red, not {text!r}")
    if fact not in FACTORS:
        raise unknown("fact", fact, FACTORS, "denoscope.features.trials.FACTORS")
    if value not in FACTORS[fact]:
        raise unknown(fact, value, FACTORS[fact], "denoscope.features.trials.FACTORS")
    return Goal(fact, value)


def trials(goal: Goal, count: int, *, start: int = 0, otherwise: bool = False) -> list[Trial]:
    """Prompts of scenes that no model was trained on, without the goal's value.

    Args:
        goal: whose fact is left out.
        count: of prompts.
        start: so many are passed over first: `trials(goal, 12)` and `trials(goal, 40, start=12)` share no scene.
        otherwise: the fact is named, with the scene's own value, so that an edit has the prompt against it; scenes
            that show the goal's value are passed over in any case.
    """
    world, found, index = Menagerie("test", 64, 1 << 20, 11, 0.0), list[Trial](), 0
    while len(found) < start + count:
        scene = world.scene(index)
        thing, index = scene.things[0], index + 1
        told = {"category": thing.category, "colour": thing.colour, "background": scene.background}
        if told[goal.fact] != goal.value:
            kept = told if otherwise else {**told, goal.fact: ""}
            found.append(Trial(**kept, above=SUPERCLASS[thing.category]))
    return found[start:]


def named(tried: Sequence[Trial], goal: Goal) -> list[Trial]:
    """The same prompts with the goal's value in words: what asking for it does."""
    return [Trial(**{**vars(one), goal.fact: goal.value}) for one in tried]
