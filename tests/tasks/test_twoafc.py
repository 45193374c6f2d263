"""Two-alternative forced choice: the score of hand-made trials, nulls at chance, ceilings, what is refused."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.data.base import open_data
from denoscope.measures.statistics import wilson
from denoscope.measures.twoafc import agreement, leave_one_out, majority, scored, share_mean, taken
from denoscope.tasks.twoafc import TwoAFC
from twinned import twin

__all__ = ["twin"]


def vectors(values: np.ndarray, ids: list[str] | None = None) -> Activations:
    """One vector per image, named `0`, `1` and so on."""
    names = tuple(ids or [f"{i}" for i in range(len(values))])
    return Activations(
        Site("mid"), Condition(timestep=50), values, names, "pooled", (Frame(16, 16, 16, 16),) * len(values)
    )


def asked(shares: list[float], **more: object) -> list[dict]:
    """Three pictures a trial, the first of which is in question."""
    facts: list[dict] = []
    for number, share in enumerate(shares):
        told = {"left": f"{3 * number + 1}", "right": f"{3 * number + 2}", "share": share, **more}
        facts += [{"split": "val", "choices": [told]}, {"split": "val"}, {"split": "val"}]
    return facts


def planted(trials: int, right: np.ndarray, seed: int = 0) -> np.ndarray:
    """Vectors of which the second picture is nearer where `right`, else the first; scales differ."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(trials, 3, 8))
    near = np.where(right, 2, 1)
    x[np.arange(trials), near] = x[:, 0] + 0.1 * rng.normal(size=(trials, 8))
    return (x * rng.uniform(0.5, 2, size=(trials, 3, 1))).reshape(-1, 8)


def test_the_score_is_the_published_one() -> None:
    """(d0 < d1)(1 - p) + (d1 < d0) p + (d0 = d1) / 2, by hand."""
    found = scored(taken([0.1, 0.9, 0.5, 0.2], [0.4, 0.3, 0.5, 0.1]), [0.2, 0.2, 0.9, 1.0])
    assert found.tolist() == [0.8, 0.2, 0.5, 1.0]
    p = np.array([1.0, 0.0, 0.25, 0.6])
    right = np.array([True, False, True, True])
    report = TwoAFC().run(vectors(planted(4, right)), asked(p.tolist()))
    assert report["score"].value == pytest.approx((1 + 1 + 0.25 + 0.6) / 4) and report["score"].n == 4
    assert report["score, ceiling"].value == pytest.approx((1 + 1 + 0.75 + 0.6) / 4)
    assert report["choices of the majority"].value == pytest.approx(0.75)
    assert report["share of the ceiling"].value == pytest.approx((2.85 / 4 - 0.5) / (3.35 / 4 - 0.5))
    assert report.table["score"] == pytest.approx([1, 1, 0.25, 0.6])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_ceilings_are_those_of_votes_one_by_one(counts: list[int]) -> None:
    """Against every vote of five taken out, and every two of them."""
    n, p = 5, np.array(counts) / 5
    for count, pair, left in zip(counts, agreement(p, [n] * len(p)), leave_one_out(p, [n] * len(p)), strict=True):
        votes = [1] * count + [0] * (n - count)
        others = [sum(votes) - vote for vote in votes]
        assert left == pytest.approx(np.mean([(2 * rest > 4) == vote if 2 * rest != 4 else 0.5
                                              for vote, rest in zip(votes, others, strict=True)]))  # fmt: skip
        assert pair == pytest.approx(np.mean([votes[i] == votes[j] for i in range(n) for j in range(n) if i != j]))
    assert (majority(p) >= leave_one_out(p, [n] * len(p)) - 1e-12).all()
    assert (majority(p) >= agreement(p)).all()


