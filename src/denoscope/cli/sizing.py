"""`denoscope memory`: which way to keep a model's weights fits a card."""

from dataclasses import asdict
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table
from denoscope.core.errors import InputError

__all__ = ["memory"]

_GIB = 2**30
_CONTEXT = 0.6
"""GiB that a CUDA context and its libraries take, about."""
_WIDTHS = {"bf16": 2, "fp16": 2, "fp32": 4}


def memory(
    model: Annotated[
        Positional[str],
        arg(metavar="MODEL", help="sd15, sdxl, sd3, flux-dev, ... by their published shapes, or a model that is here"),
    ],
    /,
    *,
    card: float = 24.0,
    precision: Literal["bf16", "fp16", "fp32"] = "bf16",
    batch_size: int = 1,
    size: int | None = None,
    as_json: AsJson = False,
) -> None:
    """Tell the memory of each way to keep a model's weights, by arithmetic on its shapes; nothing is loaded.

    Args:
        card: memory of the card in GiB.
        precision: of everything that is not quantised.
        batch_size: rows of one forward.
        size: side of the canvas in pixels; the native one unless given.
    """
    from denoscope.models.memory import choices, loaded_networks, networks
    from denoscope.models.toys import FULL_SIZES

    if batch_size < 1 or not card > 0:
        raise InputError(f"a card has some GiB and a forward some rows; not {card:g} and {batch_size}")
    if model in FULL_SIZES:
        parts = networks(model, size)
    else:
        from denoscope.models.loading import load

        parts = loaded_networks(load(model, device="cpu"), size)
    found = list(choices(parts, _WIDTHS[precision], batch_size, precision))
    fits = [one.card / _GIB + _CONTEXT <= card for one in found]
    if as_json:
        show_json([asdict(one) | {"fits": fit} for one, fit in zip(found, fits, strict=True)])
        return
    counts = ", ".join(f"{part.name} {sum(w.numel() for w in part.module.parameters()) / 1e6:,.0f} M" for part in parts)
    say(f"parameters: {counts}")
    rows = (
        (one.weights, one.offload or "-", f"{one.card / _GIB:.2f}", f"{one.host / _GIB:.2f}", "yes" if fit else "no",
         one.worst)
        for one, fit in zip(found, fits, strict=True)
    )  # fmt: skip
    numbers = ("GiB on the card", "GiB waiting")
    table(rows, ("weights", "--offload", *numbers, f"fits {card:g} GiB", "worst moment"), numbers)
    say(f"A CUDA context takes about {_CONTEXT:g} GiB more, which is counted in what fits.")
