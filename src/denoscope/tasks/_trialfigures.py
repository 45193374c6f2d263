"""Trials of two pictures beside a third as pictures: scores by kind, and where a site is surest and wrong."""

import io
from typing import Any

import numpy as np

from denoscope.core.report import Report
from denoscope.core.task import Pictures
from denoscope.figures.plots import Band, bars

__all__ = ["drawn"]

_SHOWN = 6
_PEOPLE, _SITE = "#0f9d8a", "#d1495b"


def drawn(report: Report, pictures: Pictures | None) -> dict[str, bytes]:
    """Title to picture; nothing for a report on several sites.

    Args:
        report: of `twoafc`.
        pictures: by sample id; None where they cannot be had.
    """
    if "distance to the first" not in report.table:
        return {}
    made = _by_kind(report)
    if pictures is not None and (rows := _misses(report)):
        made["Most confident misses"] = _gallery(report, rows, pictures)
    return made


def _by_kind(report: Report) -> dict[str, bytes]:
    some = [score for score in report.scores if score.name.startswith("score, kind ")]
    if not some:
        return {}
    band = Band(*([getattr(score, part) for score in some] for part in ("value", "low", "high")))
    title = "Score by kind of picture"
    names = [score.name.removeprefix("score, kind ") for score in some]
    return {title: bars(names, band, title, "score", {"chance": 0.5, "all": report["score"].value})}


def _misses(report: Report) -> list[int]:
    """Trials that a site decides against most people, by how clearly both do; no picture in question twice."""
    table = report.table
    d0, d1, p = (np.asarray(table[name], dtype=float) for name in
                 ("distance to the first", "distance to the second", "share"))  # fmt: skip
    total = np.abs(d0) + np.abs(d1)
    margin = np.divide(d1 - d0, total, out=np.zeros_like(d0), where=total > 0)
    fault = margin * (2 * p - 1)
    found: dict[str, int] = {}
    for row in np.argsort(-fault, kind="stable"):
        if fault[row] > 0 and len(found) < _SHOWN:
            found.setdefault(str(table["unit"][row]), int(row))
    return list(found.values())


def _gallery(report: Report, rows: list[int], pictures: Pictures) -> bytes:
    from matplotlib.figure import Figure

    across = min(2, len(rows))
    down = -(-len(rows) // across)
    tall = 2.3 * down + 0.5
    figure = Figure(figsize=(5.6 * across, tall), dpi=85)
    figure.suptitle("Most confident misses: which of two is more like the one between them", fontsize=10,
                    fontweight="bold", x=0.012, y=1 - 0.1 / tall, ha="left", va="top")  # fmt: skip
    panels: Any = figure.add_gridspec(down, across, wspace=0.06, hspace=0.3, left=0.01, right=0.99,
                                      top=1 - 0.55 / tall, bottom=0.25 / tall)  # fmt: skip
    for place, row in enumerate(rows):
        inner = panels[divmod(place, across)].subgridspec(1, 3, wspace=0.04)
        told = {name: report.table[name][row] for name in report.table}
        for k, name in enumerate(("first", "unit", "second")):
            axes = figure.add_subplot(inner[0, k])
            axes.imshow(pictures(str(told[name])), interpolation="nearest")
            _label(axes, name, told)
    held = io.BytesIO()
    figure.savefig(held, format="png")
    return held.getvalue()


def _label(axes: Any, name: str, told: dict[str, Any]) -> None:
    axes.set(xticks=[], yticks=[])
    if name == "unit":
        axes.set_title("more like this", fontsize=8, pad=3)
        axes.spines[:].set(color="#cccccc")
        return
    votes = told["share"] if name == "second" else 1 - told["share"]
    colour = _PEOPLE if votes > 0.5 else _SITE
    axes.spines[:].set(color=colour, linewidth=3)
    axes.set_title(f"{'people' if votes > 0.5 else 'site'}: this one", fontsize=8, color=colour, pad=3)
    axes.set_xlabel(f"{votes:.0%} of votes, distance {told[f'distance to the {name}']:.3g}", fontsize=7.5, labelpad=3)
