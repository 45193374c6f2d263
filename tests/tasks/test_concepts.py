"""Planted concepts are decoded, choices go to the concept that they belong to, and peaks are where they were put."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.report import Report
from denoscope.core.site import Site
from denoscope.measures.triplets import CHANCE, alike
from denoscope.tasks.concepts import Concepts

Array = NDArray[Any]
NAMES = ("red", "blue", "green", "animal", "vehicle", "plant")
OBJECTS = 70


def thoughts(objects: int = OBJECTS, seed: int = 0) -> Array:
    """Sparse and nowhere negative; a colour and a kind each."""
    rng = np.random.default_rng(seed)
    held = np.zeros((objects, 6))
    held[np.arange(objects), rng.integers(3, size=objects)] = 1
    held[np.arange(objects), 3 + rng.integers(3, size=objects)] = 1
    return held * rng.uniform(0.8, 1.2, held.shape) * np.array([1.0, 1.0, 1.0, 1.4, 1.4, 1.4])


def block(values: Array, site: str = "mid", timestep: int = 50) -> Activations:
    """One vector per image."""
    ids, frames = tuple(f"image-{i}" for i in range(len(values))), (Frame(16, 16, 16, 16),) * len(values)
    return Activations(Site(site), Condition(timestep=timestep), values, ids, "pooled", frames)


def facts_of(thought: Array, count: int = 6000, images: int = 1, names: tuple[str, ...] = NAMES) -> list[dict]:
    """Choices of people who find alike what shares concepts, each on the first image of its first object."""
    rng, n = np.random.default_rng(5), len(thought)
    asked = np.argsort(rng.random((count, n)), axis=1)[:, :3]
    s = 1.5 * thought @ thought.T
    logits = np.stack([s[asked[:, i], asked[:, j]] for i, j in ((1, 2), (0, 2), (0, 1))], axis=1)
    odd = asked[np.arange(count), (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)]
    rows = np.column_stack([asked[:, 1:], odd, np.arange(count) % 20])
    made = []
    for image in range(n * images):
        number, first = image // images, image % images == 0
        mine = rows[asked[:, 0] == number]
        made.append({"object": f"thing-{number}", "object_index": number, "embedding": thought[number],
                     "triplets": mine if first else mine[:0]})  # fmt: skip
    return [made[0] | {"embedding_names": list(names)}, *made[1:]]


def mixed(thought: Array, weights: Any, seed: int, noise: float = 1.0, channels: int = 20) -> Array:
    """Channels that hold each concept as strongly as its weight says."""
    rng = np.random.default_rng((seed, 3))
    return thought * np.asarray(weights) @ rng.normal(size=(thought.shape[1], channels)) + noise * rng.normal(
        size=(len(thought), channels)
    )


@pytest.fixture(scope="module")
def found() -> tuple[Report, Array, Array, list[dict]]:
    """Kinds are in the vectors, colours are not."""
    thought = thoughts()
    vectors = mixed(thought, [0, 0, 0, 1, 1, 1], 0)
    told = facts_of(thought)
    return Concepts().run(block(vectors), told), thought, vectors, told


def rows_of(report: Report, kind: str) -> dict[str, dict[str, Any]]:
    """Rows of the table by unit."""
    rows = (dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True))
    return {row["unit"]: row for row in rows if row["kind"] == kind}


def test_planted_concepts_are_decoded_and_others_are_not(found) -> None:
    """With a false discovery rate over concepts; the headline is the mean over them, and that over objects' shares."""
    report, *_ = found
    concepts = rows_of(report, "concept")
    assert list(concepts) == list(NAMES)
    for number, name in enumerate(NAMES):
        row, score = concepts[name], report[f"R2 of {name}"]
        assert (row["q"] < 0.05) == (number > 2) and (score.low > 0.2) == (number > 2)
        assert score.value == row["R2"] and row["asked for"] == (number < 3)
    assert report["concepts decoded"].value == 0.5
    assert report["R2"].value == pytest.approx(np.mean([row["R2"] for row in concepts.values()]))
    assert report["R2"].value == pytest.approx(
        np.mean([row["share"] for row in rows_of(report, "object").values()]), abs=0.05
    )
    assert report["R2, colour concepts"].high < 0.1 < report["R2, other concepts"].low
    assert report["R2, shuffled objects"].value < 0.02 < report["R2"].low


