"""Where in the picture each text token is looked at from: streamed, while a denoiser runs, without the full map.

Tang et al. 2022 ("What the DAAM") add up cross-attention over heads, layers and denoising steps.
Here only the columns of the prompt's tokens are computed, and means in place of sums make maps of few and of many steps
comparable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from denoscope.core.errors import InputError, unknown
from denoscope.core.site import Site, alias
from denoscope.models.attention import text_shares
from denoscope.models.hooks import Tap
from denoscope.models.reading import buckets, encoded, forward, rows_at_once
from denoscope.models.rows import rows_of
from denoscope.models.siteinfo import grid_of

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from denoscope.core.condition import Condition
    from denoscope.core.frame import Frame, Grid
    from denoscope.core.sample import Sample
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas
    from denoscope.models.hooks import Calls, Looking

__all__ = ["Branch", "TextMaps", "image_maps", "text_sites"]

Branch = str
"""What a row of a forward is there for: `cond` with the prompt, `uncond` without."""


def text_sites(model: Model, patterns: Sequence[str] = ()) -> list[Tap]:
    """Attention from image cells to text that `patterns` name, all unless given, in computation order.

    Args:
        model: whose.
        patterns: names or globs of maps (`up.1.attn.0.blk.0.cross.map`), or of blocks that hold some (`up.1`).

    Raises:
        InputError: the model reads no text by attention.
        UnknownName: a pattern that no such site answers to.
    """
    taps = {name: tap for name, tap in model.taps.items() if tap.looks is not None}
    if not taps:
        raise InputError("this model has no attention from image cells to a text, so there are no word maps of it")
    wanted = set(taps) if not patterns else set[str]()
    for pattern in map(alias, patterns):
        found = [name for name in taps if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]
        if not found:
            raise unknown("site with attention to text", pattern, taps, "denoscope sites MODEL '**.map' '**.map.it'")
        wanted.update(found)
    return [tap for name, tap in taps.items() if name in wanted]


@dataclass
class TextMaps:
    """Running means over forwards of the attention from each cell to some text tokens, mean over heads, fp32.

    Hand it to `generate(watch=...)`, or call `taps` before and `add` after each forward.

    Attributes:
        model: whose sites they are.
        sites: that are watched, see `text_sites`.
        columns: text tokens that are kept, counted from the first one.
        grids: of each site, once something was seen.
    """

    model: Model
    sites: Sequence[Tap]
    columns: Sequence[int]
    grids: dict[str, Grid] = field(default_factory=dict[str, "Grid"])
    _sums: dict[str, torch.Tensor] = field(default_factory=dict[str, "torch.Tensor"])
    _seen: dict[int, int] = field(default_factory=dict[int, int])

    def taps(self, branches: Sequence[Branch]) -> list[Tap]:
        """What a forward is to be read with, whose rows are there for `branches`: those with the prompt alone count.

        Raises:
            InputError: no row has the prompt.
        """
        rows = [row for row, branch in enumerate(branches) if branch == "cond"]
        if not rows:
            raise InputError("no row of the forward has the prompt, so no word is looked at")
        return [
            replace(tap, site=Site(f"{tap.name}.words", tap.site.path), put=None, looks=None,
                    needs=(*tap.needs, tap.kernel) if tap.kernel else tap.needs,
                    take=partial(_shares, tap.looks, rows, len(branches), list(self.columns)))
            for tap in self.sites if tap.looks is not None
        ]  # fmt: skip

    def add(self, values: Mapping[str, torch.Tensor], latents: Sequence[int], pictures: Sequence[int]) -> None:
        """Take in one forward.

        Args:
            values: by name of the taps, (row with the prompt, token, cell).
            latents: shape of the latents.
            pictures: which picture each row belongs to.
        """
        for tap in self.sites:
            shares = values[f"{tap.name}.words"]
            grid = self.grids.setdefault(tap.name, self._grid(tap, latents))
            if tap.name not in self._sums:
                self._sums[tap.name] = shares.new_zeros(0, len(self.columns), grid.cells)
            self._sums[tap.name] = _added(self._sums[tap.name], shares, pictures)
        for picture in pictures:
            self._seen[picture] = self._seen.get(picture, 0) + 1

    def means(self) -> dict[str, NDArray[np.float32]]:
        """By site, (picture, token, row, col); in cross-attention the shares of all tokens of a text sum to 1."""
        import torch

        counts = torch.tensor([self._seen[picture] for picture in sorted(self._seen)], dtype=torch.float32)
        found: dict[str, NDArray[np.float32]] = {}
        for name, sums in self._sums.items():
            grid = self.grids[name]
            mean = sums.cpu() / counts[:, None, None]
            found[name] = mean.reshape(len(mean), len(self.columns), grid.rows, grid.cols).numpy()
        return found

    def _grid(self, tap: Tap, latents: Sequence[int]) -> Grid:
        grid = grid_of(self.model, tap, latents)
        assert grid is not None
        return grid


def image_maps(
    model: Model,
    samples: Sequence[Sample],
    conditions: Sequence[Condition],
    sites: Sequence[Tap],
    columns: Sequence[Sequence[int]],
    canvas: Canvas | None = None,
    batch_size: int | None = None,
) -> Iterator[tuple[list[int], TextMaps, list[int], tuple[Frame, ...]]]:
    """Word maps of images that exist: they are noised and read once per condition and draw, and nothing is sampled.

    The forward ends at the last site that is watched.

    Args:
        model: that looks.
        samples: images with the facts that the conditions' prompts name.
        conditions: noise levels, seeds and prompts over which is averaged.
        sites: see `text_sites`.
        columns: of each sample, the tokens that are kept.
        canvas, batch_size: as for `Model.read`.

    Yields:
        For a few samples of one canvas size: which they are, their maps, the columns kept, and how they lie.
    """
    laid_on = model.canvas(canvas)
    rows_each = sum(condition.draws for condition in conditions)
    size = rows_at_once(model, laid_on, batch_size)
    levels = [model.levels.at(condition) for condition in conditions]
    for indices, few in buckets(samples, laid_on, max(size // rows_each, 1)):
        kept = sorted({column for index in indices for column in columns[index]})
        batch, maps = encoded(model, few, laid_on), TextMaps(model, sites, kept)
        rows = rows_of(few, conditions)
        for _, same in groupby(rows, key=lambda row: conditions[row.condition].guidance):
            together = list(same)
            for start in range(0, len(together), size):
                chunk = together[start : start + size]
                values = forward(model, batch, maps.taps(["cond"] * len(chunk)), chunk, conditions, levels)
                maps.add(values, tuple(batch.latents.shape), [row.sample for row in chunk])
        yield indices, maps, kept, batch.frames


def _shares(looks: Looking | None, rows: list[int], count: int, columns: list[int], calls: Calls) -> torch.Tensor:
    assert looks is not None
    found = looks(calls)
    if len(found.query) != count:
        raise InputError(f"the denoiser ran on {len(found.query)} rows where {count} were announced")
    return text_shares(found if len(rows) == count else found.rows(rows), columns)


def _added(sums: torch.Tensor, shares: torch.Tensor, pictures: Sequence[int]) -> torch.Tensor:
    import torch

    more = max(pictures) + 1 - len(sums)
    if more > 0:
        sums = torch.cat([sums, sums.new_zeros(more, *sums.shape[1:])])
    return sums.index_add_(0, torch.tensor(pictures, device=sums.device), shares)
