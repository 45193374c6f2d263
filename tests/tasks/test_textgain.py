"""Text gains find what was planted, say what leaked, and stay at nothing where words do nothing."""

from dataclasses import replace

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.site import Site
from denoscope.measures.judgments import Judgments
from denoscope.measures.triplets import alike, probabilities
from denoscope.tasks._said import kind_of
from denoscope.tasks._textparts import concept_of
from denoscope.tasks.textgain import TextGain

OBJECTS = 48
FRAME = Frame(16, 16, 16, 16)
PROMPTS = {
    "unconditional": "",
    "label": "a photo of a {label}",
    "wrong label": "a photo of a {wrong_label}",
    "shuffled label": "a photo of a {shuffled_label}",
}
TOLD = np.roll(np.arange(OBJECTS), 7)
"""Object i was called by the name of object TOLD[i]."""
NAMES = [f"thing {letter}" for letter in "abcdefgh"]


def thoughts(seed: int = 0) -> np.ndarray:
    """What people think of the objects: sparse, nowhere negative."""
    return np.maximum(np.random.default_rng(seed).normal(size=(OBJECTS, 8)) - 0.2, 0) * 1.6


def noise(seed: int, wide: int = 8) -> np.ndarray:
    """What has nothing to do with what people think."""
    return np.random.default_rng((seed, 5)).normal(size=(OBJECTS, wide))


