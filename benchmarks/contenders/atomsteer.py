"""Do the atoms of a dictionary write what they tell? Steering success of several, at several sites."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import denoscope as ds
from denoscope.core.activations import Activations
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.limits import within
from denoscope.features.candidates import atom_edits
from denoscope.features.steerbench import SteeringBench, steering_bench
from denoscope.store.store import Store

__all__ = ["CONTRAST", "STEERED", "steered"]

TARGETS = ("background=snow", "colour=red", "category=cat")
STEERED = ("topk", "itda", "temporal")
SAMPLING: dict[str, Any] = {"steps": 8, "guidance": 4.0, "height": 64, "width": 64}
"""As in benchmarks/steered.py, which asks what steers at all."""
CONTRAST = "contrast"
"""Not of a dictionary: the direction between class means."""
_LEVELS = (500,)
_IMAGES = 240
"""Labelled images that say which atoms tell a value."""


def steered(runs: Path, sites: Sequence[str], train: Store, tiny: bool) -> None:
    """One file per site and dictionary in `runs/steered`; what is there already is not measured again."""
    (runs / "steered").mkdir(exist_ok=True)
    names = (*STEERED[:1], CONTRAST, *STEERED[1:])
    wanted = [(site, name) for site in reversed(sites) for name in names if not _file(runs, site, name).exists()]
    if not wanted:
        return
    told: dict[str, Any] = {"choosing": 2, "held": 4, "judges": _guesses()} if tiny else {"choosing": 6, "held": 24}
    bench = steering_bench(ds.load("embedded"), **told, **SAMPLING)
    for site, name in wanted:
        started = time.perf_counter()
        report = _steered(bench, runs, site, name, train)
        kept = {"scores": {score.name: [score.value, score.low, score.high, score.n] for score in report.scores},
                "chosen": report.parameters["chosen"]}  # fmt: skip
        report.save(runs / "steered" / f"{site}-{name}")
        _file(runs, site, name).write_text(json.dumps(kept, indent=1))
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
    """What is tried in the rows with the prompt: four atoms, half as strong as a cell is long; or class means apart."""
    fact, _, value = goal.partition("=")
    labels = [row[fact] for row in facts]
    if name == CONTRAST:
        made = ds.contrast(blocks[0], labels, value)
        tried = {f"x {size:g}": [ds.add(made, 0, strength=size, unit="norm", site=site)] for size in (0.35, 0.7)}
    else:
        learned = load_dictionary(runs / "dictionaries" / f"trained-{site}-{name}")
        tried = atom_edits(learned, blocks, labels, value, atoms=4, strengths=(0.5,), site=site)
    return {told: [within(edit, branch="cond") for edit in edits] for told, edits in tried.items()}


def _guesses() -> dict[str, Any]:
    """Judges that look at nothing, to see that it runs."""
    return {"category": lambda images: ["cat"] * len(images), "colour": lambda images: ["red"] * len(images),
            "background": lambda images: ["snow"] * len(images)}  # fmt: skip
