"""The task `noise` finds the planted best level and the planted effect of a draw, and nothing where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.features.noise import axes, chances, equal_noise, on_axes
from denoscope.measures.triplets import alike
from denoscope.models.loading import load
from denoscope.tasks._chances import AVERAGED, NONE, OWN, SHARED, kind_of, spots_of
from denoscope.tasks.noise import Noise

OBJECTS, WIDE = 48, 16
TIMESTEPS = (50, 200, 400, 600, 800)
FRAME = Frame(16, 16, 16, 16)
RNG = np.random.default_rng(0)
THOUGHTS = np.maximum(RNG.normal(size=(OBJECTS, WIDE)) - 0.3, 0) * 1.5


def _choices() -> list[dict]:
    """What people found odd, by the dot products of what they think."""
    rows = np.unique(np.sort(RNG.integers(OBJECTS, size=(2500, 3)), axis=1), axis=0)
    rows = rows[(np.diff(rows, axis=1) > 0).all(axis=1)]
    similar = alike(THOUGHTS, "dot")
    pairs = np.stack([similar[rows[:, i], rows[:, j]] for i, j in ((0, 1), (0, 2), (1, 2))], axis=1)
    p = softmax(pairs, axis=1)
    kept = (p.cumsum(axis=1) < RNG.random((len(rows), 1))).sum(axis=1).clip(max=2)
    odd = np.take_along_axis(rows, 2 - kept[:, None], axis=1)[:, 0]
    table = np.column_stack([rows, odd, np.arange(len(rows)) % 20])
    return [{"object": f"thing {i}", "object_index": i, "triplets": table[table[:, 0] == i][:, 1:]}
            for i in range(OBJECTS)]  # fmt: skip


FACTS = _choices()


def block(
    values: np.ndarray, timestep: float = 200, site: str = "mid", model: str = "one", **condition: object
) -> Activations:
    """One vector per object."""
    ids = tuple(f"image-{i}" for i in range(OBJECTS))
    recipe = Recipe(model={"name": model}, data={"fingerprint": "f"}, canvas={}, sites=(site,), conditions=())
    told = Condition(timestep=timestep, **condition)  # pyright: ignore[reportArgumentType]
    return Activations(Site(site), told, values.astype(np.float32), ids, "pooled", (FRAME,) * OBJECTS, recipe=recipe)


def seen(strength: float, seed: int, own: float = 1.0, common: float = 0.0) -> np.ndarray:
    """What people think, seen through noise of each image and, where there is any, one that all images share."""
    rng = np.random.default_rng((seed, 9))
    return strength * THOUGHTS + own * rng.normal(size=(OBJECTS, WIDE)) + common * rng.normal(size=WIDE)


def rows_of(report: Report, **wanted: object) -> list[dict]:
    """Rows of the table."""
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


@pytest.fixture(scope="module")
def peaked() -> Report:
    """`mid` is best at timestep 400, `up.0` nowhere; three seeds of each image's own noise, and of a shared one."""
    strengths = dict(zip(TIMESTEPS, (0.1, 0.5, 1.0, 0.5, 0.1), strict=True))
    blocks = []
    for timestep, strength in strengths.items():
        for seed in range(3):
            blocks.append(block(seen(strength, seed), timestep, seed=seed))
            blocks.append(block(seen(strength, 50 + seed, common=6.0), timestep, seed=seed, noise="shared"))
            blocks.append(block(seen(0, 100 + seed + int(timestep)), timestep, "up.0", seed=seed))
    return Noise().run_joint(blocks, FACTS)


def test_the_planted_best_noise_level_is_found(peaked) -> None:
    """Within its interval, which is narrow; a site that sees nothing has one that says so."""
    found = {row["site"]: row for row in rows_of(peaked, part="peak", score=f"best timestep, {OWN}")}
    mid, nothing = found["mid"], found["up.0"]
    assert 330 < mid["low"] <= mid["value"] <= mid["high"] < 470 and mid["low"] < 400 < mid["high"]
    assert nothing["high"] - nothing["low"] > 400


def test_a_shared_noise_that_blinds_is_told(peaked) -> None:
    """What all images have in common lowers accuracy, moves it with the seed, and passes the false discovery rate."""
    name = f"{SHARED} less {OWN}"
    (worst,) = rows_of(peaked, score=name, site="mid", timestep=400)
    assert worst["high"] < -0.02 and worst["q"] < 0.05 and peaked[name].value < 0
    (own,), (shared,) = (rows_of(peaked, score=f"share of the draw, {kind}", site="mid", timestep=400)
                         for kind in (OWN, SHARED))  # fmt: skip
    assert 0 <= own["low"] <= own["value"] <= own["high"] <= 1 and shared["n"] == 3


def test_a_site_that_sees_nothing_is_at_chance(peaked) -> None:
    """At every level and over all."""
    rows = rows_of(peaked, score=f"accuracy, {OWN}", site="up.0")
    assert len(rows) == len(TIMESTEPS)
    assert sum(row["low"] <= 1 / 3 <= row["high"] for row in rows) >= len(rows) - 1
    assert peaked["accuracy, chance"].value == pytest.approx(1 / 3)


def test_averaged_draws_and_no_noise_stand_beside() -> None:
    """Averaging helps where noise of single images is in the way, and none is what many would come to."""
    blocks = [block(seen(0.6, seed), seed=seed) for seed in range(2)]
    blocks += [block(np.mean([seen(0.6, 10 + k) for k in range(8)], axis=0), draws=8)]
    blocks += [block(seen(0.6, 0, own=0.0), noise="none")]
    report = Noise().run_joint(blocks, FACTS)
    assert report[f"accuracy, {OWN}"].value < report[f"accuracy, {AVERAGED}"].value < report[f"accuracy, {NONE}"].value
    assert report[f"{AVERAGED} less {OWN}"].low > 0 and not rows_of(report, part="peak")


