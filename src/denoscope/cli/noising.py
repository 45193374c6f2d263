"""`denoscope noise`: what percentages, timesteps and log-SNRs mean for a model."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import show_json, table

if TYPE_CHECKING:
    from denoscope.models.percents import NoiseLevel

__all__ = ["noise"]

_PUBLISHED = (1.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)

Names = Annotated[
    Positional[tuple[str, ...]],
    arg(metavar="MODEL", help="name, Hub id or folder; of further ones, the levels that hold as much noise"),
]


def noise(
    models: Names,
    /,
    *,
    percents: tuple[float, ...] = (),
    timesteps: tuple[float, ...] = (),
    logsnrs: tuple[float, ...] = (),
    as_json: AsJson = False,
) -> None:
    """Say what noise levels mean for a model on every axis, and which levels of others hold as much noise.

    Args:
        percents: noise in percent, as published: shares of 100 image-to-image steps of the checkpoint's own sampler;
            1, 5, 10, 20 ... 90 unless a level is given.
        timesteps: training timesteps, 0 to 999.
        logsnrs: natural logarithms of the signal-to-noise ratio.
    """
    from denoscope.core.errors import InputError
    from denoscope.features.noise import axes, equal_noise
    from denoscope.models.loading import load

    if not models:
        raise InputError("name a model, as in: denoscope noise sd15; list them with: denoscope list models")
    if levels_among := [name for name in models if name.replace(".", "", 1).isdigit()]:
        raise InputError(f"a level is given by its axis, as in: --timesteps {' '.join(levels_among)}, or --percents")
    first, *others = map(load, models)
    asked = percents or (() if timesteps or logsnrs else _PUBLISHED)
    levels = axes(first, percents=asked, timesteps=timesteps, logsnrs=logsnrs)
    found: list[tuple[str, list[Any]]] = [(models[0], [*levels])]
    found += zip(models[1:], equal_noise(first, others, levels), strict=True)
    rows = [_row(name, here[number]) for number in range(len(levels)) for name, here in found]
    if as_json:
        show_json(rows)
        return
    table(([_shown(value) for value in row.values()] for row in rows), list(rows[0]), list(rows[0])[1:])


def _row(name: str, level: "NoiseLevel | None") -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(("percent", "timestep", "alpha_bar", "sigma", "logsnr"))
    if level is not None:
        told |= {key: value for key, value in asdict(level).items() if value is None or math.isfinite(value)}
    return {"model": name, **told}


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.5g}"
