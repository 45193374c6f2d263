"""Where a tensor is read: one grammar of names for every family."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from denoscope.core.errors import UnknownName, unknown
from denoscope.core.frame import Grid

__all__ = ["Site", "SiteInfo", "Stream", "alias", "select"]

Stream = Literal["image", "text", "query", "key", "value", "attention"]

_PARTS: dict[str, Stream] = {"txt": "text", "q": "query", "k": "key", "v": "value", "map": "attention"}


@dataclass(frozen=True, order=True)
class Site:
    """A place in a denoiser, named `up.1.attn.2.blk.0.cross.q` in every model that has it.

    Two sites are equal when their names are; `Site.parse(str(site)) == site`.

    Attributes:
        name: canonical name.
        path: module path in this model's denoiser; empty until a model has resolved the name.
    """

    name: str
    path: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> "Site":
        """A site by its name alone, in canonical spelling or as an alias."""
        return cls(alias(text))

    @property
    def stream(self) -> Stream:
        """Which tensor this is: read off the last parts of the name, `image` where nothing else is said."""
        for part in reversed(self.name.split(".")):
            if part in _PARTS:
                return _PARTS[part]
        return "image"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class SiteInfo:
    """A site and what to expect there, for one image at the asked size.

    Attributes:
        site: name and module path.
        shape: of one sample: `(channel, row, col)`, `(token, channel)` or `(head, query, key)`.
        grid: the cells that tokens or grid values lie on, None where there are none.
        share: floating-point work of the denoiser up to and including this site, 0 ... 1.
    """

    site: Site
    shape: tuple[int, ...]
    grid: Grid | None
    share: float

    @property
    def name(self) -> str:
        """Canonical name."""
        return self.site.name

    @property
    def stride(self) -> float | None:
        """Canvas pixels per cell."""
        return self.grid.stride if self.grid else None

    @property
    def channels(self) -> int:
        """Width of the channel axis (heads for attention maps)."""
        return self.shape[0] if len(self.shape) == 3 else self.shape[-1]


_ALIASES: tuple[tuple[str, str], ...] = (
    (r"h|h-?space|m|mid_block", "mid"),
    (r"conv_in", "in"),
    (r"conv_out", "out"),
    (r"(up|down)_blocks\[?\.?(\d+)\]?", r"\1.\2"),
    (r"(u|d)(\d+)", r"\1\2!"),
    (r"(u|d|m)(\d*)\.(r|a)(\d+)", r"\1\2.\3\4!"),
    (r"u(\d+)\.up", r"up.\1.us"),
    (r"d(\d+)\.down", r"down.\1.ds"),
    (r"dift:(\d+)", r"up.\1"),
    (r"transformer_blocks\[(\d+)\]", r"transformer_blocks.\1"),
)

_SHORT = {"u": "up", "d": "down", "m": "mid", "r": "res", "a": "attn"}


def alias(text: str) -> str:
    """Canonical spelling of a peer's name; other names pass unchanged.

    Knows sdhelper (`up_blocks[1]`, `mid_block`, `u1.r1`), DIFT (`dift:1`), CleanDIFT (`us6`), CompVis
    (`output_blocks.5`). Module paths (`up_blocks.1.resnets.1`) are resolved by the model itself.
    """
    text = text.strip()
    for pattern, replacement in _ALIASES:
        found = re.fullmatch(pattern, text)
        if found:
            return _expand(found.expand(replacement))
    if found := re.fullmatch(r"us(\d+)", text):
        return _up_layer(int(found[1]) - 1)
    if found := re.fullmatch(r"output_blocks[.\[](\d+)\]?", text):
        return _up_layer(int(found[1]))
    return text


def _expand(text: str) -> str:
    """`u1.r0!` to `up.1.res.0`; text without the mark passes unchanged."""
    if not text.endswith("!"):
        return text
    letters = re.findall(r"([a-z])(\d*)", text)
    return ".".join(part for letter, digits in letters for part in (_SHORT[letter], digits) if part)


def _up_layer(index: int) -> str:
    """The n-th of the twelve decoder layers, three to a block; a block's last one is the block's output."""
    block, layer = divmod(index, 3)
    if layer == 2:
        return f"up.{block}"
    return f"up.{block}.res.{layer}" if block == 0 else f"up.{block}.attn.{layer}"


def select(patterns: str | Iterable[str | Site], sites: Sequence[SiteInfo], shares: bool = True) -> list[Site]:
    """The sites that names, globs, paths or aliases mean, in the model's order, each once.

    Args:
        patterns: one or several of: canonical name, alias, diffusers module path, glob (`up.*`, where `*` is one
            part of the name and `**` any number), or `depth@0.51` (nearest block by share of FLOPs).
        sites: what the model has.
        shares: whether the shares of `sites` are known, which `depth@` needs.

    Raises:
        UnknownName: a pattern that means no site, with the nearest names.
    """
    wanted: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, (str, Site)) else patterns:
        wanted.update(_matches(str(pattern), sites, shares))
    return [info.site for info in sites if info.name in wanted]


def _matches(pattern: str, sites: Sequence[SiteInfo], shares: bool) -> list[str]:
    name = alias(pattern)
    if name.startswith("depth@") and shares:
        return [_at_depth(name, sites)]
    by_path = re.sub(r"\[(\d+)\]", r".\1", pattern)
    found = [info.name for info in sites if info.name == name]
    found = found or [info.name for info in sites if by_path and info.site.path == by_path][:1]
    if not found and any(mark in name for mark in "*?["):
        found = [info.name for info in sites if _glob(name, info.name)]
    if not found and name == "all":
        raise UnknownName("no site is called 'all'; '**' is every one, blocks of a U-Net are down.? mid up.?; "
                          "list them with: denoscope sites MODEL")  # fmt: skip
    if not found:
        raise unknown("site", pattern, [info.name for info in sites], "denoscope sites MODEL")
    return found


def _glob(pattern: str, name: str) -> bool:
    """Shell-style match part by part: `*` stays within one part, `**` spans any number of them."""
    heads, parts = pattern.split("."), name.split(".")
    if "**" in heads:
        cut = heads.index("**")
        first, rest = heads[:cut], heads[cut + 1 :]
        fits = _glob(".".join(first), ".".join(parts[:cut])) if first else True
        return fits and any(_glob(".".join(rest), ".".join(parts[i:])) for i in range(cut, len(parts) + 1))
    return len(heads) == len(parts) and all(map(fnmatchcase, parts, heads))


_BLOCK = r"(up|down)\.\d+|mid|dit\.b\.\d+|dit\.[ds]\.\d+\.img"


def _at_depth(pattern: str, sites: Sequence[SiteInfo]) -> str:
    """The block whose output lies nearest to a share of the denoiser's FLOPs."""
    try:
        depth = float(pattern.removeprefix("depth@"))
    except ValueError:
        depth = math.nan
    if not 0 <= depth <= 1:
        raise UnknownName(f"no site {pattern!r}; a depth is a share of FLOPs, 0 ... 1, such as depth@0.51")
    blocks = [info for info in sites if re.fullmatch(_BLOCK, info.name)]
    if not blocks:
        raise UnknownName(f"no site {pattern!r}; this model has no blocks to measure depth by")
    return min(blocks, key=lambda info: abs(info.share - depth)).name
