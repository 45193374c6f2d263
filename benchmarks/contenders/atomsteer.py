"""Do the atoms of a dictionary write what they tell? Steering success of several, at several sites."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import denoscope as ds
from denoscope.core.activations import Activations
from denoscope.dictionaries.base import load_dictionary
from denoscope.features.candidates import atom_edits
from denoscope.features.steerbench import SteeringBench, steering_bench
from denoscope.store.store import Store

__all__ = ["CONTRAST", "STEERED", "steered"]

TARGETS = ("background=snow", "background=night", "colour=red")
STEERED = ("topk", "temporal", "itda", "topk-random")
CONTRAST = "contrast"
"""Not of a dictionary: the direction between class means."""
_LEVELS = (200, 500, 800)
_IMAGES = 240
"""Labelled images that say which atoms tell a value."""


def steered(runs: Path, sites: Sequence[str], train: Store, tiny: bool) -> None:
    """One file per site and dictionary in `runs/steered`; what is there already is not measured again."""
    (runs / "steered").mkdir(exist_ok=True)
    names = (*STEERED[:1], CONTRAST, *STEERED[1:])
    wanted = [(site, name) for name in names for site in sites if not _file(runs, site, name).exists()]
    if not wanted:
        return
    counts = {"choosing": 2, "held": 4, "steps": 2} if tiny else {"choosing": 8, "held": 32}
    bench = steering_bench(ds.load("embedded"), **counts, **({"judges": _guesses()} if tiny else {}))
    for site, name in wanted:
        started = time.perf_counter()
        report = _steered(bench, runs, site, name, train)
        told = {"scores": {score.name: [score.value, score.low, score.high, score.n] for score in report.scores},
                "chosen": report.parameters["chosen"]}  # fmt: skip
        report.save(runs / "steered" / f"{site}-{name}")
        _file(runs, site, name).write_text(json.dumps(told, indent=1))
        print(f"steered {site} {name}: {time.perf_counter() - started:.0f} s", flush=True)


def _file(runs: Path, site: str, name: str) -> Path:
    return runs / "steered" / f"{site}-{name}.json"


def _steered(bench: SteeringBench, runs: Path, site: str, name: str, train: Store) -> ds.Report:
    ids = list(train.volumes[0].table.ids)[:_IMAGES]
    facts = train.facts()
    blocks = [train.get(site, ids=ids, timestep=level) for level in _LEVELS]
    candidates = {goal: _edits(runs, site, name, blocks, [facts[one] for one in ids], goal) for goal in TARGETS}
    return bench.success(candidates)


def _edits(
    runs: Path, site: str, name: str, blocks: Sequence[Activations], facts: Sequence[Mapping[str, Any]], goal: str
) -> Any:
    """What is tried: four atoms, half as strong as a cell is long and as strong; or the difference of class means."""
    fact, _, value = goal.partition("=")
    labels = [row[fact] for row in facts]
    if name == CONTRAST:
        made = ds.contrast(blocks[1], labels, value)
        return {f"x {size:g}": [ds.add(made, 0, strength=size, unit="norm")] for size in (0.25, 0.5, 1.0)}
    return atom_edits(load_dictionary(runs / "dictionaries" / f"trained-{site}-{name}"), blocks, labels, value,
                      atoms=4, strengths=(0.5, 1.0), site=site)  # fmt: skip


def _guesses() -> dict[str, Any]:
    """Judges that look at nothing, to see that it runs."""
    return {"category": lambda images: ["cat"] * len(images), "colour": lambda images: ["red"] * len(images),
            "background": lambda images: ["snow"] * len(images)}  # fmt: skip
