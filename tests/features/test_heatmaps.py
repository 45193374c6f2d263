"""Heat maps: the same pictures as without, words by their tokens, any shape, and scores that stand beside chance."""

import json
import shlex
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import denoscope as ds
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.report import Report
from denoscope.data.menagerie import Menagerie
from denoscope.features import heatscores
from denoscope.features.heatmaps import heatmaps
from denoscope.features.heatscores import heatmap_overlap
from denoscope.features.wordmaps import HeatMap
from denoscope.measures.statistics import bootstrap_difference
from denoscope.models.base import Model
from denoscope.models.loading import load
from denoscope.models.words import columns_of

PROMPTS = ["a red cat", "two blue boats at night"]
SMALL = {"steps": 2, "height": 64, "width": 96}


@cache
def model_of(name: str) -> Model:
    """A toy, built once."""
    return load(name)


def planted(prompt: str, words: tuple[str, ...], values: dict[int, Any], grid: Grid) -> HeatMap:
    """A picture of 96 x 64 pixels whose tokens have known maps at two sites, the second one twice as high."""
    shares = np.stack([np.asarray(value, np.float32) for value in values.values()])
    image = np.full((64, 96, 3), 99, np.uint8)
    return HeatMap(prompt, image, words, Frame(96, 64, 96, 64), {"a.map": shares, "b.map": 2 * shares},
                   {"a.map": grid, "b.map": grid}, tuple(values), tuple(model_of("toy-sd15").text_parts()))  # fmt: skip


@pytest.mark.parametrize("name", ["toy-sd15", "toy-flux-dev"])
def test_pictures_are_those_without_maps(name: str) -> None:
    """Watching changes no bit, in several pictures at once; maps are as large as the pictures, which are not square."""
    model = model_of(name)
    found = heatmaps(model, PROMPTS, seed=3, **SMALL)
    plain = model.generate(PROMPTS, seed=3, **SMALL)
    assert np.array_equal(np.stack(found.images), plain.images) and len(found) == 2
    assert found[0].words == ("a", "red", "cat") and found[1].words[-1] == "night"
    for one in found:
        assert one.word("a" if one is found[0] else "two").shape == (64, 96)
        assert one.overlay(one.words[0]).shape == one.image.shape == (64, 96, 3)
    assert heatmaps(model, "cats, two", words=["cats, two"], **SMALL)[0].word("cats,  TWO").mean() > 0
    assert found.report["share of attention, cat"].n == 1 and 0 < found.report["area, boats"].value <= 1


def test_a_word_is_the_mean_of_its_tokens_and_sites() -> None:
    """Tokens of one letter each: `cat` is the mean of three maps, `red cat` of six; sites may be chosen."""
    rng, grid = np.random.default_rng(0), Grid(2, 3, 32.0)
    maps = {column: rng.random((2, 3)) for column in range(1, 8)}  # a, r, e, d, c, a, t
    found = planted("a red cat", ("a", "red", "cat"), maps, grid)
    centre = (slice(15, 64, 32), slice(15, 96, 32))
    cat = np.mean([maps[column] for column in (5, 6, 7)], axis=0)
    assert np.allclose(found.word("cat", ["a"])[centre], cat, atol=0.03)
    assert np.allclose(found.word("cat"), 1.5 * found.word("cat", ["a.map"]))
    phrase = np.mean([found.word("red", ["a"]), found.word("cat", ["a"])], axis=0)
    assert np.allclose(found.word("RED  cat", ["a"]), phrase)
    total = sum(found.word(word, ["a"], normalise=True) * n for word, n in (("a", 1), ("red", 3), ("cat", 3)))
    assert np.allclose(total, 1)
    with pytest.raises(UnknownName, match="no watched site 'c'"):
        found.word("cat", ["c"])


def test_expanding_cutting_and_framing_agree() -> None:
    """A map with one hot corner: overlay, mask and box are all there, rows and columns not swapped."""
    hot = np.zeros((2, 3))
    hot[0, 2] = 0.5
    found = planted("a b", ("a", "b"), {1: np.full((2, 3), 0.1), 2: hot}, Grid(2, 3, 32.0))
    mask = found.mask("b", 0.5)
    assert mask[:20, 76:].all() and not mask[32:].any() and not mask[:, :60].any()
    assert found.box("b", 0.5) == (64, 0, 96, 32) and found.box("a") is None
    warm = np.abs(found.overlay("b").astype(int) - found.image).sum(axis=2)
    assert warm[:20, 80:].min() > 100 and warm[40:, :40].max() <= 3
    absolute = found.overlay("b", top=100.0)
    assert np.abs(absolute.astype(int) - found.image).max() < 4


