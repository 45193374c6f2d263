"""The verb `heatmaps`: model x prompts (x images) -> a map per word of where the picture looks at it."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from denoscope.chosen import loaded, made_folder
from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError, InputError
from denoscope.core.frame import Frame
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report, Score
from denoscope.core.sample import Sample, fingerprint
from denoscope.data.base import open_data, read
from denoscope.dictionaries.attaching import attached
from denoscope.dictionaries.edits import by_site
from denoscope.features.wordmaps import HeatMap, HeatMaps, sheet
from denoscope.measures.heat import box_around, cut
from denoscope.measures.statistics import bootstrap_mean
from denoscope.models.coordinates import Canvas
from denoscope.models.words import columns_of, words_in

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.hooks import Tap

__all__ = ["TIMESTEPS", "digest", "heatmaps", "levels_of", "looked_at", "opened", "told_skipped"]

TIMESTEPS = (200.0, 400.0, 600.0, 800.0)
"""Noise levels at which images that exist are read, unless others are asked for."""

_NOTE = (
    "A map says which share of a cell's attention goes to a word: the mean over its tokens, over heads, sites and "
    "denoising steps. Panels run from the map's own lowest to its highest value, so that colours of two panels do not "
    "compare; the area is the share of the picture above the threshold on that scale. Where a picture looks at a word "
    "is not where the word acts."
)
_ALONE = "A single picture has no interval; ask for several to see how far a share can be trusted."


def heatmaps(
    model: "str | Path | Model",
    prompt: str | Sequence[str],
    *,
    images: Any = None,
    words: Sequence[str] = (),
    sites: Sequence[str] = (),
    threshold: float = 0.4,
    timesteps: Sequence[float] = TIMESTEPS,
    draws: int = 1,
    edits: Sequence[Any] = (),
    seed: int = 0,
    canvas: Canvas | None = None,
    limit: int | None = None,
    out: str | Path | None = None,
    **options: Any,
) -> HeatMaps:
    """Where in pictures the words of their prompts are looked at from (DAAM, Tang et al. 2022), for every family.

    Without images, pictures are made from the prompts, and each step is watched; they are the same pictures, bit by
    bit, as without watching. With images, those are noised and read once per noise level, and nothing is sampled.

    Args:
        model: name or path that `load` takes, or a loaded model.
        prompt: one, or one per picture; of images a template too (`"a photo of a {category}"`).
        images: that exist: a spec of a data set, or what `Model.read` takes.
        words: to be shown, words or phrases that every prompt holds; all words of each prompt unless given.
        sites: patterns of maps or blocks (`up.*`); all attention to text unless given.
        threshold: of masks, 0 ... 1 between the lowest and the highest value of a map.
        timesteps: noise levels over which maps of images are averaged.
        draws: noise draws of each image over which is averaged.
        edits: made by `add`, `ablate` and so on: maps of steered pictures.
        seed: names the noise.
        canvas: size policy of images.
        limit: at most so many images.
        out: folder for pictures, overlays and report.
        options: further ones of `Model.generate`: `steps`, `guidance`, `negative`, `height`, `width`.

    Raises:
        UnknownName: a model, site or word that does not exist.
        InputError: no prompt, a model without text, or options of generation beside images.
    """
    started, scope = time.perf_counter(), loaded(model)
    cut(np.zeros((1, 1)), threshold)
    if out is not None:
        made_folder(out)
    skipped: dict[str, str] = {}
    if images is None:
        maps, inputs = _made(scope, prompt, sites, words, edits, {"seed": seed, **options}), {}
    else:
        if options:
            raise InputError(f"images that exist are not generated: {', '.join(options)} means nothing for them")
        conditions = levels_of(timesteps, seed, draws)
        samples, skipped = _told(images, prompt, limit)
        with scope.edit(by_site(edits)):
            maps = looked_at(scope, samples, conditions, sites, words, canvas)
        inputs = {"images": fingerprint(samples)}
    asked = {"prompt": prompt, "images": images, "words": words, "sites": sites, "threshold": threshold, "seed": seed,
             **({"limit": len(maps), "timesteps": timesteps} if images is not None else {}), **options}  # fmt: skip
    again = () if edits or draws > 1 or canvas is not None else _again(scope, asked)
    shown = [tuple(words) or found.words for found in maps]
    table = _table(maps, shown, threshold)
    report = Report(
        task="heatmaps",
        parameters={"prompts": [found.prompt for found in maps], "words": list(words), "sites": maps[0].sites(),
                    "threshold": threshold, "seed": seed, "draws": draws, "edits": [str(edit) for edit in edits],
                    "timesteps": list(timesteps) if images is not None else "of the sampler",
                    "canvas": str(canvas or "as the model has it"), **options},
        scores=tuple(_scores(table)),
        inputs={"model": digest(dict(scope.recipe)), "prompts": digest([found.prompt for found in maps]), **inputs},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table=table,
        figures={"Where the words of the prompt are looked at from": sheet(maps, shown)},
        notes=(_NOTE, *[_ALONE] * (len(maps) == 1), *told_skipped(skipped)),
        again=again,
    )  # fmt: skip
    found = HeatMaps(tuple(maps), tuple(words), report)
    if out is not None:
        found.save(out)
    return found


def looked_at(
    model: "Model",
    samples: Sequence[Sample],
    conditions: Sequence[Condition],
    sites: Sequence[str] = (),
    words: Sequence[str] = (),
    canvas: Canvas | None = None,
    batch_size: int | None = None,
) -> list[HeatMap]:
    """Word maps of images that exist, averaged over conditions; each image's prompt is its fact `prompt`."""
    from denoscope.models.textmaps import image_maps, text_sites

    taps, prompts = text_sites(model, sites), [str(sample.facts["prompt"]) for sample in samples]
    spelled = [_spelled(model, text, words) for text in prompts]
    found: dict[int, HeatMap] = {}
    columns = [kept for _, kept in spelled]
    for indices, maps, kept, frames in image_maps(model, samples, conditions, taps, columns, canvas, batch_size):
        means = maps.means()
        for row, index in enumerate(indices):
            shares = {site: mean[row] for site, mean in means.items()}
            found[index] = HeatMap(prompts[index], samples[index].image, spelled[index][0], frames[row], shares,
                                   maps.grids, tuple(kept), tuple(model.text_parts()))  # fmt: skip
    return [found[index] for index in range(len(samples))]


