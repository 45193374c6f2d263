"""Every score of an atom, over repetitions: high where a concept was planted, at chance where nothing was."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from denoscope.core.frame import Frame, Grid
from denoscope.figures.atoms import frequencies
from denoscope.interpret.asking import judged_by
from denoscope.interpret.drawing import Shown
from denoscope.interpret.judges import Colour, Marked
from denoscope.interpret.locating import _scored, _Shot, moved, partners, turned
from denoscope.interpret.naming import Names, names_of
from denoscope.interpret.observing import Observed
from denoscope.interpret.patches import Seen, look
from denoscope.interpret.published import drawn_others, published_by
from denoscope.measures.atlas import Atlas

IMAGES, ATOMS, SIDE = 120, 24, 4
RED, GREY = (200, 30, 30), (128, 128, 128)


def named(seed: int) -> Names:
    """Atom 0 is strong where the caption says `cat`, atom 1 points nearly the same way but means nothing."""
    rng = np.random.default_rng(seed)
    has = rng.random(IMAGES) < 0.4
    codes = np.maximum(rng.normal(-0.5, 1, (IMAGES, SIDE * SIDE, ATOMS)), 0)
    codes[has, 3, 0] += 5
    atlases, halves = (Atlas(ATOMS, 12), Atlas(ATOMS, 12)), np.arange(IMAGES) % 2
    for number in range(IMAGES):
        atlases[halves[number]].add(number, codes[number], np.full((SIDE * SIDE, 2), 0.5))
    seen = Observed(atlases, codes.max(axis=1).astype(np.float16), ())
    captions = [f"a {'cat' if one else 'bus'} on {rng.choice(['grass', 'sand', 'snow'])}" for one in has]
    labels = {"category": np.where(has, "cat", "bus")}
    directions = rng.normal(size=(ATOMS, 16))
    return names_of(seen, halves, labels, captions, 4, seed, directions)


def test_words_classes_and_bits_are_those_that_were_planted() -> None:
    """The planted atom has its word, detects it among near misses too, and no other atom has one but by chance."""
    found = [named(seed) for seed in range(12)]
    words = [one.words for one in found if one.words is not None]
    assert all(one.word[0] == "cat" and one.detection[0] > 0.95 and one.near[0] > 0.9 for one in words)
    assert sum(bool(word) for one in words for word in one.word[1:]) <= 0.05 * len(words) * (ATOMS - 1)
    gains = np.array([one.information["category"] - one.shuffled["category"] for one in found])
    assert gains[:, 1:].mean() == pytest.approx(0, abs=0.002)
    f1 = np.array([one.factors["category"].f1 - one.factors["category"].chance for one in found])
    assert f1[:, 0].min() > 0.2 and f1[:, 1:].mean() < 0.02


def seen(seed: int, planted: bool) -> Seen:
    """Patches of noise, and of a red square in atom 0's."""
    rng = np.random.default_rng(seed)

    def patch(square: bool) -> np.ndarray:
        made = rng.integers(90, 160, (8, 8, 3)).astype(np.uint8)
        made[2:6, 2:6] = RED if square else made[2:6, 2:6]
        return made

    own = {a: [patch(planted and not a) for _ in range(8)] for a in range(ATOMS)}
    away = {a: [patch(False) for _ in range(8)] for a in range(ATOMS)}
    codes = {a: rng.uniform(0.2, 3, 8).tolist() for a in range(ATOMS)}
    return look(own, np.full(ATOMS, 0.1), trials=20, seed=seed, codes=codes, elsewhere=away)


