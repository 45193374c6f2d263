"""`denoscope sites`, `plan` and `extract`: what can be read, at what cost, and reading it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from denoscope.cli.asking import Yes, with_room
from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.rank import rank
from denoscope.models.coordinates import Canvas
from denoscope.pool import Pool
from denoscope.store.keep import Keep

if TYPE_CHECKING:
    from denoscope.core.site import SiteInfo
    from denoscope.models.base import Model

__all__ = ["Noise", "extract", "onward", "plan", "sites"]

ModelName = Annotated[Positional[str], arg(metavar="MODEL", help="name, Hub id or local folder (see `list models`)")]
DataSpec = Annotated[
    Positional[str], arg(metavar="DATA", help="`photos`, `menagerie:test`, or a folder of pictures (see `list data`)")
]
SitePatterns = Annotated[
    tuple[str, ...], arg(help="names, globs or aliases, as in: --sites in mid 'up.*' (see `sites MODEL`)")
]
Device = Annotated[str | None, arg(help="cpu, cuda, cuda:1 or mps; the best there is unless given")]
Precision = Annotated[
    Literal["fp32", "bf16", "fp16"] | None,
    arg(help="arithmetic of the model; the device's fastest exact choice unless given"),
]
Offload = Annotated[
    Literal["model", "group", "sequential"] | None,
    arg(help="weights wait in host memory: a network, a block or a layer is on the device at a time"),
]
Quantise = Annotated[
    Literal["int8", "fp8", "nf4"] | None,
    arg(help="weights of denoiser and T5 in 8 or 4 bits (needs denoscope[quant]); another model, with another recipe"),
]
Flag = FlagCreatePairsOff[bool]
Compile = Annotated[
    Flag, arg(help="compile the denoiser's repeated blocks; pays on many batches of one size, and the recipe says so")
]


@dataclass(frozen=True)
class Noise:
    """Under which noise, text and chance: the fields of a `Condition`, with several levels at once."""

    timesteps: tuple[float, ...] = ()
    """Noise levels as training timesteps, 0 (least) to 999 (most), as in: --timesteps 0 50 200."""
    sigmas: tuple[float, ...] = ()
    """Noise levels as noise shares."""
    logsnrs: tuple[float, ...] = ()
    """Noise levels as natural logarithms of the signal-to-noise ratio."""
    percents: tuple[float, ...] = ()
    """Noise levels in percent, as published: shares of 100 image-to-image steps of the checkpoint's own sampler."""
    clean: Flag = False
    """Read without any noise too."""
    prompt: str = ""
    """Text; {fact} stands for the sample's fact, as in "a photo of a {category}"."""
    prompts: tuple[str, ...] = ()
    """Several texts instead, each at every level, as in: --prompts '' 'a photo of a {label}'."""
    empty: Literal["encoded", "zeros"] = "encoded"
    """What an empty prompt means: the encoded empty string, or zeros."""
    negative: str = ""
    """Text of the unconditional branch."""
    branch: Literal["cond", "uncond", "diff"] = "cond"
    """Guidance branch that is read."""
    guidance: float | None = None
    """Embedded guidance of distilled models (Flux-dev: 3.5)."""
    seed: int = 0
    """Names the noise, together with sample id and draw."""
    draws: int = 1
    """Independent noises per sample."""
    reduce: Literal["mean", "variance", "all"] = "mean"
    """What is kept of several draws."""
    noise: Literal["per_image", "shared", "none"] = "per_image"
    """Whose noise: each image's own, one for all, or none."""

    @property
    def conditions(self) -> list[Condition]:
        """One condition per noise level that is the same for all models, and prompt.

        Raises:
            InputError: no level was given, one is out of range, or both one prompt and several.
        """
        shared = {name: value for name, value in asdict(self).items() if name not in _LEVELS}
        levels: list[dict[str, Any]] = [{"clean": True}] if self.clean else []
        for plural, name in (("timesteps", "timestep"), ("sigmas", "sigma"), ("logsnrs", "logsnr")):
            levels += [{name: value} for value in getattr(self, plural)]
        if not levels:
            raise InputError("no noise level was given; say for example --timesteps 0 50 200, or --clean")
        if self.prompt and self.prompts:
            raise InputError("give --prompt for one text or --prompts for several, not both")
        texts = dict.fromkeys(self.prompts or (self.prompt,))
        return [Condition(**level, **shared, prompt=text) for level in levels for text in texts]

    def of(self, model: "Model") -> list[Condition]:
        """One condition per noise level, percentages being those of the model's sampler.

        Raises:
            InputError: no level was given, or one is out of range.
        """
        if not self.percents:
            return self.conditions
        from denoscope.models.percents import timesteps_of

        meant = replace(self, timesteps=(*self.timesteps, *timesteps_of(model, self.percents)), percents=())
        return list(dict.fromkeys(meant.conditions))


NOISE, KEEP, CANVAS, POOL = Noise(), Keep(), Canvas(), Pool()
_LEVELS = ("timesteps", "sigmas", "logsnrs", "percents", "clean", "prompt", "prompts")