def test_images_that_exist_are_looked_at(tmp_path: Path) -> None:
    """With a template or a prompt each, of several sizes; saved with report, pictures and overlays."""
    model, world = model_of("toy-sd15"), Menagerie(size=64, count=2)
    template = heatmaps(model, "a {colour} {category}", images=world, timesteps=[300], sites=["up.*"])
    texts = [f"a {world[i].facts['colour']} {world[i].facts['category']}" for i in range(2)]
    given = heatmaps(model, texts, images=[world[0], world[1]], timesteps=[300], sites=["up.*"], out=tmp_path)
    for one, other, text in zip(template, given, texts, strict=True):
        assert one.prompt == text and np.allclose(one.word(text), other.word(text), atol=1e-6)
    wide = heatmaps(model, "a cat", images=np.zeros((40, 80, 3), np.uint8), timesteps=[300, 600])[0]
    assert wide.word("cat").shape == (40, 80) and wide.frame.canvas_height == wide.frame.canvas_width
    names = {path.name for path in tmp_path.iterdir()}
    assert {"report.html", "000.png", "001-a.png"} <= names and len(Report.load(tmp_path).figures) == 1
    assert np.array_equal(np.asarray(Image.open(tmp_path / "001-a.png")), given[1].overlay("a"))


def test_steered_pictures_have_maps_too() -> None:
    """An edit that does nothing gives the same maps, one that does something gives others."""
    model = model_of("toy-sd15")
    width = next(info.channels for info in model.sites if info.name == "mid")
    plain, same, other = (
        heatmaps(model, "a red cat", edits=[ds.add(np.ones(width), strength=strength, site="mid")], **SMALL)[0]
        for strength in (0.0, 0.0, 50.0)
    )
    assert np.array_equal(plain.word("cat"), same.word("cat")) and not np.allclose(plain.word("cat"), other.word("cat"))


@pytest.mark.parametrize(
    "options,message",
    [
        ({"prompt": "a cat", "words": ["dog"]}, "no word of the prompt 'dog'"),
        ({"prompt": "a cat", "sites": ["up.9"]}, "no site with attention to text"),
        ({"prompt": "a cat", "threshold": 2}, "threshold lies in 0"),
        ({"prompt": "a cat", "images": np.zeros((64, 64, 3), np.uint8), "timesteps": []}, "read at a noise level"),
        ({"prompt": "..."}, "has no word that can be looked at"),
        ({"prompt": ["a", "b"], "images": np.zeros((64, 64, 3), np.uint8)}, "2 prompts do not fit 1 images"),
        ({"prompt": "a", "images": np.zeros((64, 64, 3), np.uint8), "steps": 3}, "steps means nothing"),
        ({"prompt": "a {category}", "images": np.zeros((64, 64, 3), np.uint8)}, "no fact 'category'"),
    ],
    ids=["word", "site", "threshold", "timesteps", "nothing", "number", "options", "fact"],
)
def test_bad_requests_are_one_line(options: dict[str, Any], message: str) -> None:
    """Words, sites and prompts that do not fit are refused before anything is computed."""
    with pytest.raises((InputError, UnknownName), match=message) as caught:
        heatmaps(model_of("toy-sd15"), **options)
    assert "\n" not in str(caught.value)