def test_agreement_is_unbiased() -> None:
    """Simulated people with known chances: five votes tell the sum of p^2, and without their number too much of it."""
    rng = np.random.default_rng(0)
    chance = rng.beta(2, 1, size=20_000)
    share = rng.binomial(5, chance) / 5
    truth = np.mean(chance**2 + (1 - chance) ** 2)
    assert agreement(share, np.full(20_000, 5)).mean() == pytest.approx(truth, abs=0.005)
    assert agreement(share).mean() > truth + 0.05
    assert leave_one_out(share, np.full(20_000, 5)).mean() < np.maximum(chance, 1 - chance).mean()
    assert majority(share).mean() > np.maximum(chance, 1 - chance).mean()


def test_intervals_hold_the_truth_and_are_wilson_s_where_trials_are_independent() -> None:
    """0.95 of them, also where trials come in fours; 30 of 30 is no certainty."""
    sure = share_mean(np.ones(30), np.arange(30))
    assert sure.high == 1 and sure.low == pytest.approx(wilson(30, 30).low, abs=0.02)
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        own = rng.beta(3, 2, size=60)
        values = rng.binomial(1, np.repeat(own, 4)).astype(float)
        found = share_mean(values, np.repeat(np.arange(60), 4))
        held += found.low <= 0.6 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_simulated_people_bound_a_site_that_knows_them() -> None:
    """Votes drawn with known chances: a site that takes the likelier picture scores mean max p, within its interval."""
    rng = np.random.default_rng(0)
    chance = rng.beta(1, 1, size=800)
    share = rng.binomial(7, chance) / 7
    report = TwoAFC(votes=7).run(vectors(planted(800, chance > 0.5)), asked(share.tolist()))
    truth = np.maximum(chance, 1 - chance).mean()
    assert report["score"].low < truth < report["score"].high < report["score, ceiling"].value
    assert report["score, leave-one-out"].value < report["score, ceiling"].value
    assert not any("not known" in note for note in report.notes)


def test_unrelated_vectors_are_at_chance() -> None:
    """A half is within the interval of nearly every run, and the shuffled baseline is there."""
    inside = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        report = TwoAFC(shuffles=2, seed=seed).run(
            vectors(rng.normal(size=(450, 6))), asked(rng.choice([0.0, 0.2, 0.8, 1.0], 150).tolist())
        )
        inside += report["score"].low <= 0.5 <= report["score"].high
        assert abs(report["score, shuffled pictures"].value - 0.5) < 0.12
    assert inside >= 10


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "dot"])
def test_equal_pictures_earn_a_half(metric: str) -> None:
    """Whatever people said, and whatever rounding does to a cosine of one."""
    x = np.repeat(np.random.default_rng(0).normal(size=(20, 1, 7)), 3, axis=1).reshape(60, 7)
    report = TwoAFC(metric=metric).run(vectors(x), asked([1.0] * 20))
    assert report["score"].value == 0.5 and report["ties"].value == 1 and report["choices of the majority"].value == 0.5


