"""How well word maps find what the word names: overlap with known masks, beside what finds it without the word."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import loaded, made_folder
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.core.sample import Sample, fingerprint
from denoscope.features.heatmaps import TIMESTEPS, digest, levels_of, looked_at, opened, told_skipped
from denoscope.features.wordmaps import HeatMap
from denoscope.figures.heat import Panel, overlay, word_sheet
from denoscope.figures.plots import heat_map
from denoscope.measures.heat import best_threshold, blob, cut, overlap, pointed, scaled
from denoscope.measures.statistics import Estimate, bootstrap_difference, bootstrap_mean
from denoscope.models.words import words_in
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from denoscope.models.base import Model

__all__ = ["heatmap_overlap"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Maps = list[Array]

_NOTE = (
    "Images that exist are noised and read with a prompt that names the object; the word's map, from its lowest to its "
    "highest value, is cut at a threshold and held against the object's mask. Each kind of map has the threshold that "
    "is best for it on the images at even places, and is scored on those at odd places, which choose nothing. A wrong "
    "word names, in the same place of the prompt, something that the picture does not show."
)
_EXAMPLES = 6


@dataclass(frozen=True)
class _Scene:
    """An image, what is asked of it, and where that is."""

    sample: Sample
    word: str
    wrong: str
    random: str
    prompts: tuple[str, str]
    truth: Mask
    others: Mask

    def asked(self, wrong: bool) -> Sample:
        """The image with its prompt, or with the one that names something else."""
        facts = {**self.sample.facts, "prompt": self.prompts[wrong]}
        return Sample(self.sample.id, self.sample.image, facts)


@dataclass(frozen=True, eq=False)
class _Found:
    """Maps of one kind, one per scene, and what they are worth where nothing was chosen on them."""

    maps: Maps
    scenes: Sequence[_Scene]

    @cached_property
    def threshold(self) -> float:
        """Best on the scenes at even places."""
        return best_threshold(self.maps[::2], [scene.truth for scene in self.scenes[::2]])

    def overlaps(self, threshold: float | None = None) -> Array:
        """Of the scenes at odd places."""
        level = self.threshold if threshold is None else threshold
        pairs = zip(self.maps[1::2], self.scenes[1::2], strict=True)
        return np.array([float(overlap(cut(found, level), scene.truth)) for found, scene in pairs])

    def points(self) -> Array:
        """Of the scenes at odd places: whether the highest place lies on the object."""
        pairs = zip(self.maps[1::2], self.scenes[1::2], strict=True)
        return np.array([float(pointed(found, scene.truth)) for found, scene in pairs])

    def named(self) -> Array:
        """Of the scenes at odd places that show other things too: whether the object is hotter on average."""
        pairs = [(found, scene) for found, scene in zip(self.maps[1::2], self.scenes[1::2], strict=True)
                 if scene.others.any()]  # fmt: skip
        gaps = np.array([found[scene.truth].mean() - found[scene.others].mean() for found, scene in pairs])
        return (np.sign(gaps) + 1) / 2


def heatmap_overlap(
    model: "str | Path | Model",
    data: Any = "menagerie:test",
    *,
    prompt: str = "a photo of a {colour} {category}",
    fact: str = "category",
    limit: int = 240,
    sites: Sequence[str] = (),
    timesteps: Sequence[float] = TIMESTEPS,
    threshold: float = 0.4,
    twin: bool = True,
    seed: int = 0,
    out: str | Path | None = None,
    progress: bool = False,
) -> Report:
    """mIoU of word maps against known masks, beside wrong and other words, the untrained twin, a blob and all pixels.

    Args:
        model: name or path that `load` takes, or a loaded model.
        data: images with `segments`, `segment_names` and the fact.
        prompt: template that names the fact.
        fact: whose value is the word and the name of a segment.
        limit: at most so many images.
        sites: patterns of maps or blocks; all attention to text unless given.
        timesteps: noise levels over which is averaged.
        threshold: that is told beside the best one; 0.4 as published.
        twin: read the model's random-init twin as well.
        seed: of the noise, and of which wrong and other words are taken.
        out: folder for the report.
        progress: show a bar.

    Raises:
        UnknownName: a model, site or fact that does not exist.
        InputError: no template that names the fact, or too few images that show what their fact names.
    """
    started, scope = time.perf_counter(), loaded(model)
    cut(np.zeros((1, 1)), threshold)
    if fact not in [name for _, name, _, _ in Formatter().parse(prompt)]:
        raise InputError(f"the prompt {prompt!r} does not name the word; write {{{fact}}} where the fact goes")
    if out is not None:
        made_folder(out)
    conditions, (samples, skipped) = levels_of(timesteps, seed), opened(data, limit)
    scenes = _scenes(samples, prompt, fact, seed)
    readings = {"word": (scope, False), "wrong": (scope, True)} | ({"twin": (_twin(scope), False)} if twin else {})
    read: dict[str, list[list[HeatMap]]] = {}
    with progress_bar("reading", len(readings) * len(conditions), progress) as advance:
        for name, (reader, wrong) in readings.items():
            for condition in conditions:
                asked = [scene.asked(wrong) for scene in scenes]
                read.setdefault(name, []).append(looked_at(reader, asked, [condition], sites))
                advance(1)
    found = {"word": _Found(_mean(read["word"], [scene.word for scene in scenes]), scenes)}
    found["wrong word"] = _Found(_mean(read["wrong"], [scene.wrong for scene in scenes]), scenes)
    found["other word"] = _Found(_mean(read["word"], [scene.random for scene in scenes]), scenes)
    if twin:
        found["random-init twin"] = _Found(_mean(read["twin"], [scene.word for scene in scenes]), scenes)
    found["centre blob"] = _Found([blob(*scene.truth.shape) for scene in scenes], scenes)
    found["whole picture"] = _Found([np.zeros(scene.truth.shape) for scene in scenes], scenes)
    table = _table(read["word"], scenes, timesteps)
    report = Report(
        task="heatmap overlap",
        parameters={"prompt": prompt, "fact": fact, "limit": limit, "sites": read["word"][0][0].sites(),
                    "timesteps": list(timesteps), "threshold": threshold, "seed": seed,
                    "best thresholds": {name: one.threshold for name, one in found.items()}},
        scores=tuple(_scores(found, threshold)),
        inputs={"model": digest(dict(scope.recipe)), "images": fingerprint([scene.sample for scene in scenes])},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table=table,
        figures={"Examples": _examples(found, scenes), **_by_site(table)},
        notes=(_NOTE, *_left_out(len(samples) - len(scenes), fact), *told_skipped(skipped)),
    )  # fmt: skip
    if out is not None:
        report.save(out)
    return report


def _left_out(count: int, fact: str) -> list[str]:
    return [f"{count} images do not show what their {fact} names, or all that could be asked; they are left out."] * (
        count > 0
    )


def _scenes(known: Sequence[Sample], prompt: str, fact: str, seed: int) -> list[_Scene]:
    template, classes = Condition(clean=True, prompt=prompt), set[str]()
    for sample in known:
        if fact not in sample.facts or "segments" not in sample.facts:
            raise unknown("fact", fact if fact not in sample.facts else "segments", sample.facts, "sample.facts")
        classes.add(str(sample.facts[fact]))
    found = [scene for sample in known if (scene := _scene(sample, template, fact, sorted(classes), seed))]
    if len(found) < 4:
        raise InputError(f"{len(found)} of {len(known)} images show what their {fact} names; four or more are needed")
    return found


def _scene(sample: Sample, template: Condition, fact: str, classes: Sequence[str], seed: int) -> _Scene | None:
    """None where the picture does not show what the fact names, or shows every class."""
    facts, word = sample.facts, str(sample.facts[fact])
    names = [str(name) for name in facts["segment_names"]]
    shown = {names[code] for code in np.unique(facts["segments"]) if code >= 0}
    left = [name for name in classes if name not in shown and name != word]
    prompt = template.text_for(facts)
    others = [other for other in words_in(prompt) if other not in words_in(word)]
    if word not in shown or not left or not others:
        return None
    rng = np.random.default_rng([seed, *sample.id.encode()])
    wrong = str(rng.choice(left))
    truth = np.asarray(facts["segments"]) == names.index(word)
    things = np.asarray(facts["segments"]) > 0
    texts = (prompt, template.text_for({**facts, fact: wrong}))
    return _Scene(sample, word, wrong, str(rng.choice(others)), texts, truth, things & ~truth)


def _twin(model: "Model") -> "Model":
    from denoscope.models.loading import untrained

    return untrained(model)


def _mean(read: Sequence[Sequence[HeatMap]], words: Sequence[str], sites: Sequence[str] = ()) -> Maps:
    """Maps of a word per image, averaged over noise levels."""
    levels = ([one.word(word, sites) for one, word in zip(level, words, strict=True)] for level in read)
    return [np.mean(several, axis=0) for several in zip(*levels, strict=True)]


def _scores(found: Mapping[str, _Found], threshold: float) -> Iterator[Score]:
    word = found["word"]
    overlaps = {name: one.overlaps() for name, one in found.items()}
    points = {name: one.points() for name, one in found.items()}
    yield _score("mIoU", bootstrap_mean(overlaps["word"]), "higher")
    yield _score(f"mIoU at {threshold:g}", bootstrap_mean(word.overlaps(threshold)), "higher")
    for name, values in overlaps.items():
        if name != "word":
            yield _score(f"mIoU, {name}", bootstrap_mean(values))
            yield _score(f"mIoU beyond {name}", bootstrap_difference(overlaps["word"], values), "higher")
    yield _score("pointing", bootstrap_mean(points["word"]), "higher")
    for name, values in points.items():
        if name != "word":
            yield _score(f"pointing, {name}", bootstrap_mean(values))
    for name, one in found.items():
        values = one.named()
        if len(values) and name in ("word", "wrong word", "other word", "random-init twin"):
            told = "named object hotter than others" + (f", {name}" if name != "word" else "")
            yield _score(told, bootstrap_mean(values), "higher" if name == "word" else None)


def _score(name: str, found: Estimate, better: Any = None) -> Score:
    return Score(name, **found._asdict(), unit="share", better=better, over="images")


def _table(read: Sequence[Sequence[HeatMap]], scenes: Sequence[_Scene], timesteps: Sequence[float]) -> dict[str, Any]:
    """A row per site and noise level, and per site over all of them."""
    words, rows = [scene.word for scene in scenes], list[dict[str, Any]]()
    for site in read[0][0].sites():
        alone = [_mean([level], words, [site]) for level in read]
        every = [np.mean(several, axis=0) for several in zip(*alone, strict=True)]
        for level, maps in [*zip(timesteps, alone, strict=True), *([(None, every)] if len(alone) > 1 else [])]:
            one = _Found(maps, scenes)
            told = bootstrap_mean(one.overlaps())
            rows.append({"site": site, "timestep": level, **told._asdict(), "threshold": one.threshold,
                         "pointing": float(one.points().mean())})  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}


def _by_site(table: Mapping[str, Sequence[Any]]) -> dict[str, bytes]:
    sites, levels = (list(dict.fromkeys(table[name])) for name in ("site", "timestep"))
    values = np.array(table["value"]).reshape(len(sites), len(levels))
    names = ["mean" if level is None else f"{level:g}" for level in levels]
    short = [site.removesuffix(".cross.map").removesuffix(".map.it") for site in sites]
    return {"mIoU of each site alone": heat_map(values, short, names, "mIoU of each site alone", "timestep")}


def _examples(found: Mapping[str, _Found], scenes: Sequence[_Scene]) -> bytes:
    """Pictures that chose nothing: the object's mask, and the maps of its word and of others."""
    rows: list[list[Panel]] = []
    chosen = list(range(1, len(scenes), 2))[:_EXAMPLES]
    for index in chosen:
        scene = scenes[index]
        titles = {"word": scene.word, "wrong word": f"wrong: {scene.wrong}", "other word": f"other: {scene.random}",
                  "random-init twin": f"untrained: {scene.word}"}  # fmt: skip
        image = scene.sample.image
        panels = [Panel(overlay(image, scaled(found[name].maps[index])), title)
                  for name, title in titles.items() if name in found]  # fmt: skip
        rows.append([Panel(image, "picture"), Panel(overlay(image, scene.truth), "mask"), *panels])
    return word_sheet(rows, [scenes[index].prompts[0] for index in chosen])
