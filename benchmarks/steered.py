"""What steers the embedded model? Families of edits, each chosen on some prompts and judged on others.

    python benchmarks/steered.py            about half an hour on one quiet core; what is done is kept in runs/steered
    python benchmarks/steered.py --tiny     two minutes, to see that it runs
    python benchmarks/steered.py --where    the push at the text of each block alone, against the prompt: five minutes
    python benchmarks/steered.py --forget   concept removal by the atoms of a sparse autoencoder, five minutes more
    python benchmarks/steered.py --write    tables and figures of docs/results/steering, from what is kept

Pictures have 64 pixels and 8 steps. Each family offers some edits (places, strengths) for each target.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from contenders.steeredpage import slug, write_steered

import denoscope as ds
from denoscope.core.report import Report
from denoscope.dictionaries.limits import within
from denoscope.features.candidates import atom_edits
from denoscope.features.removal import removal_success
from denoscope.features.steerbench import SteeringBench, steering_bench
from denoscope.features.trials import FACTORS, Goal, Trial, goal_of
from denoscope.features.wording import levelled, worded

KEPT = Path("runs/steered")
SAMPLING: dict[str, Any] = {"steps": 8, "guidance": 4.0, "height": 64, "width": 64}
TARGETS = ("background=snow", "colour=red", "category=cat", "background=night", "colour=blue", "category=house")
WRITTEN = ("background=night", "colour=blue", "category=house")
CONCEPTS = ("background=snow", "category=cat", "colour=red")
PUSHED = "up.2"
BLOCKS = ("down.1", "up.3", "up.2")
SCENES, ATOMS = 400, 512

Family = Callable[["Tools", Goal], dict[str, list[Any]]]


class Tools:
    """What families are made of, read once: labelled images, a dictionary, what words change."""

    def __init__(self, tiny: bool) -> None:
        self.model = ds.load("embedded")
        self.pairs = 3 if tiny else 10
        world = ds.open_data("menagerie:train,objects=one,size=64", 60 if tiny else SCENES)
        self.scenes = [world[index] for index in range(len(world))]
        conditions = [ds.Condition(timestep=level) for level in (200.0, 400.0, 600.0, 800.0)]
        canvas = ds.Canvas(size=SAMPLING["height"])
        self.acts = [self.model.read(self.scenes, PUSHED, one, canvas=canvas)[PUSHED] for one in conditions]
        names = [info.name for info in self.model.sites]
        self.text = [name for name in names if name.endswith((".cross.k", ".cross.v"))]
        self.tiny = tiny
        self.known: dict[str, Any] = {}

    def labels(self, fact: str) -> list[str]:
        """Of the images."""
        return [str(scene.facts[fact]) for scene in self.scenes]

    def atoms(self) -> Any:
        """A sparse autoencoder of the pushed site, of all noise levels together."""
        if "atoms" not in self.known:
            from denoscope.dictionaries.topk import TopK

            cells = [block.tokens().numpy().reshape(-1, block.shape[1]) for block in self.acts]
            made = TopK(atoms=ATOMS, k=16, cells=20_000 if self.tiny else 400_000, seed=0).fit(cells)
            made.about = {"site": PUSHED}
            self.known["atoms"] = made
        return self.known["atoms"]

    def words(self, goal: Goal) -> dict[str, Any]:
        """What the goal's word changes at all sites that families push, against other values in its place."""
        if str(goal) not in self.known:
            own, other = pairs(goal, self.pairs)
            sites = [PUSHED, f"{PUSHED}.attn.2", *self.text]
            self.known[str(goal)] = worded(self.model, own, other, sites, seed=500, **SAMPLING)
        return self.known[str(goal)]


def pairs(goal: Goal, count: int) -> tuple[list[str], list[str]]:
    """Prompts with the goal's value and with others in its place, all else being equal."""
    values = {fact: FACTORS[fact] for fact in FACTORS}
    others = [value for value in values[goal.fact] if value != goal.value]
    own, against = list[str](), list[str]()
    for k in range(count):
        told = {fact: names[(5 * k + len(fact)) % len(names)] for fact, names in values.items()}
        own.append(Trial(**{**told, goal.fact: goal.value}, above="").prompt)
        against.append(Trial(**{**told, goal.fact: others[k % len(others)]}, above="").prompt)
    return own, against


def cond(edit: Any) -> Any:
    """In the rows with the prompt only."""
    return within(edit, branch="cond")