def _made(
    model: "Model", prompt: str | Sequence[str], sites: Sequence[str], words: Sequence[str], edits: Sequence[Any],
    options: dict[str, Any],
) -> list[HeatMap]:  # fmt: skip
    """Word maps of pictures that are made on the way."""
    from denoscope.models.textmaps import TextMaps, text_sites

    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    taps: list[Tap] = text_sites(model, sites)
    spelled = [_spelled(model, text, words) for text in prompts]
    kept = sorted({column for _, columns in spelled for column in columns})
    attached(edits, model)
    maps: TextMaps = TextMaps(model, taps, kept)
    made = model.generate(prompts, watch=maps, edits=by_site(edits), **options)
    height, width = made.images.shape[1:3]
    frame, means = Frame(width, height, width, height), maps.means()
    return [
        HeatMap(text, made.images[row], spelled[row][0], frame, {site: mean[row] for site, mean in means.items()},
                maps.grids, tuple(kept), tuple(model.text_parts()))
        for row, text in enumerate(prompts)
    ]  # fmt: skip


def _spelled(model: "Model", text: str, words: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The words of a prompt that have tokens of their own, and the columns of all its tokens.

    Raises:
        UnknownName: a word was asked for that the prompt lacks.
        InputError: one that has no token, or a prompt none of whose words has.
    """
    parts, found = model.text_parts(), list[str]()
    for word in words_in(text):
        try:
            found += [word] * bool(columns_of(parts, text, word))
        except DenoscopeError:
            continue
    for word in words:
        columns_of(parts, text, word)
    if not found:
        raise InputError(f"the prompt {text!r} has no word that can be looked at; say what is in the picture")
    return tuple(found), columns_of(parts, text, text)


def levels_of(timesteps: Sequence[float], seed: int, draws: int = 1) -> list[Condition]:
    """A condition per noise level, whose prompt is the image's fact `prompt`.

    Raises:
        InputError: no level, or one out of range.
    """
    if not len(timesteps):
        raise InputError("images that exist are read at a noise level; say for example timesteps=[200, 600]")
    return [Condition(timestep=t, prompt="{prompt}", seed=seed, draws=draws) for t in timesteps]


def opened(images: Any, limit: int | None) -> tuple[list[Sample], dict[str, str]]:
    """Images of a data set by its spec, or what `Model.read` takes; and those that cannot be read, with the reason."""
    from denoscope.models.images import as_samples

    if not isinstance(images, str | Path):
        return as_samples(images)[:limit], {}
    samples = open_data(images, limit)
    found, skipped = read(samples, range(len(samples)))
    if not found:
        raise InputError(f"none of the {len(samples)} images of {str(images)!r} can be read")
    return found, skipped


def told_skipped(skipped: Mapping[str, str]) -> list[str]:
    """A sentence on images that were left out, if any."""
    if not skipped:
        return []
    name, reason = next(iter(skipped.items()))
    return [f"{len(skipped)} images could not be read and are left out, such as {name}: {reason}"]


def _again(model: "Model", told: Mapping[str, Any]) -> tuple[str, ...]:
    """The command, where the model and the images have names and the command line knows what was asked."""
    name, words = model.recipe.get("name") or model.recipe.get("toy"), list[str]()
    if not name or "negative" in told or not isinstance(told["images"], str | Path | None):
        return ()
    for flag, value in told.items():
        values = [value] if isinstance(value, str | int | float | Path) else list(value or ())
        words += [f"--{flag}", *map(str, values)] if values else []
    return (shlex.join(["denoscope", "heatmaps", str(name), *words]),)


def _told(images: Any, prompt: str | Sequence[str], limit: int | None) -> tuple[list[Sample], dict[str, str]]:
    """Samples whose fact `prompt` is their whole prompt, and images that cannot be read.

    Raises:
        InputError: prompts and images that differ in number.
    """
    known, skipped = opened(images, limit)
    if isinstance(prompt, str):
        template = Condition(clean=True, prompt=prompt)
        texts = [template.text_for(sample.facts) for sample in known]
    else:
        texts = list(prompt)
    if len(texts) != len(known):
        raise InputError(f"{len(texts)} prompts do not fit {len(known)} images; give one each, or one for all")
    told = [Sample(sample.id, sample.image, {**sample.facts, "prompt": text})
            for sample, text in zip(known, texts, strict=True)]  # fmt: skip
    return told, skipped


def _table(maps: Sequence[HeatMap], words: Sequence[Sequence[str]], threshold: float) -> dict[str, list[Any]]:
    """A row per picture and word."""
    rows = [row for index, found in enumerate(maps) for row in _rows(index, found, words[index], threshold)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _rows(index: int, found: HeatMap, words: Sequence[str], threshold: float) -> Iterator[dict[str, Any]]:
    for word in words:
        values = found.word(word)
        mask = cut(values, threshold)
        yield {"picture": index, "prompt": found.prompt, "word": word, "share": float(values.mean()),
               "highest": float(values.max()), "area": float(mask.mean()),
               "box": " ".join(map(str, box_around(mask) or ()))}  # fmt: skip


def _scores(table: dict[str, list[Any]]) -> Iterator[Score]:
    names = np.array(table["word"])
    for word in dict.fromkeys(table["word"]):
        for column, told, unit in (("share", "share of attention", "share"), ("area", "area", "share of the picture")):
            values = np.array(table[column])[names == word]
            yield Score(f"{told}, {word}", **bootstrap_mean(values)._asdict(), unit=unit, over="pictures")


def digest(value: Any) -> str:
    """A short digest of anything that JSON can hold."""
    return sha256(canonical(value).encode()).hexdigest()[:16]
