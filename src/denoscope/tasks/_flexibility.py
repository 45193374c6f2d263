"""Accuracy against how much a map may change: from none at all to any affine one."""

from denoscope.core.report import Report, Score
from denoscope.figures.plots import Band, curves

__all__ = ["flexibility"]

_LEAST, _MOST = ("none", "diagonal"), ("shrunk", "glocal", "full", "published")
"""In order of flexibility; maps of limited rank stand between the two."""


def flexibility(report: Report) -> dict[str, bytes]:
    """Title to SVG; nothing where a single map was learned.

    Args:
        report: of `alignability` on one site.
    """
    maps = tuple(report.parameters.get("maps", ()))
    known = {score.name: score for score in report.scores}
    if len(maps) < 2 or "accuracy, zero-shot cosine" not in known:
        return {}
    found = {"none": known["accuracy, zero-shot cosine"], maps[0]: known["accuracy"]}
    found |= {name: known[f"accuracy, {name} map"] for name in maps[1:]}
    names = sorted(found, key=_flexible)
    lines = {"unseen objects": _band([found[name] for name in names])}
    for label, name in (("people's embedding", "accuracy, people's embedding"), ("chance", "chance")):
        if name in known:
            lines[label] = _band([known[name]] * len(names))
    title = "Accuracy against flexibility"
    ticks = [_tick(name, report) for name in names]
    return {
        title: curves(ticks, lines, title, "map (directions it uses)", "accuracy", ("people's embedding", "chance"))
    }


def _flexible(name: str) -> tuple[int, int]:
    if name in _LEAST:
        return 0, _LEAST.index(name)
    return (2, _MOST.index(name)) if name in _MOST else (1, int(name.removeprefix("rank-")))


def _tick(name: str, report: Report) -> str:
    """With its mean effective rank, where that is known."""
    ranks = report.parameters.get("effective ranks", {}).get(name)
    return f"{name} ({sum(ranks) / len(ranks):.1f})" if ranks else name


def _band(scores: list[Score]) -> Band:
    return Band(*([getattr(score, part) for score in scores] for part in ("value", "low", "high")))