def test_decoded_embeddings_make_choices_on_unseen_objects(found) -> None:
    """Better than the vectors as they are, worse than people's own embedding, on the same choices."""
    report, *_ = found
    ours, theirs = report["decoded accuracy"], report["decoded accuracy, people's embedding"]
    assert ours.low > CHANCE and ours.value < theirs.value and ours.n == theirs.n < 6000 / 5
    assert report["decoded accuracy, chance"].value == CHANCE


def test_choices_go_to_the_largest_concept_of_the_pair_that_was_kept(found) -> None:
    """As counted one by one; two concepts of each where two are asked for, and only shared ones where those are."""
    report, thought, vectors, told = found
    s, who = alike(vectors), {name: [] for name in NAMES}
    for a, row in enumerate(told):
        for b, c, odd, _ in row["triplets"]:
            first, second = [one for one in (a, b, c) if one != odd]
            right = s[first, second] > max(s[first, odd], s[second, odd])
            who[NAMES[int((thought[first] + thought[second]).argmax())]].append(right)
    for name, row in rows_of(report, "concept").items():
        assert row["choices"] == len(who[name]) and row["accuracy"] == pytest.approx(np.mean(who[name]))
        assert report[f"accuracy on {name}"].low < row["accuracy"] < report[f"accuracy on {name}"].high
    assert report["accuracy on animal"].value > report["accuracy on red"].value + 0.1
    order = sorted(NAMES, key=lambda name: -rows_of(report, "concept")[name]["aligned"])
    assert [told.split()[0] for told in report.parameters["most as people"]] == order[:3]
    assert [told.split()[0] for told in report.parameters["least as people"]] == order[:2:-1]
    both = rows_of(Concepts(top=2).run(block(vectors), told), "concept")
    assert sum(row["choices"] for row in both.values()) == 2 * 6000
    shared = rows_of(Concepts(belongs="shared").run(block(vectors), told), "concept")
    asked = sum(row["choices"] for row in shared.values())
    pairs = [(a, *row) for a, one in enumerate(told) for row in one["triplets"].tolist()]
    kept = [[one for one in (a, b, c) if one != odd] for a, b, c, odd, _ in pairs]
    assert asked == sum(np.minimum(thought[i], thought[j]).max() > 0 for i, j in kept)


def test_unique_variance_is_told_where_it_is_asked_for(found) -> None:
    """Together kinds and colours explain the vectors, and no colour has a share of its own; all else stays the same."""
    report, _, vectors, told = found
    asked = Concepts(unique=True).run(block(vectors), told)
    assert asked["variance explained by concepts"].low > 0.2
    assert all(asked[f"unique variance of {name}"].low < 0.005 for name in NAMES[:3])
    assert asked.scores[: len(report.scores)] == report.scores


def test_unrelated_vectors_hold_no_concept() -> None:
    """Over several draws: hardly any concept is found, no interval of the mean is above 0, choices are by lot."""
    thought, decoded, inside = thoughts(), 0, 0
    told = facts_of(thought, 3000)
    for seed in range(8):
        report = Concepts(shuffles=2).run(block(mixed(thought, np.zeros(6), seed)), told)
        decoded += round(6 * report["concepts decoded"].value)
        inside += report["decoded accuracy"].low <= CHANCE <= report["decoded accuracy"].high
        assert report["R2"].low < 0 and report["R2"].value < 0.03
    assert decoded <= 3 and inside >= 6


