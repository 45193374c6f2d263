"""`denoscope align`: the affine map under which people's choices follow from a site, saved."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json

__all__ = ["align"]

Folder = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]


def align(
    store: Folder,
    /,
    *,
    out: Path = Path("map.npz"),
    shape: Annotated[str, arg(name="map")] = "full",
    site: str | None = None,
    timestep: float | None = None,
    penalties: tuple[float, ...] = (0.6, 0.3, 0.1, 0.03, 0.01),
    scaling: Literal["scalar", "channel"] = "scalar",
    bias: FlagCreatePairsOff[bool] = True,
    pool: Literal["mean", "max", "attention", "flatten", "cells", "gram"] = "mean",
    components: int = 0,
    inner: int = 3,
    alpha: float = 0.1,
    temperature: float = 1.0,
    seed: int = 42,
    recipe: str | None = None,
    data: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Learn the affine map under which people's odd-one-out choices follow from a site, from all objects; save it.

    How such maps do on unseen objects: `denoscope evaluate alignability STORE`, with --known FILE also a saved one.

    Args:
        out: file: .npz (weights, bias, mean, std, as gLocal's) or .npy ([W | b], mean and std folded in).
        shape: full, diagonal, rank-N, shrunk (towards a multiple of the identity) or glocal (and keeping neighbours).
        site: name or alias; may be left out where only one is stored.
        timestep: noise level, 0 to 999; the only one stored, or that nearest to 50, unless given.
        penalties: to choose from, as shares of the highest one.
        scaling: of the activations, by one mean and standard deviation or by those of each channel.
        bias: of full maps.
        pool: how the cells of an image become one vector.
        components: principal components that a map goes through; 0 for none.
        inner: parts of the objects that choose the penalty.
        alpha: weight of who is near whom in glocal maps.
        temperature: of who is near whom.
        seed: of the parts and the start.
        recipe: digest, or its beginning, where the store holds several recipes.
        data: the images, where the store cannot find them again (see `list data`).
    """
    from denoscope.align import align as verb
    from denoscope.tasks.alignability import Alignability

    task = Alignability(
        maps=(shape,), penalties=penalties, scaling=scaling, bias=bias, pool=pool, components=components, inner=inner,
        alpha=alpha, temperature=temperature, seed=seed,
    )  # fmt: skip
    made = verb(store, out, task, site, timestep=timestep, recipe=recipe, data=data)
    if as_json:
        show_json(made.to_dict())
        return
    say(f"map     {made.file}  {made.transform.weights.shape}, {made.transform.digest}")
    say(f"site    {made.site}, {made.condition}; {made.choices} choices among {made.objects} objects")
    say(f"fit     penalty {made.share:g} of the highest, optimality gap {made.gap:.1e} nats, "
        f"effective rank {made.effective_rank:.1f}")  # fmt: skip
    if made.same:
        say(f"note    {', '.join(made.same)} in the same folder is the same map: one of them is misnamed")
