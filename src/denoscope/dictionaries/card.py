"""A model card: what a dictionary is, what it was learned on, how good it is, and how to use it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from denoscope.core.report import Report, Score
from denoscope.dictionaries.base import Learned

__all__ = ["card_of"]

_ABOUT = (
    "A dictionary of directions in the activations of a diffusion model: x ~ codes @ atoms + bias, with atoms of "
    "length one and codes in the units of the activations."
)
_KEEP = (
    "## What to keep in mind\n\nDirections mean something at the site and in the model that they were learned on "
    "alone; `origin.json` names both, and the package compares them where a dictionary is put to use. A low "
    "unexplained variance does not say that atoms mean anything."
)
_NOISE = ("timestep", "sigma", "logsnr", "clean", "prompt", "guidance")
"""What is told of a condition."""
_SCORES = 24
"""Rows of the table; a report over many noise levels has more."""


def card_of(made: Learned, repo: str = "OWNER/NAME", licence: str = "") -> str:
    """Markdown with a header of the Hub; nothing is claimed that is not known.

    Args:
        made: what was learned.
        repo: where it will lie.
        licence: of the weights, as the Hub spells it.
    """
    parts = [
        _header(made, licence),
        _what(made),
        _use(made, repo),
        _scores(made.report),
        _settings(made),
        _limits(made),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(made: Learned, licence: str) -> str:
    base = str(dict(made.about.get("model") or {}).get("repo", ""))
    lines = ["library_name: denoscope", *[f"license: {licence}"] * bool(licence), *[f"base_model: {base}"] * bool(base)]
    tags = ["dictionary-learning", "diffusion", "interpretability", made.name]
    return "\n".join(["---", *lines, "tags:", *(f"- {tag}" for tag in tags), "---"])


def _what(made: Learned) -> str:
    atoms, channels = made.atoms.shape
    summary = (type(made).__doc__ or "").strip().split("\n")[0]
    rows = {
        "kind": f"`{made.name}`: {summary}",
        "atoms": f"{atoms} directions of {channels} channels",
        "model": _model(dict(made.about.get("model") or {})),
        "site": f"`{made.site}`" if made.site else "not told",
        "noise": _noise(made.about),
        "recipe of the activations": f"`{made.about['recipe']}`" if made.about.get("recipe") else "not told",
    }
    head = f"# {made.name}, {atoms} atoms" + (f", at {made.site}" if made.site else "")
    lines = [f"| {name} | {told} |" for name, told in rows.items()]
    return "\n".join([head, "", _ABOUT, "", "| | |", "|---|---|", *lines])


def _use(made: Learned, repo: str) -> str:
    more = ".at(50)" if hasattr(made, "at") else ""
    return f"""```python
import denoscope as ds

made = ds.load_dictionary("hf://{repo}"){more}
codes = made.encode(cells)  # cells (sample, {made.width}) -> codes (sample, {len(made.atoms)})
ds.add(made, atom=0, strength=1.0)  # an edit for ds.steer
```"""


def _scores(report: Report | None) -> str:
    if report is None:
        return "## How good it is\n\nNot measured: it came without a report."
    rows = [f"| {score.name} | {_value(score)} | {score.n} {score.over} |" for score in report.scores[:_SCORES]]
    more = len(report.scores) - _SCORES
    rest = [f"\n{more} more scores stand in `report/`."] if more > 0 else []
    head = ["## How good it is", "", "| score | value, 95 % interval | over |", "|---|---|---|"]
    return "\n".join([*head, *rows, *rest, *(f"\n{note}" for note in report.notes)])


def _value(score: Score) -> str:
    interval = "" if score.bare else f" [{score.low:.4g}, {score.high:.4g}]"
    return f"{score.value:.4g}{interval}{f' {score.unit}' if score.unit else ''}"


def _settings(made: Learned) -> str:
    rows = [f"| {name} | {value} |" for name, value in asdict(made.settings).items() if value not in ("", None)]
    return "\n".join(["## How it was learned", "", "| setting | value |", "|---|---|", *rows])


def _limits(made: Learned) -> str:
    foreign = f" It was read from the files of {made.about['format']}." if made.about.get("format") else ""
    return _KEEP + foreign


def _model(recipe: Mapping[str, Any]) -> str:
    name = recipe.get("name") or recipe.get("repo") or recipe.get("toy") or "not told"
    known = [f"{word} `{recipe[word]}`" for word in ("repo", "revision", "weights") if word in recipe]
    twin = ", untrained" if "untrained" in recipe else ""
    return f"{name}{twin} ({', '.join(known)})" if known else f"{name}{twin}"


def _noise(about: Mapping[str, Any]) -> str:
    if about.get("timesteps"):
        return "timesteps " + ", ".join(f"{level:g}" for level in about["timesteps"])
    condition = dict(about.get("condition") or {})
    words = (f"{name} {condition[name]}" for name in _NOISE if condition.get(name) not in (None, "", False))
    return ", ".join(words) or "not told"
