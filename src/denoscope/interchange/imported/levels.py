"""Under which condition features were read, and what is recorded of what nobody knows."""

from typing import Any

from denoscope.core.condition import Condition
from denoscope.interchange.imported.told import Settled

__all__ = ["condition_of", "no_noise", "said_of"]


def no_noise() -> Condition:
    """Of a network that sees pictures as they are."""
    return Condition(clean=True, noise="none")


def condition_of(settled: Settled) -> Condition:
    """Noise level, text and number of noises of a denoiser; the noise itself is never one that denoscope draws.

    An unknown level is kept as no level at all (`clean`), and the recipe says that it is unknown.

    Raises:
        InputError: no level was said.
    """
    level = settled.need("timestep")
    prompt, draws = settled.ask("prompt"), settled.ask("draws")
    settled.ask("seed")
    if level is None:
        return Condition(clean=True, noise="none", prompt=prompt or "")
    return Condition(timestep=level, prompt=prompt or "", draws=draws or 1)


def said_of(settled: Settled) -> dict[str, Any]:
    """What a recipe records beside site, condition and canvas."""
    checkpoint = settled.ask("model")
    seed = settled.told.seed
    return {
        "checkpoint": checkpoint,
        **({} if seed is None else {"seed": seed}),
        "assumed": dict(sorted(settled.assumed.items())),
        "unknown": sorted(settled.unknown),
    }