def means(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """Class means at one noise level, one vector for all cells and steps, in all rows: the usual way."""
    way = ds.contrast(tools.acts[1], tools.labels(goal.fact), goal.value)
    return {f"x {k:g}": [ds.add(way, 0, strength=k, unit="norm", site=PUSHED)] for k in (0.25, 0.5)}


def means_cond(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """The same in the rows with the prompt, so that guidance multiplies it; or opposed in the others."""
    way = ds.contrast(tools.acts[1], tools.labels(goal.fact), goal.value)
    push = {k: ds.add(way, 0, strength=k, unit="norm", site=PUSHED) for k in (0.25, 0.5)}
    return {f"x {k:g}": [cond(edit)] for k, edit in push.items()} | {"opposed x 0.25": [ds.opposed(push[0.25])]}


def sparse_atoms(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """Atoms of a sparse autoencoder that tell the value best, in the rows with the prompt."""
    made = atom_edits(tools.atoms(), tools.acts, tools.labels(goal.fact), goal.value, atoms=4, strengths=(0.35, 0.7))
    return {name: [cond(edit) for edit in edits] for name, edits in made.items()}


def word_vector(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """What the word changes, one vector for all cells at each step, in the rows with the prompt."""
    ways = levelled(tools.words(goal)[PUSHED])
    return {f"x {k:g}": [cond(ds.shift(ways, strength=k, unit="norm", site=PUSHED))] for k in (0.35, 0.6)}


def word_map(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """What the word changes, a vector for each cell at each step, in the rows with the prompt."""
    found = {site: tools.words(goal)[site] for site in (PUSHED, f"{PUSHED}.attn.2")}
    return {f"{site} x {k:g}": [cond(ds.shift(maps, strength=k, unit="norm", site=site))]
            for site, maps in found.items() for k in (0.35, 0.5)}  # fmt: skip


def text(tools: Tools, goal: Goal, sites: Sequence[str], strength: float) -> list[Any]:
    """What the word changes in keys and values of the text, at some cross-attentions."""
    return [cond(ds.shift(tools.words(goal)[site], strength=strength, site=site)) for site in sites]


def text_block(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """What the word changes in keys and values of the text, in one block."""
    return {f"{block} x {k:g}": text(tools, goal, [site for site in tools.text if site.startswith(block)], k)
            for block in BLOCKS for k in (2.0, 3.0)}  # fmt: skip


def text_all(tools: Tools, goal: Goal) -> dict[str, list[Any]]:
    """What the word changes in keys and values of the text, everywhere."""
    return {f"x {k:g}": text(tools, goal, tools.text, k) for k in (1.0, 1.5, 2.0)}


FAMILIES: dict[str, Family] = {
    "text, one block": text_block, "class means": means, "atoms of a TopK SAE": sparse_atoms, "word, a map": word_map,
    "class means, rows with the prompt": means_cond, "text, all blocks": text_all, "word, one vector": word_vector,
}  # fmt: skip


def measured(
    bench: SteeringBench, tools: Tools, kept: Path, targets: Sequence[str]
) -> Iterator[tuple[str, str, Report]]:
    """Each family on each target, where it is not kept already."""
    for name, family in FAMILIES.items():
        for target in targets:
            place = kept / target / slug(name)
            if not (place / "report.json").exists():
                report = bench.success({target: family(tools, goal_of(target))})
                report.save(place)
                yield target, name, report


def placed(tools: Tools, kept: Path, prompts: int) -> None:
    """Where is what a prompt says written? Keys and values of each block alone, with prompts that say otherwise."""
    blocks = list(dict.fromkeys(".".join(site.split(".")[:2]).removesuffix(".attn") for site in tools.text))
    bench = steering_bench(tools.model, choosing=1, held=prompts, otherwise=True, sites=tools.text, seed=40, **SAMPLING)
    for target in WRITTEN:
        for block in blocks:
            sites = [site for site in tools.text if site.startswith(f"{block}.")]
            report = bench.success({target: {block: text(tools, goal_of(target), sites, 2.0)}})
            report.save(kept / target / f"where-{block}")
            told = [f"{report[name].value:.2f} [{report[name].low:.2f}, {report[name].high:.2f}]"
                    for name in ("target reached", "target reached, control", "target reached, prompt")]  # fmt: skip
            print(target, block, *told, flush=True)


def forgotten(tools: Tools, kept: Path, prompts: int) -> None:
    """Concept removal (SAeUron) at the pushed site: what goes, and what else."""
    for target in CONCEPTS:
        goal = goal_of(target)
        labels = tools.labels(goal.fact)
        for multiplier in (-1.0, -4.0):
            edit = ds.unlearn(tools.atoms(), tools.acts, labels, goal.value, atoms=8, multiplier=multiplier)
            report = removal_success(tools.model, [edit], target, prompts=prompts, seed=30, **SAMPLING)
            report.save(kept / target / f"forget{multiplier:g}")
            told = {name: f"{report[name].value:.2f} [{report[name].low:.2f}, {report[name].high:.2f}]"
                    for score in ("gone", "other facts as asked", "other prompts as asked")
                    for name in (f"{score}, without", score, f"{score}, control")}  # fmt: skip
            print(target, multiplier, json.dumps(told), flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measure what is left to do."""
    tiny = "--tiny" in arguments
    kept = KEPT.with_name("steered-tiny") if tiny else KEPT
    if "--write" in arguments:
        write_steered(kept, list(FAMILIES), Path("docs/results/steering"))
        return
    torch.set_num_threads(1)
    tools = Tools(tiny)
    if "--where" in arguments:
        placed(tools, kept, 4 if tiny else 24)
        return
    if "--forget" in arguments:
        forgotten(tools, kept, 4 if tiny else 40)
        return
    sites = [PUSHED, f"{PUSHED}.attn.2", *tools.text]
    bench = steering_bench(
        tools.model, choosing=3 if tiny else 6, held=4 if tiny else 40, sites=sites, seed=20, **SAMPLING
    )
    for target, name, report in measured(bench, tools, kept, TARGETS[:1] if tiny else TARGETS):
        told = ["target reached", "target reached, control", "other facts as asked", "other facts as asked, without"]
        line = {one: f"{report[one].value:.2f} [{report[one].low:.2f}, {report[one].high:.2f}]" for one in told}
        print(
            target, "|", name, "|", next(iter(report.parameters["chosen"].values())), "|", json.dumps(line), flush=True
        )


if __name__ == "__main__":
    main(sys.argv[1:])
