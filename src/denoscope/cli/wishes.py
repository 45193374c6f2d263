"""What a person wants done to activations, in flags, and the edits that do it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from denoscope.core.errors import InputError

__all__ = ["Branch", "Kind", "Wish", "edits_of", "limited"]

Kind = Literal["add", "ablate", "clamp", "scale", "codes", "replace", "forget", "words", "patch"]
Branch = Literal["both", "cond", "uncond", "opposed"]
_NEEDS = {"add": "how far", "clamp": "the coordinate", "scale": "the factor", "codes": "the factor"}
_LEVELS = (200.0, 400.0, 600.0, 800.0)
"""Noise levels at which the atoms that tell a concept are looked for."""


@dataclass(frozen=True)
class Wish:
    """Flags of `steer` that say what is to be done, where, and from what it is made."""

    kind: Kind
    sites: tuple[str, ...]
    dictionary: Path | None
    atom: int | None
    by: int | None
    goal: str | None
    against: str | None
    strength: float | None
    unit: Any
    towards_prompt: tuple[str, ...]
    against_prompt: tuple[str, ...]
    data: str
    limit: int
    timestep: float

    @property
    def site(self) -> str | None:
        """The only one, or None.

        Raises:
            InputError: there are several.
        """
        if len(self.sites) > 1:
            raise InputError(f"{self.kind} acts at one site, not {len(self.sites)}; only words act at several")
        return self.sites[0] if self.sites else None


def edits_of(scope: Any, wish: Wish, sampling: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """The edits, and what they are to bring about, fact to value.

    Args:
        scope: the model.
        wish: what is wanted.
        sampling: seed, steps and guidance of the pictures, which runs of other prompts share.

    Raises:
        InputError: flags that do not say which direction, or how far.
    """
    if wish.kind in ("words", "patch"):
        return (_words if wish.kind == "words" else _patched)(scope, wish, sampling), {}
    if wish.towards_prompt or wish.against_prompt:
        raise InputError(f"--towards-prompt and --against-prompt are for --edit words and patch, not {wish.kind}")
    if wish.kind == "forget":
        return [_forgetting(scope, wish)], {}
    if (wish.dictionary is None) == (wish.goal is None):
        raise InputError("say which direction: --dictionary FOLDER --atom N, or --towards FACT=VALUE --site SITE")
    source, target = (wish.dictionary, dict[str, str]()) if wish.goal is None else _read(scope, wish)
    return [_one(wish, source, None if wish.dictionary is None else wish.atom)], target


def _read(scope: Any, wish: Wish) -> tuple[Any, dict[str, str]]:
    """The direction to a class, and the class."""
    from denoscope.features.steering import labelled, towards

    if wish.site is None or wish.goal is None:
        raise InputError("a direction of --towards is read at --site; see `denoscope sites`")
    samples = labelled(wish.data, wish.limit)
    return towards(scope, samples, wish.site, wish.goal, against=wish.against, timestep=wish.timestep)


def _one(wish: Wish, source: Any, atom: int | None) -> Any:
    from denoscope.dictionaries import edits
    from denoscope.dictionaries.splices import splice

    atom, site = 0 if wish.dictionary is None else atom, wish.site
    if wish.kind == "ablate":
        return edits.ablate(source, atom, site=site)
    if wish.kind == "replace":
        if wish.dictionary is None or wish.by is None:
            raise InputError("replace puts one atom of a dictionary in the place of another: --atom N --by M")
        gain = 1.0 if wish.strength is None else wish.strength
        return edits.replace(source, atom, by=source, by_atom=wish.by, gain=gain, site=site)
    if wish.strength is None:
        raise InputError(f"{wish.kind} needs --strength, {_NEEDS[wish.kind]}")
    if wish.kind == "add":
        return edits.add(source, atom, strength=wish.strength, unit=wish.unit, site=site)
    if wish.kind == "clamp":
        return edits.clamp(source, atom, value=wish.strength, site=site)
    if wish.kind == "scale":
        return edits.scale(source, atom, factor=wish.strength, site=site)
    if atom is None or wish.dictionary is None:
        raise InputError("say whose codes: --dictionary FOLDER --atom N")
    return splice(source, factors={atom: wish.strength}, keep=1.0, site=site)


def _forgetting(scope: Any, wish: Wish) -> Any:
    """Concept removal by the atoms of a dictionary that tell it."""
    from denoscope.core.condition import Condition
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.dictionaries.unlearning import unlearn
    from denoscope.features.steering import labelled

    fact, equals, value = (wish.goal or "").partition("=")
    if wish.dictionary is None or not equals:
        raise InputError("forget needs a dictionary and a concept: --dictionary FOLDER --towards category=cat")
    made = load_dictionary(wish.dictionary)
    where = wish.site or (None if made.site is None else str(made.site))
    if where is None:
        raise InputError("nothing says where the dictionary was learned; give --site")
    samples = [sample for sample in labelled(wish.data, wish.limit) if fact in sample.facts]
    if not samples:
        raise InputError(f"no image of {wish.data} has the fact {fact!r}")
    blocks = [scope.read(samples, where, Condition(timestep=level))[where] for level in _LEVELS]
    multiplier = -1.0 if wish.strength is None else wish.strength
    return unlearn(made, blocks, [sample.facts[fact] for sample in samples], value, multiplier=multiplier, site=where)


def _words(scope: Any, wish: Wish, sampling: dict[str, Any]) -> list[Any]:
    """What other words change, added on."""
    from denoscope.dictionaries.shifts import shift
    from denoscope.features.wording import worded

    if not wish.towards_prompt or not wish.sites:
        raise InputError('words need --towards-prompt "..." --against-prompt "..." --site SITE ...')
    strength = 1.0 if wish.strength is None else wish.strength
    told = {**sampling, "seed": sampling["seed"] + 1}
    found = worded(scope, wish.towards_prompt, wish.against_prompt, wish.sites, **told)
    return [shift(maps, strength=strength, unit=wish.unit, site=name) for name, maps in found.items()]


def _patched(scope: Any, wish: Wish, sampling: dict[str, Any]) -> list[Any]:
    """The activations of other prompts' pictures, step by step, from the same noise."""
    from denoscope.dictionaries.patches import patch

    if not wish.towards_prompt or not wish.sites:
        raise InputError('patch needs the prompts whose activations are put in: --towards-prompt "..." --site SITE')
    run = scope.generate(list(wish.towards_prompt), record=list(wish.sites), **sampling)
    return [patch([step[name] for step in run.activations]) for name in run.activations[0]]


def limited(made: Any, window: Any, noise: Any, branch: Branch, box: Any, mask: Path | None) -> Any:
    """An edit where and when it is to act."""
    from denoscope.dictionaries.limits import within
    from denoscope.dictionaries.shifts import opposed

    if branch == "opposed":
        return opposed(limited(made, window, noise, "both", box, mask))
    if window is None and noise is None and branch == "both" and box is None and mask is None:
        return made
    return within(made, steps=window, timesteps=noise, branch=branch, box=box, mask=_bright(mask))


def _bright(path: Path | None) -> Any:
    """Where a picture is brighter than half."""
    if path is None:
        return None
    from denoscope.core.optional import require

    pillow = require("PIL.Image", "read a mask", "pillow")
    import numpy as np

    try:
        return np.asarray(pillow.open(path).convert("L")) > 127
    except OSError:
        raise InputError(f"no picture at {path}") from None