def sites(
    model: ModelName,
    pattern: Annotated[tuple[str, ...], arg(metavar="PATTERN", help="only these, as in 'up.*' or '**.q'")] = (),
    /,
    *,
    size: int | None = None,
    as_json: AsJson = False,
) -> None:
    """List where a model can be read, in the order in which it computes.

    Args:
        size: side of the canvas in pixels; the model's native size unless given.
    """
    _no_store(model)
    scope = _load(model)
    found: Sequence[SiteInfo] = scope.sites_at(size, size)
    if pattern:
        wanted = {site.name for site in scope.select(pattern)}
        found = [info for info in found if info.name in wanted]
    if as_json:
        show_json([_site(info) for info in found])
        return
    rows = (
        (info.name, " x ".join(map(str, info.shape)), f"{info.stride:g}" if info.stride else "", f"{info.share:.1%}",
         info.site.path)
        for info in found
    )  # fmt: skip
    table(
        rows,
        ["site", "shape", "px per cell", "FLOPs up to here", "module"],
        ["shape", "px per cell", "FLOPs up to here"],
    )


def _no_store(name: str) -> None:
    """Say so where a store's folder was given for a model.

    Raises:
        InputError: with the command that lists what the store holds.
    """
    from denoscope.cli.holding import holds_store

    if Path(name).is_dir() and holds_store(name):
        raise InputError(f"{name!r} is a store, not a model; what it holds: denoscope list {name}")


def _site(info: "SiteInfo") -> dict[str, Any]:
    return {
        "name": info.name,
        "path": info.site.path,
        "stream": info.site.stream,
        "shape": info.shape,
        "stride": info.stride,
        "share": info.share,
    }


def plan(
    model: ModelName,
    data: DataSpec,
    /,
    *,
    sites: SitePatterns,
    noise: OmitArgPrefixes[Noise] = NOISE,
    canvas: Canvas = CANVAS,
    limit: int | None = None,
    device: Device = None,
    precision: Precision = None,
    quantise: Quantise = None,
    batch_size: int | None = None,
    as_json: AsJson = False,
) -> None:
    """Say what an extraction would cost, without reading anything: passes, FLOPs, memory, disk.

    Args:
        limit: at most so many images.
        batch_size: images per forward; chosen from the model's size unless given.
    """
    from denoscope.data.base import open_data

    scope = _load(model, device, precision, quantise=quantise)
    samples = open_data(data, limit)
    alike = canvas.policy in ("pad", "stretch", "crop")  # one canvas size, whatever the images
    sized = len(samples) if alike else [samples[index] for index in range(len(samples))]
    found = scope.plan(sized, sites, noise.of(scope), canvas=canvas, batch_size=batch_size)
    if as_json:
        show_json(found.to_dict())
    else:
        say(str(found))


def extract(
    model: ModelName,
    data: DataSpec,
    /,
    *,
    sites: SitePatterns,
    out: Annotated[str, arg(help="folder or fsspec URL of the store; new recipes join those already there")],
    noise: OmitArgPrefixes[Noise] = NOISE,
    keep: Keep = KEEP,
    canvas: Canvas = CANVAS,
    limit: int | None = None,
    device: Device = None,
    precision: Precision = None,
    offload: Offload = None,
    quantise: Quantise = None,
    compile: Compile = False,
    batch_size: int | None = None,
    shard_size: int | None = None,
    engine: Literal["local", "ray"] = "local",
    pool: Pool = POOL,
    yes: Yes = False,
    progress: bool = True,
    as_json: AsJson = False,
) -> None:
    """Read a data set at sites under conditions into a store; interrupted, the same command goes on.

    Args:
        limit: at most so many images.
        batch_size: images per forward; chosen from the model's size unless given.
        shard_size: samples per file of the store, which one process makes at a time; about 256 MiB unless given.
        engine: this process, or actors of a Ray cluster (needs `denoscope[ray]`), which `pool` describes.
        progress: show a bar with the time left.
    """
    from denoscope.extract import extract as read

    scope = _load(model, device, precision, offload, quantise, compile)
    conditions = noise.of(scope)
    store = with_room(
        lambda most: read(
            scope, data, sites, conditions=conditions, out=out, keep=keep, canvas=canvas, limit=limit,
            batch_size=batch_size, shard_size=shard_size, pool=pool if engine == "ray" else None, most_disk=most,
            progress=progress,
        ),
        yes,
    )  # fmt: skip
    if not rank().first:
        return
    if as_json:
        show_json({"out": out, "recipes": [recipe.digest for recipe in store.recipes], "skipped": store.skipped})
        return
    say(repr(store))
    for line in onward(out, [site.name for site in store.sites]):
        say(line)
    for name, reason in store.skipped.items():
        say(f"skipped {name}: {reason}")


def onward(out: str, sites: Sequence[str]) -> list[str]:
    """What to do with a store that was just filled."""
    which = f"--site {sites[0]}" if len(sites) == 1 else "--sites all"
    return [
        f"{'holds':9} denoscope list {out}",
        f"{'measure':9} denoscope evaluate TASK {out} {which}   (denoscope list tasks)",
        f"{'look':9} denoscope explore {out}",
    ]


def _load(
    name: str,
    device: str | None = None,
    precision: str | None = None,
    offload: str | None = None,
    quantise: str | None = None,
    compile: bool = False,
) -> "Model":
    from denoscope.models.loading import load

    return load(name, device=device, dtype=precision, offload=offload or False, quantise=quantise, compile=compile)
