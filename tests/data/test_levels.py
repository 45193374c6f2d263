"""Levels: choices with their level, participant and time, each beside its own triplet; what is wrong is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from denoscope.core.errors import InputError, UnknownName
from denoscope.data.base import open_data
from denoscope.data.levels import LEVELS
from denoscope.data.twins._levels import rows_of_twin, world_of_twin
from twinned import twin

__all__ = ["twin"]


@pytest.fixture
def copy(twin, tmp_path) -> Path:
    """A copy of the twin to be changed."""
    return Path(shutil.copytree(twin("levels"), tmp_path / "levels"))


def told(samples) -> list[tuple]:
    """Names of the three, the odd one, level, and seconds of every choice, in any order."""
    found = []
    for index in range(len(samples)):
        facts = samples.facts(index)
        for (b, c, odd, _), (level, seconds) in zip(facts["triplets"], facts["trials"], strict=True):
            names = [samples.ids[number] for number in (index, b, c)]
            found.append((*names, samples.ids[odd], LEVELS.splits[int(level)], round(float(seconds), 3)))
    return sorted(found)


def test_every_choice_keeps_its_level_and_time(twin) -> None:
    """Protects the join: rows go with their own trial, whichever picture they are listed at."""
    names = lambda three: [f"{number:02d}" for number in three]  # noqa: E731
    expected = [(*names(three), names(three)[odd], level, round(seconds, 3))
                for three, odd, level, _, seconds in rows_of_twin()]  # fmt: skip
    samples = open_data(f"levels:{twin('levels')}")
    assert told(samples) == sorted(expected) and len(expected) == 216
    assert samples.counts()["choices, fine"] == 72 and samples[0].facts["level_names"] == list(LEVELS.splits)
    people = np.concatenate([samples.facts(index)["triplets"][:, 3] for index in range(len(samples))])
    assert set(people.tolist()) == set(range(12))


def test_pictures_go_with_their_numbers(twin) -> None:
    """Protects what numbers mean."""
    samples, world = open_data(f"levels:{twin('levels')}"), world_of_twin()
    for index in (0, len(samples) - 1):
        assert np.array_equal(samples[index].image, world[int(samples.ids[index])].image)


def test_one_level_has_its_own_choices(twin) -> None:
    """Protects the splits: triplets of one class alone are fine ones."""
    category = [kind[0] for kind in world_of_twin().kinds]
    fine = told(open_data(f"levels:{twin('levels')}:fine"))
    assert len(fine) == 72 and {row[4] for row in fine} == {"fine"}
    assert all(len({category[int(name)] for name in row[:3]}) == 1 for row in fine)


def test_what_is_missing_is_left_out_and_counted(copy) -> None:
    """Protects the counts: a picture that is not there takes its choices with it; times and people may be unknown."""
    whole = told(open_data(f"levels:{copy}"))
    (copy / "images/07.png").unlink()
    samples = open_data(f"levels:{copy}")
    kept = [row for row in whole if "07" not in row[:3]]
    assert told(samples) == kept and samples.skipped["07.png"] == "picture missing"
    assert f"{len(whole) - len(kept)} choices" in samples.skipped
    lines = (copy / "levels.csv").read_text().splitlines()
    (copy / "levels.csv").write_text("\n".join(line.rsplit(",", 2)[0] for line in lines))
    trials = np.concatenate([open_data(f"levels:{copy}").facts(k)["trials"] for k in range(len(samples))])
    assert np.isnan(trials[:, 1]).all() and len(trials) == len(kept)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda row: [*row[:3], "0", *row[4:]], "odd is 1, 2 or 3"),
        (lambda row: [*row[:3], "x", *row[4:]], "odd is 1, 2 or 3"),
        (lambda row: [row[0], row[0], *row[2:]], "names an object twice"),
        (lambda row: [*row[:6], "soon"], "response_time is seconds"),
        (lambda row: [*row[:6], "2310"], "milliseconds"),
        (lambda row: [*row[:4], "finer", *row[5:]], "did you mean fine"),
    ],
)
def test_tables_that_mean_something_else_are_refused(copy, change, reason: str) -> None:
    """Protects against silent nonsense, in one line."""
    head, *lines = (copy / "levels.csv").read_text().splitlines()
    (copy / "levels.csv").write_text("\n".join([head, *(",".join(change(line.split(","))) for line in lines)]))
    with pytest.raises((InputError, UnknownName), match=reason) as raised:
        open_data(f"levels:{copy}")
    assert "\n" not in str(raised.value)


def test_a_folder_of_something_else_is_refused(copy) -> None:
    """Protects against a wrong path, a table without columns, and no choices."""
    (copy / "levels.csv").write_text("image1,image2,image3,level\na,b,c,fine\n")
    with pytest.raises(InputError, match="lacks odd"):
        open_data(f"levels:{copy}")
    (copy / "levels.csv").write_text("image1,image2,image3,odd,level\n")
    with pytest.raises(InputError, match="no choices"):
        open_data(f"levels:{copy}")
    with pytest.raises(UnknownName, match="coarse"):
        open_data(f"levels:{copy}:course")
    (copy / "levels.csv").unlink()
    with pytest.raises(InputError, match=r"has no levels\.csv"):
        open_data(f"levels:{copy}")