def test_images_of_an_object_are_averaged_and_broken_ones_left_out(found) -> None:
    """Two images whose mean is the vector give the same numbers, also beside a third that is NaN."""
    report, thought, vectors, _ = found
    wobble = np.random.default_rng(8).normal(size=vectors.shape)
    three = np.stack([vectors + wobble, vectors - wobble, np.full_like(vectors, np.nan)], axis=1)
    again = Concepts().run(block(three.reshape(-1, vectors.shape[1])), facts_of(thought, images=3))
    assert again["R2"].value == pytest.approx(report["R2"].value, abs=1e-6)
    assert any("70 of 210 images hold NaN" in note for note in again.notes)


SITES = ("down.0", "mid", "up.0", "up.1", "out")
EARLY, LATE = np.array([0.3, 1.5, 0.6, 0.2, 0.1]), np.array([0.1, 0.2, 0.5, 1.5, 0.3])


def grid(thought: Array, colour: Array, kind: Array, levels: tuple[int, ...] = (50, 300)) -> list[Activations]:
    """A block per site and level, with colours and kinds as strong as said."""
    return [
        block(mixed(thought, [colour[i]] * 3 + [kind[i]] * 3, 10 * i + level), site, level)
        for i, site in enumerate(SITES)
        for level in levels
    ]


def test_a_planted_peak_is_found_where_it_was_put() -> None:
    """Colours at mid, kinds two sites later, at both levels and on average; a row per concept, site and level."""
    thought = thoughts()
    report = Concepts(joint=True).run_joint(grid(thought, EARLY, LATE), facts_of(thought))
    gap = report["peaks apart"]
    assert gap.high < -1 and report["peaks apart, p of the gap"].value < 0.01
    assert report["peak, colour"].value == pytest.approx(1, abs=0.4)
    assert report["peak, other concepts"].value == pytest.approx(3, abs=0.4)
    assert report["peaks apart, q, timestep 50"].value < 0.05 and report["peaks apart, q, timestep 300"].value < 0.05
    table = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    cells = [row for row in table if row["kind"] == "decoding"]
    assert len(cells) == 6 * 5 * 2
    one = next(row for row in cells if (row["site"], row["level"], row["concept"]) == ("mid", "timestep 50", "red"))
    alone = Concepts().run(grid(thought, EARLY, LATE)[2], facts_of(thought))
    assert one["R2"] == pytest.approx(alone["R2 of red"].value) and one["low"] == pytest.approx(alone["R2 of red"].low)
    peaks = {row["concept"]: row for row in table if row["kind"] == "peak" and row["level"] == "all"}
    assert [peaks[name]["site"] for name in NAMES] == ["mid"] * 3 + ["up.1"] * 3
    assert set(Concepts(joint=True).draw(report, None)) >= {
        "R2 of every concept by site", "Mean R2 of concepts by site", "Where each concept peaks",
    }  # fmt: skip


def test_no_peak_is_found_where_all_peak_together() -> None:
    """One place for all: gaps hold 0 and p-values are large in most of several draws."""
    held, small = 0, 0
    for seed in range(8):
        thought = thoughts(48, seed)
        blocks = [
            block(mixed(thought, [LATE[i]] * 6, 100 * seed + i, channels=10), site) for i, site in enumerate(SITES)
        ]
        report = Concepts(joint=True, folds=3).run_joint(blocks, facts_of(thought, 300))
        held += report["peaks apart"].low <= 0 <= report["peaks apart"].high
        small += report["peaks apart, q, timestep 50"].value < 0.05
    assert held >= 6 and small <= 1