def test_intruder_coherence_and_place_are_at_chance_for_noise_and_high_for_a_pattern() -> None:
    """Chance is 0.2, a z of 0, and 0.5."""
    nothing = [seen(seed, False) for seed in range(5)]
    assert np.mean([one.intruder for one in nothing]) == pytest.approx(0.2, abs=0.03)
    assert np.mean([one.z for one in nothing]) == pytest.approx(0, abs=0.25)
    assert np.mean([one.z > 2 for one in nothing]) < 0.1
    assert np.mean([one.place for one in nothing]) == pytest.approx(0.5, abs=0.04)
    for one in (seen(seed, True) for seed in range(2)):
        assert one.intruder[0] > 0.95 and one.z[0] > 5 and one.place[0] == 1


def test_codes_weigh_the_patches_of_an_atom() -> None:
    """Two red patches under large codes and six of noise: coherent by weight, not by number."""
    rng = np.random.default_rng(0)
    own = {a: [rng.integers(90, 160, (8, 8, 3)).astype(np.uint8) for _ in range(8)] for a in range(12)}
    for patch in own[0][:2]:
        patch[2:6, 2:6] = RED
    codes = {a: [5.0, 5.0, *[0.1] * 6] for a in own}
    weighted, plain = look(own, np.full(12, 0.1), codes=codes), look(own, np.full(12, 0.1))
    assert weighted.coherence[0] > 0.5 > plain.coherence[0] + 0.3


def shots(seed: int, planted: bool) -> list[_Shot]:
    """Codes on masks of two by two cells, or anywhere."""
    rng, made = np.random.default_rng(seed), []
    for number in range(20):
        mask = np.zeros((6, 6), dtype=bool)
        row, col = rng.integers(0, 5, 2)
        mask[row : row + 2, col : col + 2] = True
        codes = rng.random(36) + 5 * planted * mask.reshape(-1)
        made.append(_Shot(number, codes, rng.random(36), (6, 6), mask.reshape(-1)))
    return made


def test_location_and_its_fuzzing_are_at_chance_for_codes_by_lot() -> None:
    """True marks beat wrong ones half of the time; on planted codes nearly always, and each wrong way loses."""
    nothing = [_scored(shots(seed, False)) for seed in range(20)]
    assert np.mean([one.fuzzing for one in nothing]) == pytest.approx(0.5, abs=0.04)
    for field in ("precision", "elsewhere", "moved", "turned", "other"):
        lot = np.mean([getattr(one, field).mean() for one in nothing])
        assert lot == pytest.approx(np.mean([one.precision.mean() for one in nothing]), abs=0.03)
    right = _scored(shots(0, True))
    assert right.precision.mean() == 1 and right.fuzzing > 0.9
    assert max(right.elsewhere.mean(), right.moved.mean(), right.turned.mean(), right.other.mean()) < 0.5


def test_wrong_marks_are_moved_and_turned_as_a_whole() -> None:
    """By half the rectangle and by half a turn; every atom stands beside another one."""
    codes = np.arange(12.0)
    assert moved(codes, (3, 4)).reshape(3, 4)[1, 2] == 0 and turned(codes, (3, 4))[0] == 11
    assert sorted(moved(codes, (3, 4))) == sorted(turned(codes, (3, 4))) == codes.tolist()
    beside = partners(np.array([0.3, 0.1, 0.2, 0.9]))
    assert beside.tolist() == [3, 2, 0, 0]


def shown(rng: np.random.Generator, coloured: bool) -> Shown:
    """Noise with a red square; codes on it, or on two by two cells anywhere else."""
    picture = rng.integers(110, 145, (16, 16, 3)).astype(np.uint8)
    row, col, codes = *rng.integers(0, 3, 2), np.zeros((4, 4), dtype=np.float32)
    picture[4 * row : 4 * row + 4, 4 * col : 4 * col + 4] = RED
    at = (row, col) if coloured else ((row + 2) % 4, (col + 2) % 4)
    codes[at] = rng.uniform(1, 3)
    return Shown(picture, codes.reshape(-1), Frame(16, 16, 16, 16), Grid(4, 4, 4.0))