def test_models_are_compared_at_their_best_sites() -> None:
    """The one that sees more is found at every level; two that see alike are not told apart."""

    def of(model: str, strengths: tuple[float, float], start: int) -> list[Activations]:
        return [block(seen(strength, start + 7 * i + int(timestep)), timestep, site, model)
                for timestep in (50, 400) for i, (site, strength) in enumerate(zip(("mid", "up.0"), strengths,
                                                                                    strict=True))]  # fmt: skip

    blocks = of("one", (0.1, 1.0), 0) + of("same", (1.0, 0.1), 1000) + of("better", (4.0, 0.1), 2000)
    report = Noise().run_joint(blocks, FACTS)
    gains = {(row["model"], row["timestep"]): row for row in rows_of(report, part="models")
             if " less that of one" in row["score"]}  # fmt: skip
    assert all(gains["better", t]["low"] > 0 and gains["better", t]["q"] < 0.05 for t in (50, 400))
    assert all(gains["same", t]["low"] < 0.02 and gains["same", t]["high"] > -0.02 for t in (50, 400))
    best = rows_of(report, part="models", model="one", score=f"accuracy at the best site, {OWN}")
    assert all(row["low"] > 1 / 3 for row in best)


def test_figures_show_what_was_found(peaked) -> None:
    """Curves by kind, maps and peaks, all of them pictures."""
    drawn = Noise().draw(peaked, None)
    assert {"accuracy over noise at mid, one", f"best timestep, {OWN}, one", f"{SHARED} less {OWN}, one"} <= set(drawn)
    assert all(picture.startswith(b"<?xml") and b"</svg>" in picture for picture in drawn.values())


def test_images_that_are_not_finite_anywhere_are_left_out_everywhere() -> None:
    """So that all places score the same choices."""
    values = seen(1.0, 0)
    values[3] = np.nan
    report = Noise().run_joint([block(values), block(seen(1.0, 1), seed=1)], FACTS)
    assert any("1 of 48 images hold NaN" in note for note in report.notes)
    assert report.parameters["objects"] == OBJECTS - 1
    with pytest.raises(InputError, match="none of 48 images"):
        Noise().run_joint([block(values * np.nan)], FACTS)


def test_what_was_read_decides_what_is_told() -> None:
    """One seed and one kind: accuracy, and what would be needed for more."""
    report = Noise().run(block(seen(1.0, 0)), FACTS)
    assert [score.name for score in report.scores] == [f"accuracy, {OWN}", "accuracy, chance"]
    assert any("takes several (--seed)" in note for note in report.notes)
    assert any("read other kinds beside it" in note for note in report.notes)


def test_wrong_questions_are_answered() -> None:
    """Parameters, draws that were not averaged, one place twice."""
    with pytest.raises(UnknownName, match="cosine"):
        Noise(metric="cosin")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="seed"):
        Noise(seed=-1)
    with pytest.raises(InputError, match="reduce='all'"):
        kind_of(Condition(timestep=50, draws=3, reduce="all"))
    twice = block(seen(1.0, 0))
    with pytest.raises(InputError, match="read twice"):
        spots_of([twice, replace(twice)])


def test_all_kinds_of_chance_are_asked_for_at_once() -> None:
    """Every level under each seed of either noise, averaged, and none; each names its kind."""
    levels = [Condition(timestep=50), Condition(logsnr=1.0, prompt="a {category}")]
    found = chances(levels, seeds=(3, 4), draws=5)
    kinds = [kind_of(condition) for condition in found]
    assert kinds == [OWN, OWN, SHARED, SHARED, AVERAGED, NONE] * 2
    assert {condition.prompt for condition in found[6:]} == {"a {category}"} and found[4].draws == 5
    assert len(chances(levels, seeds=(3,), draws=1, none=False)) == 4
    with pytest.raises(InputError, match="one seed"):
        chances(levels, seeds=())


def test_axes_of_models_agree_where_their_noise_does() -> None:
    """Levels of one model on all axes, those of another that hold as much noise, and best timesteps as log-SNRs."""
    first, other = load("toy-sd15"), load("toy-sd3")
    levels = axes(first, percents=(20,), timesteps=(201, 202), logsnrs=(1.0,))
    assert [level.percent for level in levels] == [20, 20, None, None]
    assert levels[0] == levels[1] and levels[3].logsnr == pytest.approx(1.0)
    (beside,) = equal_noise(first, [other], levels)
    assert all(b is not None and b.logsnr == pytest.approx(a.logsnr) for a, b in zip(levels, beside, strict=True))
    (none,) = equal_noise(other, [first], axes(other, timesteps=(999.9,)))
    assert none == [None]
    with pytest.raises(InputError, match="no noise level"):
        axes(first)


def test_best_timesteps_are_told_as_log_snr_too(peaked) -> None:
    """With the interval turned round, and every place's noise beside it."""
    model = load("toy-sd15")
    report = on_axes(peaked, model)
    (plain,) = rows_of(report, part="peak", site="mid", score=f"best timestep, {OWN}")
    (ratio,) = rows_of(report, part="peak", site="mid", score=f"best log-SNR, {OWN}")
    assert ratio["low"] < ratio["value"] < ratio["high"] and ratio["unit"] == "log-SNR"
    (level,) = axes(model, timesteps=(plain["low"],))
    assert ratio["high"] == pytest.approx(level.logsnr)
    shares = {row["timestep"]: row["alpha_bar"] for row in rows_of(report, part="place")}
    assert sorted(shares.values(), reverse=True) == [shares[timestep] for timestep in TIMESTEPS]
