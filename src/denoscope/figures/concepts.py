"""Concepts one below the other: how well each is decoded, and where along a model."""

from collections.abc import Sequence

import numpy as np

from denoscope.figures.plots import Band
from denoscope.figures.style import COLOURS, INK, canvas, svg

__all__ = ["levels", "whiskers"]


def whiskers(
    names: Sequence[str],
    band: Band,
    marked: Sequence[bool],
    words: tuple[str, str],
    title: str,
    along: str,
    places: Sequence[str] = (),
    line: float | None = None,
) -> bytes:
    """A point with its interval per concept, top to bottom.

    Args:
        names: of the concepts.
        band: their values.
        marked: which are drawn in the first colour.
        words: what the marked ones and the others are.
        title: above.
        along: what the value is.
        places: names along the axis, for values that count places.
        line: a value to compare with.
    """
    value, low, high = (np.asarray(part, dtype=float) for part in band)
    with canvas(6.8, 1.0 + 0.21 * len(names)) as (made, axes):
        at, chosen = np.arange(len(names)), np.asarray(marked, dtype=bool)
        for some, word, colour in ((chosen, words[0], COLOURS[0]), (~chosen, words[1], COLOURS[1])):
            if some.any():
                error = np.maximum([value[some] - low[some], high[some] - value[some]], 0)
                axes.errorbar(value[some], at[some], xerr=error, fmt="o", markersize=4.5, color=colour, elinewidth=1.4,
                              label=word)  # fmt: skip
        if line is not None:
            axes.axvline(line, color=INK, linewidth=1, linestyle="--")
        axes.set_yticks(at, names)
        axes.invert_yaxis()
        axes.grid(axis="x", visible=True)
        axes.set(title=title, xlabel=along)
        if places:
            axes.set_xticks(range(len(places)), places, rotation=55, ha="right")
            axes.set_xlim(-0.5, len(places) - 0.5)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
        return svg(made)


def levels(
    names: Sequence[str],
    band: Band,
    best: Sequence[float],
    words: tuple[str, str],
    title: str,
    along: str,
    chance: float,
) -> bytes:
    """A bar with its interval per concept, and beside it what could be reached.

    Args:
        names: of the concepts, top to bottom.
        band: of the bars.
        best: a mark for each.
        words: what bars and marks are.
        title: above.
        along: what the value is.
        chance: where bars begin.
    """
    value, low, high = (np.asarray(part, dtype=float) for part in band)
    with canvas(6.8, 1.0 + 0.21 * len(names)) as (made, axes):
        at = np.arange(len(names))
        axes.barh(at, value - chance, left=chance, color=COLOURS[0], height=0.68, label=words[0])
        axes.errorbar(value, at, xerr=np.maximum([value - low, high - value], 0), fmt="none", ecolor=INK, elinewidth=1)
        axes.plot(best, at, "D", color=COLOURS[1], markersize=4.5, label=words[1])
        axes.axvline(chance, color=INK, linewidth=1)
        axes.set_yticks(at, names)
        axes.invert_yaxis()
        axes.grid(axis="x", visible=True)
        axes.set(title=title, xlabel=along)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
        return svg(made)