def facts_of(embedding: np.ndarray, rows: int = 5000, seed: int = 1) -> list[dict]:
    """One picture per object; people choose by the embedding."""
    rng = np.random.default_rng(seed)
    asked = np.argsort(rng.random((rows, OBJECTS)), axis=1)[:, :3]
    chances = probabilities(alike(embedding, "dot"), Judgments.of(asked, OBJECTS))
    pair = (rng.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    odd = asked[np.arange(rows), np.array([2, 1, 0])[pair]]
    table = np.column_stack([asked, odd, rng.integers(0, 40, rows)])
    return [
        {"object": f"object {i}", "object_index": i, "triplets": table[table[:, 0] == i, 1:], "embedding": embedding[i],
         "embedding_names": NAMES if i == 0 else None, "shuffled_object": f"object {TOLD[i]}",
         "label": f"object {i}"} for i in range(OBJECTS)
    ]  # fmt: skip


def block(values: np.ndarray, kind: str = "unconditional", site: str = "mid", timestep: float = 50) -> Activations:
    """One vector per picture."""
    prompt, ids = PROMPTS.get(kind, kind), tuple(f"image-{i}" for i in range(OBJECTS))
    condition = Condition(timestep=timestep, prompt=prompt)
    return Activations(Site(site), condition, values, ids, "pooled", (FRAME,) * OBJECTS)


def text(values: np.ndarray, kind: str = "label") -> Activations:
    """The text encoder's vectors."""
    return replace(block(values, kind, "text.last"), condition=Condition(clean=True, prompt=PROMPTS[kind]))


@pytest.fixture(scope="module")
def people() -> tuple[np.ndarray, list[dict]]:
    """An embedding, and facts with choices by it."""
    return thoughts(), facts_of(thoughts())


def test_words_that_do_nothing_gain_nothing(people) -> None:
    """The same vectors under every prompt: gains are 0 exactly, and no share of them is told."""
    embedding, facts = people
    x = embedding + noise(1)
    report = TextGain().run_joint([block(x, kind) for kind in PROMPTS], facts)
    for kind in ("label", "wrong label", "shuffled label"):
        assert report[f"gain, {kind}"].value == report[f"gain, {kind}"].low == 0
    assert "leakage" not in [score.name for score in report.scores]
    assert report["accuracy, label"].value == report["accuracy, unconditional"].value > 0.4


def test_unrelated_changes_are_no_gain(people) -> None:
    """Fresh noise under each prompt, pictures that tell as much: every interval holds 0, and nothing is discovered."""
    embedding, facts = people
    blocks = [
        block(embedding + 1.5 * noise(10 * level + i), kind, "mid", level)
        for level in range(1, 5)
        for i, kind in enumerate(PROMPTS)
    ]
    report = TextGain().run_joint(blocks, facts)
    gains = [report[f"gain, {kind}"] for kind in PROMPTS if kind != "unconditional"]
    assert all(gain.low < 0 < gain.high for gain in gains)
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    q = [row["q"] for row in rows if row["part"] == "place" and row["q"] is not None]
    assert len(q) == 4 * 4 and sum(value < 0.05 for value in q) <= 2


def test_words_stuck_on_a_picture_that_tells_nothing_leak_whole(people) -> None:
    """All that is gained comes from the words: followed when shuffled as much; put beside, they give the same."""
    embedding, facts = people
    words = np.hstack([noise(1, 3), embedding])
    blocks = [
        block(np.hstack([noise(2), 0 * words if kind == "unconditional" else 2 * said]), kind)
        for kind, said in (
            ("unconditional", words),
            ("label", words),
            ("wrong label", words[np.random.default_rng(3).permutation(OBJECTS)]),
            ("shuffled label", words[TOLD]),
        )
    ]
    report = TextGain(metric="dot").run_joint([*blocks, text(words), text(words[TOLD], "shuffled label")], facts)
    leakage, beside = report["leakage"], report["gain of text put beside"]
    assert report["gain, label"].low > 0.05
    assert leakage.low < 1 < leakage.high and leakage.value > 0.7
    assert beside.value == pytest.approx(1.0, abs=0.02) and report["similarities imitated"].value > 0.99
    assert report["gain, wrong label"].low < 0.02
    shown = report["accuracy, shuffled label"]
    assert shown.low < 1 / 3 + 0.02 and report["accuracy, text encoder, label"].value > 0.4
    assert report["accuracy, shuffled label, as told"].value == pytest.approx(report["accuracy, label"].value, abs=0.04)


def test_words_that_only_sharpen_the_picture_do_not_leak(people) -> None:
    """With the right label the picture is seen better, with another one as without: leakage holds 0."""
    embedding, facts = people
    plain, sharp = embedding + 1.5 * noise(1), embedding + 0.2 * noise(1)
    by_kind = {"unconditional": plain, "label": sharp, "shuffled label": embedding + 1.5 * noise(4)}
    report = TextGain().run_joint([block(x, kind) for kind, x in by_kind.items()], facts)
    assert report["gain, label"].low > 0.05
    assert report["leakage"].low < 0 < report["leakage"].high < 0.5
    told = report["accuracy, unconditional, as told"] if "accuracy, unconditional, as told" in str(report) else None
    assert told is None and abs(report["accuracy, shuffled label, as told"].value - 1 / 3) < 0.06


def test_gains_stand_at_their_place_with_q_values(people) -> None:
    """A gain planted at one of two sites and one of two levels is found there, and nowhere else."""
    embedding, facts = people
    blocks = []
    for number, (site, level) in enumerate([("mid", 50), ("mid", 600), ("up.1", 50), ("up.1", 600)]):
        plain = embedding + 1.5 * noise(number)
        label = embedding + 0.3 * noise(20) if (site, level) == ("up.1", 600) else plain + 0.05 * noise(30 + number)
        blocks += [block(plain, "unconditional", site, level), block(label, "label", site, level)]
    report = TextGain().run_joint(blocks, facts)
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    found = {(row["site"], row["timestep"]): row for row in rows if row["score"] == "gain, label"}
    assert found["up.1", 600]["q"] < 0.001 and found["up.1", 600]["low"] > 0.05
    assert all(row["q"] > 0.05 for place, row in found.items() if place != ("up.1", 600))
    mean = np.mean([row["value"] for row in found.values()])
    assert report["gain, label"].value == pytest.approx(mean)
    assert {"gain, label by site and noise level", "Accuracy over noise by what is said, up.1"} <= set(
        TextGain().draw(report, None)
    )


def test_gains_are_told_by_object_and_by_concept(people) -> None:
    """One dimension of people's embedding is missing without words: choices about it gain, most others do not."""
    embedding, facts = people
    plain = embedding.copy()
    plain[:, 2] = np.random.default_rng(0).permutation(plain[:, 2])
    report = TextGain(metric="dot").run_joint([block(plain), block(embedding, "label")], facts)
    rows = [dict(zip(report.table, row, strict=True)) for row in zip(*report.table.values(), strict=True)]
    concepts = {row["name"]: row for row in rows if row["part"] == "concept"}
    assert set(concepts) == set(NAMES) and max(concepts, key=lambda name: concepts[name]["value"]) == NAMES[2]
    assert concepts[NAMES[2]]["q"] < 0.01
    objects = {row["name"]: row["value"] for row in rows if row["part"] == "object"}
    assert len(objects) == OBJECTS
    changed = np.abs(plain[:, 2] - embedding[:, 2])
    value = np.array([objects[f"object {i}"] for i in range(OBJECTS)])
    assert value[changed > 1].mean() > value[changed == 0].mean()
    drawn = TextGain().draw(report, None)
    assert all(picture.startswith((b"<?xml", b"<svg")) for picture in drawn.values()) and len(drawn) == 2


def test_a_concept_is_where_the_kept_two_are_strongest() -> None:
    """By hand: the largest dimension of the mean of the two objects."""
    embedding = np.array([[1.0, 0, 0], [0, 0, 0.8], [0.2, 0, 0.4], [0, 3, 0]])
    judged = Judgments.of([[0, 2, 1], [1, 2, 0], [3, 0, 1]], 4)
    assert concept_of(embedding, judged).tolist() == [0, 2, 1]


def test_the_twin_stands_beside(people) -> None:
    """Blocks of an untrained model are told apart by their recipe, and count in no mean of the trained one."""
    embedding, facts = people
    recipe = Recipe(
        model={"name": "x", "untrained": 1}, data={}, canvas={}, sites=("mid",), conditions=({"timestep": 50},), keep={}
    )
    blocks = [block(embedding + noise(1)), block(embedding, "label")]
    twins = [replace(block(noise(3 + i), kind), recipe=recipe) for i, kind in enumerate(("unconditional", "label"))]
    alone, both = TextGain().run_joint(blocks, facts), TextGain().run_joint([*blocks, *twins], facts)
    assert both["gain, label"] == alone["gain, label"]
    twin, above = both["gain, label, random-init twin"], both["gain above the random-init twin, label"]
    assert twin.low < 0 < twin.high and above.low > 0
    assert above.value == pytest.approx(both["gain, label"].value - twin.value)
    assert "gain, label, random-init twin" not in [score.name for score in alone.scores]


def test_images_that_are_not_finite_are_left_out_everywhere(people) -> None:
    """A NaN under one prompt takes the image out under all, so that what is compared is of the same objects."""
    embedding, facts = people
    bad = embedding.copy()
    bad[5, 0] = np.nan
    report = TextGain().run_joint([block(embedding), block(bad, "label")], facts)
    assert report["gain, label"].value == 0 and report.parameters["objects"] == OBJECTS - 1
    assert any("NaN" in note for note in report.notes)


def test_prompts_are_called_by_what_they_say() -> None:
    """By the one fact that they name; in quotes where they name none or another."""
    assert kind_of("") == "unconditional" and kind_of("{caption}") == "caption"
    assert kind_of("a photo of a {wrong_label}") == "wrong label"
    assert kind_of("a photo") == '"a photo"' and kind_of("{label} of {colour}") == '"{label} of {colour}"'


def test_a_text_that_the_model_lacks_is_told(people) -> None:
    """Only the last token's vectors are there: pooled ones are asked for, and the report goes without."""
    embedding, facts = people
    report = TextGain(text="pooled").run_joint([block(embedding), block(embedding, "label"), text(embedding)], facts)
    assert not any("text encoder" in score.name for score in report.scores)
    assert any("not at hand" in note for note in report.notes)


def test_two_prompts_that_say_the_same_are_kept_apart(people) -> None:
    """The second is called by its text."""
    embedding, facts = people
    blocks = [block(embedding), block(embedding, "label"), block(embedding, "the {label}")]
    names = [score.name for score in TextGain().run_joint(blocks, facts).scores]
    assert {"gain, label", 'gain, "the {label}"'} <= set(names)


def test_what_cannot_be_compared_is_refused(people) -> None:
    """No unconditional reading, the same twice, two objects of one name, and unknown choices."""
    embedding, facts = people
    with pytest.raises(InputError, match="mid at timestep=50 was read with label but not without words"):
        TextGain().run_joint([block(embedding, "label")], facts)
    with pytest.raises(InputError, match="read twice with the prompt ''"):
        TextGain().run_joint([block(embedding), block(embedding)], facts)
    same = [{**row, "shuffled_object": "object 3"} for row in facts]
    with pytest.raises(InputError, match="'object 0' and 'object 1' were both called 'object 3'"):
        TextGain().run_joint([block(embedding), block(embedding, "shuffled label")], same)
    missing = [{name: value for name, value in row.items() if name != "shuffled_object"} for row in facts]
    with pytest.raises(UnknownName, match="shuffled_object"):
        TextGain().run_joint([block(embedding), block(embedding, "shuffled label")], missing)
    with pytest.raises(UnknownName, match="last, mean"):
        TextGain(text="first")
    with pytest.raises(InputError, match="seed"):
        TextGain(seed=-1)


def test_one_block_tells_its_accuracy_and_what_is_missing(people) -> None:
    """Nothing was said: no gain, and a sentence on how to get one."""
    embedding, facts = people
    report = TextGain().run(block(embedding), facts)
    assert report.scores[0].name == "accuracy, unconditional"
    assert any("--prompt" in note for note in report.notes)
