"""Steering from the page on a random toy model: the same noise, the same pictures again by program and command."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import denoscope as ds
from denoscope.__main__ import main
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.dictionaries.pca import PCA
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.explorer.bundle.manifest import LayerEntry, Manifest
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.explorer.server.protocol import Cancelled
from denoscope.explorer.server.steered import known, picture_of
from denoscope.explorer.server.steershapes import ContrastAsk, SteerAsk, Steered
from denoscope.extract import extract
from denoscope.live import Workshop, steering
from denoscope.live.sources import facts_of, told_from
from denoscope.measures.statistics import Estimate
from denoscope.store.store import Store
from fakes import FakeModel

MODEL, SITE, SIZE = "toy-sd15", "up.2", 64
HELD: dict = {}
"""Models by name."""
HALF = "ff" * 4 + "00" * 4
"""The upper half of 8 x 8 cells."""


class Told:
    """A watch that writes down what it is told, and stops after so many words."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.words: list[tuple[int, int, str]] = []
        self.stop_after = stop_after

    def tell(self, done: int, total: int, message: str = "") -> None:
        """One word."""
        self.words.append((done, total, message))
        if self.stop_after is not None and len(self.words) > self.stop_after:
            raise Cancelled


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The toy at 64 pixels a side, loaded once."""
    from denoscope.models import loading

    real = loading.load

    def load(name, **options):
        if name not in HELD:
            HELD[name] = real(name)
            HELD[name].parts.native = SIZE
        return HELD[name]

    monkeypatch.setattr(ds, "load", load)
    monkeypatch.setattr(loading, "load", load)


@pytest.fixture
def home(tmp_path) -> Path:
    """A store with a dictionary of eight directions, and an empty bundle."""
    Blobs(tmp_path / "bundle").publish(Manifest("test", "random weights", "0"))
    Store(tmp_path / "store", create=True)
    width = next(info.channels for info in ds.load(MODEL).sites if info.name == SITE)
    made = PCA(atoms=8).fit([np.random.default_rng(0).normal(size=(400, width)).astype(np.float32)])
    made.about = {"site": SITE, "condition": {"timestep": 50}, "model": {"name": MODEL}}
    made.save(tmp_path / "store" / "dictionaries" / "eight")
    return tmp_path


def workshop(home: Path) -> Workshop:
    """The live side of a home."""
    return Workshop(Store(home / "store"), home / "bundle", home / "desk" / "images")


def asking(**changes) -> SteerAsk:
    """Two pictures, pushed along one direction."""
    push = {"source": "dictionaries/eight", "atom": 3, "strength": 1.5}
    told = {
        "prompt": "a cat",
        "pushes": [push],
        "pictures": 2,
        "seed": 3,
        "steps": 3,
        "guidance": 2.0,
        "control": False,
    }
    return SteerAsk(kind="steer", model=MODEL, **{**told, **changes})


def steered(home: Path, ask: SteerAsk, told: Told | None = None, live: Workshop | None = None) -> Steered:
    """One run, as it is kept."""
    made = (live or workshop(home)).run(ask, told or Told(), GrowingBundle(home / "bundle")).steered
    return next(run for run in known(home / "desk" / "steered") if run.id == made)


def pictures(home: Path, run: Steered, layer: str) -> np.ndarray:
    """Of one layer of a run."""
    paths = [picture_of(home / "desk" / "steered", run.id, layer, index) for index in range(run.ask.pictures)]
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def test_the_program_and_the_command_make_the_same_pictures(home, tmp_path, capsys):
    """To the bit, with a brush, a window of steps and one branch of guidance; without the push they are plain ones."""
    region = {"rows": 8, "cols": 8, "bits": HALF}
    run = steered(home, asking(region=region, window=[0, 2], branch="cond"))
    plain = ds.load(MODEL).generate(["a cat", "a cat"], steps=3, guidance=2.0, seed=3).images
    before, after = pictures(home, run, "before"), pictures(home, run, "after")
    assert (before == plain).all() and (after != before).any()
    space: dict = {}
    exec(run.python.replace('pictures.save("steered")', "made = pictures.images"), space)
    assert (space["made"] == after).all()
    assert main([*shlex.split(run.command)[1:], "--out", str(tmp_path / "again"), "--no-progress"]) == 0
    capsys.readouterr()
    assert (np.asarray(Image.open(tmp_path / "again" / "001-with.png")) == after[1]).all()


def test_a_push_of_nothing_changes_nothing(home):
    """Pixels, distance and codes stay, bit by bit; the steps and numbers that the model chose are told."""
    push = {"source": "dictionaries/eight", "atom": 3, "strength": 0.0}
    run = steered(home, asking(pushes=[push], guidance=None))
    assert (pictures(home, run, "before") == pictures(home, run, "after")).all()
    assert run.moved[0].steered.value == 0 and run.ask.guidance == ds.load(MODEL).parts.guidance
    assert run.moved[-1].steered == run.moved[-1].plain and run.moved[-1].plain.value == pytest.approx(1)
    assert [one.atom for one in run.atoms] == [3] and run.atoms[0].change.value == 0


def test_what_moved_is_measured_on_the_pictures(home):
    """Pixels in and beside the brush, and codes read from the finished pictures, against numpy; a control beside."""
    region = {"rows": 8, "cols": 8, "bits": HALF}
    run = steered(home, asking(region=region, control=True))
    before, after, control = (pictures(home, run, layer) for layer in ("before", "after", "control"))
    gap = np.abs(after.astype(float) - before).mean(axis=3)
    upper, lower = gap[:, : SIZE // 2].mean(), gap[:, SIZE // 2 :].mean()
    told = {one.name: one for one in run.moved}
    assert told["change of pixels inside the brush"].steered.value == pytest.approx(upper)
    assert told["change of pixels outside"].steered.value == pytest.approx(lower)
    other = np.abs(control.astype(float) - before).mean(axis=3)[:, : SIZE // 2].mean()
    assert told["change of pixels inside the brush"].control.value == pytest.approx(other) and other > 0
    assert told["distance from usual activations"].steered.value > 1
    made = workshop(home)._shelf.load("dictionaries/eight")
    codes = []
    for images in (before, after):
        block = ds.load(MODEL).read(list(images), SITE, Condition(timestep=50))[SITE].numpy()
        half = np.moveaxis(block[:, :, : block.shape[2] // 2], 1, -1)
        codes.append(made.encode(half.reshape(-1, half.shape[-1])).reshape(2, -1, 8).mean(axis=1))
    first = run.atoms[0]
    assert (first.atom, first.change.n) == (3, 2)
    for one in run.atoms:
        assert one.change.value == pytest.approx((codes[1] - codes[0])[:, one.atom].mean(), rel=1e-3, abs=1e-4)
    sizes = [abs(one.change.value) for one in run.atoms[1:]]
    assert sizes == sorted(sizes, reverse=True)


def test_pictures_without_a_push_are_made_once(home):
    """A stronger push costs its own passes alone; nothing is kept of a run that was stopped."""
    live, told = workshop(home), [Told(), Told(), Told(stop_after=2)]
    first, second = (steered(home, asking(seed=9), one, live) for one in told[:2])
    totals = [max(total for _, total, _ in one.words) for one in told[:2]]
    assert totals == [9, 3], "before, other noise and after; then after alone"
    assert (pictures(home, first, "after") == pictures(home, second, "after")).all()
    with pytest.raises(Cancelled):
        live.run(asking(seed=10), told[2], GrowingBundle(home / "bundle"))
    assert len(known(home / "desk" / "steered")) == 2
    bare = steered(home, asking(pushes=[], pictures=1), live=live)
    assert bare.layers == ["before"] and bare.moved == [] and bare.command == "" and "generate" in bare.python


def test_judges_say_what_pictures_show(home, monkeypatch):
    """Picture by picture, with their accuracy; models of another world are refused."""

    class Light:
        """Calls a picture by its mean."""

        accuracy = Estimate(0.9, 0.8, 0.95, 50)

        def __call__(self, images):
            return ["light" if np.mean(image) > 127 else "dark" for image in images]

    with pytest.raises(InputError, match="judges know the pictures of embedded"):
        workshop(home).run(asking(judge=True), Told(), GrowingBundle(home / "bundle"))
    monkeypatch.setattr(steering, "JUDGED", (MODEL,))
    monkeypatch.setattr("denoscope.live.workshop._judges", lambda: {"light": Light()})
    run = steered(home, asking(judge=True, control=True))
    (told,) = run.factors
    assert told.before == Light()(pictures(home, run, "before")) and told.after == Light()(pictures(home, run, "after"))
    assert len(told.control) == 2 and told.accuracy.n == 50


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"pushes": [{"source": "../secret"}]}, UnknownName, "no direction"),
        ({"pushes": [{"source": "dictionaries/eight", "atom": 8}]}, InputError, "0 ... 7"),
        ({"window": [3, 9]}, InputError, "never acts"),
        ({"branch": "uncond", "guidance": 1.0}, InputError, "without guidance"),
    ],
)
def test_what_cannot_be_pushed_is_said_in_one_line(home, changes, error, message):
    """And nothing is kept."""
    with pytest.raises(error, match=message):
        workshop(home).run(asking(**changes), Told(), GrowingBundle(home / "bundle"))
    assert known(home / "desk" / "steered") == []


def test_sources_tell_their_labels_where_these_are_theirs_for_sure(home):
    """A report of `interpret` that could be of two dictionaries is of neither."""
    table = {"atom": list(range(8)), "word": ["cat"] * 8, "q of the word": [0.01] * 4 + [0.5] * 4,
             "colour": ["red"] * 8, "F1 of colour": [0.9] * 6 + [0.1] * 2}  # fmt: skip
    report = Report("interpret-pca", {"site": SITE, "atoms": 8, "facts": ["colour"]}, (Score("a", 1, 1, 1, 1),),
                    {"recipe": "x"}, Origin.now(0.0), table=table)  # fmt: skip
    Store(home / "store").save(report)
    (one,) = workshop(home).sources()
    assert (one.id, one.site, one.model, one.atoms) == ("dictionaries/eight", SITE, MODEL, 8)
    assert one.labels == ["cat"] * 4 + ["red"] * 2 + [""] * 2
    again = PCA.load(home / "store" / "dictionaries" / "eight")
    again.save(home / "elsewhere" / "twin")
    given = Workshop(
        Store(home / "store"), home / "bundle", home / "desk" / "images", dictionaries=[home / "elsewhere" / "twin"]
    )
    assert [(source.id, source.labels) for source in given.sources()] == [
        ("dictionaries/eight", []),
        ("given/0-twin", []),
    ]


def test_a_direction_from_labels_is_that_of_class_means(tmp_path):
    """Of the pictures that the store holds, and only facts that tell some from others are offered."""
    folder = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index in range(3):
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / name / f"{index}.png")
    store = extract(FakeModel(), str(folder), ["mid"], [50], out=tmp_path / "s", progress=False)
    layer = LayerEntry(
        id="a", model="fake", site="mid", stream="image", level="50", condition={"timestep": 50}, channels=1,
        stride=1.0, share=1.0, share_of="rank", mean="", mean_square=0.0, bands=(1,), error={}, packs={},
        recipe=store.recipes[0].digest,
    )  # fmt: skip
    (fact,) = facts_of(store, layer)
    assert (fact.fact, fact.values) == ("category", {"cat": 3, "dog": 3})
    made = told_from(store, layer, ContrastAsk(layer="a", fact="category", value="dog"))
    x, ids = store.get("mid", timestep=50).pool().numpy(), store.get("mid", timestep=50).ids
    gap = np.mean([v for v, name in zip(x, ids, strict=True) if "dog" in name], axis=0) - np.mean(
        [v for v, name in zip(x, ids, strict=True) if "cat" in name], axis=0
    )
    assert made.atoms[0] == pytest.approx(gap / np.linalg.norm(gap), abs=1e-5) and str(made.site) == "mid"
    for fact_name, value in (("colour", "red"), ("category", "cow")):
        with pytest.raises(UnknownName):
            told_from(store, layer, ContrastAsk(layer="a", fact=fact_name, value=value))