def test_cells_at_the_same_place_are_lpips_with_equal_weights() -> None:
    """Against the sum over cells by hand; a moved picture is far by cells and near by their mean."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4, 3, 3)).astype(np.float32)
    x[1] = np.roll(x[0], 1, axis=2)
    x[2] = x[0] + 0.5 * rng.normal(size=x[0].shape)
    rows = Activations(Site("mid"), Condition(timestep=50), x, ("0", "1", "2"), "grid", (Frame(9, 9, 9, 9),) * 3,
                       Grid(3, 3, 3.0))  # fmt: skip
    report = TwoAFC(pool="cells").run(rows, asked([1.0]))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    expected = [1 - np.mean(np.sum(unit[0] * unit[k], axis=0)) for k in (1, 2)]
    assert report.table["distance to the first"] == pytest.approx([expected[0]], abs=1e-6)
    assert report.table["distance to the second"] == pytest.approx([expected[1]], abs=1e-6)
    assert report["score"].value == 1 and TwoAFC(pool="mean").run(rows, asked([1.0]))["score"].value == 0


def test_trials_of_one_picture_are_one_unit_and_kinds_are_told() -> None:
    """Intervals are over pictures in question; a kind of trial has a score of its own."""
    x = planted(40, np.arange(40) < 20)
    facts = asked([1.0] * 40)
    for number in range(40):
        facts[3 * number]["category"] = "cnn" if number < 20 else "traditional"
    report = TwoAFC().run(vectors(x), facts)
    assert report["score, kind cnn"].value == 1 and report["score, kind traditional"].value == 0
    twice = asked([1.0] * 10)
    for row in twice:
        row["choices"] = row.get("choices", []) * 4
    once = TwoAFC().run(vectors(planted(10, np.arange(10) < 6)), asked([1.0] * 10))["score"]
    again = TwoAFC().run(vectors(planted(10, np.arange(10) < 6)), twice)["score"]
    assert (once.low, once.high, once.n) == (again.low, again.high, again.n)


def test_what_cannot_be_used_is_left_out_and_counted() -> None:
    """Pictures that are not here, NaN, shares that are none; nothing left, nothing asked, and wrong settings."""
    x, facts = planted(6, np.ones(6, bool)), asked([1.0] * 6)
    x[4] = np.nan
    facts[6]["choices"][0]["left"] = "elsewhere"
    facts[9]["choices"][0]["share"] = None
    report = TwoAFC().run(vectors(x), facts)
    assert report["score"].n == 3 and report["score"].value == 1
    told = " ".join(report.notes)
    for part in ("NaN or infinite", "not here", "no share of votes"):
        assert f"1 of 6 trials {'' if part[0] != 'N' else 'are about images with '}" in told and part in told
    with pytest.raises(InputError, match="no trials of two pictures"):
        TwoAFC().run(vectors(x), [{"split": "val"}] * 18)
    with pytest.raises(InputError, match="no trial can be used: 6 of 6 trials name a picture"):
        TwoAFC().run(vectors(x[::3], [f"{i}" for i in range(0, 18, 3)]), facts[::3])
    with pytest.raises(UnknownName, match="cosine"):
        TwoAFC(metric="cosin")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="two of them"):
        leave_one_out([0.5], [1])


def test_published_sets_are_scored_by_their_pictures(twin) -> None:
    """The twins: mirrored pictures are the nearer ones by colour, so that mean colours of pixels earn every vote."""
    samples = open_data(f"nights:{twin('nights')}:all")
    read = [samples[index] for index in range(len(samples))]
    colours = np.stack([sample.image.reshape(-1, 3).mean(axis=0) for sample in read])
    report = TwoAFC(metric="euclidean").run(vectors(colours, [s.id for s in read]), [s.facts for s in read])
    assert report["score"].value == 1 and report["score"].n == 15
    assert report["score, one person"].value == pytest.approx(1) and len(report.table["unit"]) == 15
    patches = open_data(f"bapps:{twin('bapps')}:val")
    read = [patches[index] for index in range(len(patches))]
    values = np.stack([sample.image.reshape(-1, 3).mean(axis=0) for sample in read])
    found = TwoAFC(metric="euclidean", votes=5).run(vectors(values, [s.id for s in read]), [s.facts for s in read])
    assert found["score, ceiling"].value == pytest.approx(0.7) and "score, kind cnn" in {s.name for s in found.scores}


def test_misses_are_drawn() -> None:
    """The clearest ones; none where there is none, and nothing of a report on several sites."""
    x, p = planted(20, np.arange(20) < 12), [1.0] * 20
    report = TwoAFC().run(vectors(x), asked(p))
    pictures = {f"{i}": np.full((8, 8, 3), 4 * i, dtype=np.uint8) for i in range(60)}
    made = TwoAFC().draw(report, pictures.__getitem__)
    assert Image.open(io.BytesIO(made["Most confident misses"])).size[0] > 600
    perfect = TwoAFC().run(vectors(planted(20, np.ones(20, bool))), asked(p))
    assert not TwoAFC().draw(perfect, pictures.__getitem__) and not TwoAFC().draw(report, None)