def many(seed: int, coloured: int) -> dict[int, list[Shown]]:
    """Five images of each of eight atoms; the first ones lie on the red square."""
    rng = np.random.default_rng(seed)
    return {a: [shown(rng, a < coloured) for _ in range(5)] for a in range(8)}


def test_a_judge_tells_planted_atoms_from_others_by_place_alone() -> None:
    """All pictures hold the same things: own marks score, every kind of wrong mark does not."""
    found = judged_by(Colour(), many(0, 4), many(1, 4), {a: many(2, 0)[a] for a in range(8)}, 0, lambda _: None)
    assert found.text[:4] == ("red",) * 4 and set(found.text[4:]) == {"grey"}
    assert found.location[:4].min() > 0.6
    assert max(found.moved[:4].max(), found.turned[:4].max(), found.swapped[:4].max()) < 0.5


@pytest.mark.parametrize("says", [0.0, 0.3, 1.0])
def test_the_published_score_is_a_half_for_a_judge_that_always_says_the_same(says: float) -> None:
    """As many negatives as positives: a half whatever is said; for the text of another atom too."""

    class Same(Colour):
        def score(self, picture: Marked, text: str) -> float:
            return says

    found = published_by(Same(), many(0, 8), many(1, 8), lambda _: None)
    assert found.score == pytest.approx(0.5) and found.dealt == pytest.approx(0.5)


class Album:
    """A judge that knows no concept: it remembers the pictures that it explained."""

    name = "album"

    def __init__(self) -> None:
        self._known: dict[str, set[bytes]] = {}

    def explain(self, pictures: Sequence[Marked]) -> str:
        """A name for these pictures."""
        self._known[text := str(len(self._known))] = {one.picture.tobytes() for one in pictures}
        return text

    def score(self, picture: Marked, text: str) -> float:
        """Whether it was among them."""
        return float(picture.picture.tobytes() in self._known[text])


def test_the_published_score_rewards_a_judge_that_remembers_and_the_held_out_one_does_not() -> None:
    """It judges what it explained, so that atoms of noise get 1; on images that were not explained they get a half."""
    noise, other = many(0, 0), many(1, 0)
    assert published_by(Album(), noise, other, lambda _: None).score.min() == 1
    held_out = judged_by(Album(), noise, other, other, 0, lambda _: None)
    assert held_out.published == pytest.approx(0.5)


def test_negatives_are_other_atoms_in_proportion_to_their_images() -> None:
    """Never the atom itself, none twice, none without an image; rarer ones less often."""
    images, rng, counts = np.array([5, 90, 10, 0, 40, 40, 40, 40]), np.random.default_rng(0), np.zeros(8)
    for _ in range(300):
        drawn = drawn_others(0, images, rng)
        assert len(set(drawn)) == 5 and not {0, 3} & set(drawn)
        counts[drawn] += 1
    assert counts[1] > counts[4] > counts[2]
    assert drawn_others(0, np.array([3, 2]), rng) == [1] and drawn_others(0, np.array([3, 0]), rng) == []


def test_the_histogram_counts_every_atom_that_is_ever_active() -> None:
    """The heights of the steps, read back from the drawing, are the counts; dead atoms are told; all dead draws."""
    density = np.array([0.0, 0.02, 0.02, 0.03, 0.5])
    drawn = frequencies({"a & b": density, "random": np.full(5, 0.2)}).decode()
    base, top = 186.0, 12.0
    first = re.findall(r'<path d="M[\d.]+ 186(.*?)V186" fill="#', drawn)[0]
    counts = [(base - float(y)) / (base - top) * 5 for y in re.findall(r"V([\d.]+)H", first)]
    assert sum(counts) == pytest.approx(4, abs=0.05) and max(counts) == pytest.approx(3, abs=0.02)
    assert "a &amp; b: 1 of 5 never active" in drawn and "random: 0 of 5 never active" in drawn
    assert "4 of 4 never active" in frequencies({"x": np.zeros(4)}).decode()