def test_the_untrained_twin_has_a_tensor_of_its_own() -> None:
    """With the other way round planted in it; and the model's own numbers stay what they are without it."""
    thought = thoughts(48)
    ours, theirs = grid(thought, EARLY, LATE, (50,)), grid(thought, LATE, EARLY, (50,))
    untrained = Recipe({"name": "toy", "untrained": 0}, {"name": "made", "fingerprint": "0", "count": 48}, {}, (), ())
    both = [*ours, *(replace(one, recipe=untrained) for one in theirs)]
    report = Concepts(joint=True, folds=3).run_joint(both, facts_of(thought, 300))
    alone = Concepts(joint=True, folds=3).run_joint(ours, facts_of(thought, 300))
    assert report["peaks apart"].high < 0 < report["peaks apart, random-init twin"].low
    assert report.scores[: len(alone.scores)] == alone.scores
    assert report.notes[0].startswith("Colour concepts at mid") and "random-init twin" in report.notes[1]
    assert any(title.endswith(", random-init twin") for title in Concepts(joint=True).draw(report, None))


def test_peaks_along_noise() -> None:
    """The same question along levels at each site: here kinds last longer than colours."""
    thought = thoughts()
    weights = [[colour] * 3 + [kind] * 3 for colour, kind in zip(EARLY, LATE, strict=True)]
    blocks = [block(mixed(thought, some, 7 * i), "mid", 100 * i) for i, some in enumerate(weights)]
    report = Concepts(joint=True, along="noise").run_joint(blocks, facts_of(thought))
    assert report["peaks apart"].high < -1 and report["peaks apart"].unit == "noise levels"
    assert report["peaks apart, mid"].value == report["peaks apart"].value


def test_images_that_one_site_lacks_are_left_out_of_all() -> None:
    """So that all curves are of the same objects."""
    thought = thoughts()
    blocks = grid(thought, EARLY, LATE, (50,))
    blocks[1].values[4] = np.nan
    report = Concepts(joint=True).run_joint(blocks, facts_of(thought))
    assert report.parameters["objects"] == OBJECTS - 1
    assert any("1 of 70 images hold NaN" in note for note in report.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding": None}, "known of 0 objects, not of all 70"),
        ({"embedding": np.full(6, np.nan)}, "NaN or infinite"),
        ({"embedding": np.ones(6)}, "none of 6 concepts tells 70 objects apart"),
    ],
)
def test_embeddings_that_cannot_be_used_are_refused(found, change: dict[str, Any], message: str) -> None:
    """With what there is."""
    *_, vectors, told = found
    with pytest.raises(InputError, match=message):
        Concepts().run(block(vectors), [row | change for row in told])


def test_rare_concepts_are_left_out_and_told(found) -> None:
    """One that two objects have tells nothing; names that are missing become numbers."""
    _, thought, vectors, told = found
    rare = np.column_stack([thought, np.arange(OBJECTS) < 2])
    report = Concepts().run(block(vectors), [row | {"embedding": rare[i]} for i, row in enumerate(told)])
    assert report.parameters["concepts"] == 6 and "R2 of dimension 4" in [score.name for score in report.scores]
    assert any("1 of 7 concepts apply to fewer than 4" in note and "dimension 7" in note for note in report.notes)


def test_what_was_asked_wrongly_is_refused_with_what_exists(found) -> None:
    """Concepts by name, groups with nothing beside them, one place, and settings out of range."""
    *_, vectors, told = found
    with pytest.raises(UnknownName, match="animal"):
        Concepts(of=("animl",)).run(block(vectors), told)
    with pytest.raises(InputError, match="6 of 6 concepts are \\*"):
        Concepts(of=("*",), joint=True).run_joint([block(vectors)] * 2, told)
    with pytest.raises(InputError, match="sites='all'"):
        Concepts(joint=True).run_joint([block(vectors)], told)
    with pytest.raises(InputError, match="30 folds of objects need 90"):
        Concepts(folds=30).run(block(vectors), told)
    with pytest.raises(UnknownName, match="shared"):
        Concepts(belongs="share")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="penalties needs positive"):
        Concepts(penalties=(0.0,))
