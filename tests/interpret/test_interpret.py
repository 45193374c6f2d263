"""Planted atoms are named, located and told apart; atoms that know nothing get no name."""

import re
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.errors import InputError, UnknownName
from denoscope.dictionaries.topk import TopK
from denoscope.interpret import interpret
from denoscope.interpret.naming import factors_of
from denoscope.interpret.patches import cut, look
from denoscope.interpret.telling import beside_of
from squares import CHANNELS, THINGS, dictionary, samples, stored

THINGS_LIST = list(THINGS)


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> ds.Report:
    """Of the planted store."""
    return interpret(stored(tmp_path_factory.mktemp("planted") / "s", 3.0), dictionary(), data=samples(), looked=12)


def test_atoms_are_named_after_what_they_were_planted_for(report) -> None:
    """By a word and by a class; their detection on images that named nothing is nearly perfect."""
    assert report.table["word"][:3] == list(THINGS)
    assert not any(report.table["word"][3:])
    assert report.table["category"][:3] == list(THINGS)
    assert min(report.table["F1 of category"][:3]) > 0.95
    assert report["F1 of category"].low > report["F1 of category, every image"].high
    assert report["detection"].value > 0.98
    assert report["atoms with a word, captions of other images"].value == 0


def test_atoms_are_active_where_their_thing_is(report) -> None:
    """And not where another image shows one; a code by lot earns the mask's share."""
    assert report["location"].value > 0.95
    assert report["location, mask of another image"].value < 0.35
    assert report["location, codes by lot"].value == pytest.approx(4 / 64, abs=0.01)
    assert np.isnan(report.table["location"][3:]).all()


def test_patches_of_a_planted_atom_look_alike(report) -> None:
    """Red squares among noise; atoms of noise have patches of anything."""
    assert min(report.table["intruder"][:3]) > 0.9
    assert min(report.table["coherence, z"][:3]) > 3
    assert max(report.table["coherence, z"][3:]) < 4
    assert report["atoms with a word, random atoms"].n == CHANNELS
    assert list(report.figures) == ["Scores beside random atoms and chance", "Images in which atoms are strongest, and "
                                    "where", "How often atoms are active"]  # fmt: skip


def test_scores_stand_beside_random_atoms_and_their_chance(report) -> None:
    """Each with its own control: every image called by the class, a half, a fifth, the mask of another image."""
    rows = {row.own.name: row for row in beside_of(report.scores)}
    assert rows["F1 of category"].chance == report["F1 of category, every image"].value
    assert (rows["detection"].chance, rows["intruder found"].chance, rows["used atoms"].chance) == (0.5, 0.2, None)
    assert rows["location"].chance == report["location, mask of another image"].value
    assert rows["intruder found"].random == report["intruder found, random atoms"]
    assert not any("," in name for name in rows) and "coherence in z" not in rows


def test_the_page_has_a_card_per_atom(report, tmp_path) -> None:
    """Named atoms first, with images from strong to weak and every score beside its chance; random atoms last."""
    store = stored(tmp_path / "s", 3.0)
    ds.interpret(store, dictionary(), data=samples(), looked=6, cards=5, out=tmp_path / "o", save=False)
    page = (tmp_path / "o" / "atoms.html").read_text()
    cards = re.findall(r'<article class="(\w+)" id="\w+-(\d+)"(.*?)</article>', page, flags=re.DOTALL)
    assert [kind for kind, _, _ in cards] == ["learned"] * 5 + ["random"] * 6
    assert {int(atom) for _, atom, _ in cards[:3]} == {0, 1, 2}
    assert all(f"<h2>{THINGS_LIST[int(atom)]}</h2>" in told for _, atom, told in cards[:3])
    assert all("no name" in told for _, _, told in cards[3:5])
    assert cards[0][2].count('class="pic ') == 9 and "<small>weak</small>" in cards[0][2]
    assert 'data-detection="1.0' in cards[0][2] or 'data-detection="0.9' in cards[0][2]
    assert "http://" not in page and "https://" not in page


def test_noise_gets_no_words(tmp_path) -> None:
    """Activations without anything planted: no word, and classes no better than calling every image by them."""
    found = interpret(stored(tmp_path / "s", 0.0), dictionary(), data=samples(), looked=6)
    assert found["atoms with a word"].value == 0
    assert found["F1 of category"].low <= found["F1 of category, every image"].high
    assert "location" not in [score.name for score in found.scores]


def test_intruders_among_patches_without_pattern_are_found_by_lot() -> None:
    """A fifth of the time, and coherence is that of its null."""
    rng = np.random.default_rng(3)
    patches = {a: list(rng.integers(0, 255, (8, 8, 8, 3)).astype(np.uint8)) for a in range(30)}
    seen = look(patches, np.full(30, 0.1))
    assert seen.intruder.mean() == pytest.approx(0.2, abs=0.05)
    assert abs(seen.z.mean()) < 0.6


def test_patches_stay_within_the_picture() -> None:
    """A patch at the corner is moved inwards, never cut short."""
    picture = np.arange(10 * 20 * 3, dtype=np.uint16).astype(np.uint8).reshape(10, 20, 3)
    assert cut(picture, 0.0, 1.0, 0.4).shape == (4, 4, 3)
    assert (cut(picture, 0.0, 1.0, 0.4) == picture[:4, 16:]).all()


def test_what_cannot_be_interpreted_is_refused_with_the_reason(tmp_path) -> None:
    """A dictionary of nowhere, another width, values without cells, no pictures."""
    store = stored(tmp_path / "s", 1.0)
    nowhere, narrow = dictionary(), TopK(atoms=4, k=1)
    nowhere.about = {}
    with pytest.raises(InputError, match="which site"):
        interpret(store, nowhere, data=samples())
    narrow.weights = {"atoms": np.eye(4, dtype=np.float32), "encoder": np.eye(4, dtype=np.float32),
                      "bias": np.zeros(4, np.float32)}  # fmt: skip
    narrow.about = dictionary().about
    with pytest.raises(InputError, match="12 channels"):
        interpret(store, narrow, data=samples())
    with pytest.raises(InputError, match="samples in memory"):
        interpret(store, dictionary())
    dictionary().save(tmp_path / "d")
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"facts": ("categry",)}, "did you mean category"),
        ({"facts": ("category,colour",)}, "no fact of the images"),
        ({"caption": "captions"}, "did you mean caption"),
        ({"compat": True}, "give one"),
        ({"acted_steps": 3}, "model"),
    ]
    for wrong, message in wrongs:
        with pytest.raises((InputError, UnknownName), match=message) as caught:
            interpret(store, dictionary(), data=samples(), **wrong)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="the store comes first"):
        interpret(tmp_path / "d", tmp_path / "s", data=samples())
    told = [{"id": str(i), "kind": "a"} for i in range(40)]
    for name, message in (("id", "has 40 classes"), ("kind", "has 1 classes"), ("size", "no fact")):
        with pytest.raises((InputError, UnknownName), match=message):
            factors_of(told, [name])
    assert factors_of(told, []) == {}