def test_a_perfect_map_scores_one_and_a_wrong_word_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the right word lies on its mask, every other word on the rest."""

    def looked(model: Any, samples: Any, conditions: Any, sites: Any = ()) -> list[HeatMap]:
        made: list[HeatMap] = []
        for sample in samples:
            truth = sample.facts["segments"] == list(sample.facts["segment_names"]).index(sample.facts["category"])
            right = sample.facts["prompt"].endswith(sample.facts["category"])
            parts, words = tuple(model_of("toy-pixart").text_parts()), tuple(sample.facts["prompt"].split())
            of = {word: truth if right and word == sample.facts["category"] else ~truth for word in words}
            columns = {word: columns_of(parts, sample.facts["prompt"], word) for word in words}
            owner = {column: word for word in reversed(words) for column in columns[word]}
            shares = np.stack([of[owner[column]] for column in sorted(owner)]).astype(np.float32)
            grid, frame = Grid(*truth.shape, 1.0), Frame(*truth.shape, *truth.shape)  # square pictures
            made.append(HeatMap(sample.facts["prompt"], sample.image, words, frame, {"x.map": shares}, {"x.map": grid},
                                tuple(sorted(owner)), parts))  # fmt: skip
        return made

    monkeypatch.setattr(heatscores, "looked_at", looked)
    told = heatmap_overlap(model_of("toy-sd15"), Menagerie(size=48, count=16), timesteps=[300.0], twin=False)
    assert told["mIoU"].value == told["pointing"].value == told["mIoU at 0.4"].value == 1
    assert told["mIoU, wrong word"].value < 0.3 and told["mIoU, other word"].value < 0.3
    assert told["mIoU beyond centre blob"].low > 0 and told["named object hotter than others"].value == 1


def test_maps_of_nothing_differ_by_nothing() -> None:
    """Two kinds of noise, each with its best threshold: zero is in the paired interval about 19 times in 20."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(40):
        scenes: list[Any] = [SimpleNamespace(truth=rng.random((12, 12)) < rng.uniform(0.1, 0.4)) for _ in range(40)]
        first, second = (heatscores._Found([rng.random((12, 12)) for _ in scenes], scenes) for _ in range(2))
        told = bootstrap_difference(first.overlaps(), second.overlaps(), draws=400)
        inside += told.low <= 0 <= told.high
    assert inside >= 34


def test_a_network_that_knows_nothing_finds_nothing() -> None:
    """A random network is as good as another one, as a wrong word and as the whole picture, up to some hundredths."""
    world = Menagerie(size=64, count=24, seed=1)
    told = heatmap_overlap(model_of("toy-sd15"), world, timesteps=[400.0], sites=["up.1", "up.2"])
    for name in ("random-init twin", "wrong word", "whole picture"):
        assert abs(told[f"mIoU beyond {name}"].value) < 0.04
    assert len(told.table["site"]) == 6 and set(told.figures) == {"Examples", "mIoU of each site alone"}
    assert told["mIoU"].n == 12


def test_the_embedded_model_looks_at_what_the_word_names() -> None:
    """Far above the whole picture and the untrained twin, on images that chose nothing."""
    told = heatmap_overlap("embedded", "menagerie:test", limit=16, timesteps=[200.0], sites=["up.3.attn.0"])
    for name in ("random-init twin", "whole picture"):
        assert told[f"mIoU beyond {name}"].low > 0.1
    assert told["mIoU"].value > 0.4


def test_overlap_needs_facts() -> None:
    """A data set without segments, and too few images, are said in one line."""
    model = model_of("toy-sd15")
    with pytest.raises(UnknownName, match="no fact 'segments'"):
        heatmap_overlap(model, [ds.Sample("a", np.zeros((64, 64, 3), np.uint8), {"category": "x", "colour": "y"})])
    with pytest.raises(InputError, match="does not name the word"):
        heatmap_overlap(model, Menagerie(size=64, count=8), prompt="a photo")
    with pytest.raises(InputError, match="four or more are needed"):
        heatmap_overlap(model, Menagerie(size=64, count=2))


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures, JSON and scores from the shell, and one line on bad input."""
    from denoscope.cli import main

    asked = ["heatmaps", "toy-sd15", "--prompt", "a red cat", "--out", str(tmp_path)]
    assert main([*asked, "--steps", "2", "--words", "cat", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [score["name"] for score in told["scores"]] == ["share of attention, cat", "area, cat"]
    assert (tmp_path / "000-cat.png").exists()
    pictures, (again,) = (tmp_path / "000-cat.png").read_bytes(), told["again"]
    assert main([*shlex.split(again)[1:], "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "000-cat.png").read_bytes() == pictures
    capsys.readouterr()
    for wrong in (asked[:2], [*asked, "--words", "dog"], [*asked, "--overlap", "--steps", "2"]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1
