"""A dictionary becomes a panel: its codes are those that it gives, and nothing is made twice."""

import shutil
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from denoscope.bundling import Wanted, bundle
from denoscope.bundling.atoms import named
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, StoreError
from denoscope.core.recipe import Origin
from denoscope.core.report import Report, Score
from denoscope.data.base import open_data
from denoscope.dictionaries.digest import digest_of
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.random import RandomAtoms
from denoscope.dictionaries.rows import Rows
from denoscope.dictionaries.temporal import Temporal
from denoscope.explorer.bundle.atoms import known_atoms, numbers_of, shown_codes
from denoscope.explorer.bundle.reader import Bundle
from denoscope.explorer.export import export_page, page_folder
from denoscope.explorer.server.growing import GrowingBundle
from denoscope.extract import extract
from denoscope.live.atoms import join_galleries
from denoscope.live.sources import Shelf
from denoscope.store.store import Store
from fakes import FakeModel


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Nine pictures of two shapes at two noise levels."""
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(9):
        size = (24, 16) if index % 2 else (16, 32)
        pixels = np.random.default_rng(index).integers(255, size=(*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    out = tmp_path_factory.mktemp("store") / "s"
    return extract(FakeModel(channels=24), str(folder), ["mid"], [0, 50], out=out, progress=False)


def _made(store: Store, seed: int = 0) -> RandomAtoms:
    """Directions by chance, with codes by pursuit."""
    made = RandomAtoms(atoms=20, k=4)
    atoms = np.random.default_rng(seed).normal(size=(20, 24))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    made.weights = {"atoms": atoms.astype(np.float32), "bias": np.zeros(24, np.float32)}
    made.about = {"site": "mid", "condition": Condition(timestep=50).to_dict(), "recipe": store.recipes[0].digest}
    return made


def _panels(store: Store, folder, *made, images: int = 4):
    shown = Bundle(bundle(store, folder, Wanted(images=images, dictionaries=made)))
    return shown, known_atoms(shown.blobs, shown.manifest.panels)


def test_codes_are_those_of_the_dictionary_on_every_image(store, tmp_path) -> None:
    """Images that are shown keep their picture, others get a small one; `left` over `power` is FVU."""
    made = _made(store)
    shown, (panel,) = _panels(store, tmp_path, made)
    assert [image.id for image in panel.images] == list(store.ids) and panel.of == 9 and panel.channels == 24
    assert panel.layer == shown.layer("mid@50").id and panel.signed
    own = {image.id: image.file for image in shown.manifest.images}
    assert len(own) == 4 and all(own[image.id] == image.file for image in panel.images if image.id in own)
    left: list[np.ndarray] = []
    cells: list[np.ndarray] = []
    for image in panel.images:
        x = store.get("mid", timestep=50, ids=[image.id]).tokens().numpy()[0]
        codes, found = made.encode(x), shown_codes(shown.blobs, panel, image.id)
        dense = np.stack([found.of(atom) for atom in range(20)], axis=1)
        np.testing.assert_allclose(dense, codes, rtol=2e-3, atol=2e-3)
        assert len(x) == image.rows * image.cols
        left.append(found.left)
        cells.append(x)
    x = np.concatenate(cells)
    fvu = np.square(x - made.reconstruct(x)).sum() / np.square(x - x.mean(axis=0)).sum()
    assert np.concatenate(left).mean() / panel.power == pytest.approx(fvu, rel=1e-3)
    assert [(level.level, level.learned) for level in panel.levels] == [("0", False), ("50", True)]
    numbers = numbers_of(shown.blobs, panel)
    other = np.stack([(made.encode(store.get("mid", timestep=0, ids=[image.id]).tokens().numpy()[0]) > 0).mean(axis=0)
                      for image in panel.images])  # fmt: skip
    np.testing.assert_allclose(numbers["levels"], [numbers["density"], other.mean(axis=0)][::-1], atol=1e-3)


def test_a_second_time_nothing_is_coded(store, tmp_path, monkeypatch) -> None:
    """The panel stays, also when no dictionary is named; another one stands beside it; exports have all files."""
    first, (panel,) = _panels(store, tmp_path / "b", _made(store))
    monkeypatch.setattr("denoscope.bundling.atoms.coded", None)
    again, same = _panels(store, tmp_path / "b", _made(store))
    assert again.manifest == first.manifest and same == [panel]
    assert _panels(store, tmp_path / "b")[1] == [panel]
    monkeypatch.undo()
    shown, both = _panels(store, tmp_path / "b", _made(store, 1))
    assert len({found.name for found in both}) == 2
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("")
    monkeypatch.setattr("denoscope.explorer.export.page_folder", lambda: tmp_path / "page")
    out = export_page(shown.blobs.folder, tmp_path / "site")
    assert all((out / "bundle" / name).is_file() for found in both for name in found.files)
    assert page_folder() != tmp_path / "page"


def test_what_interpret_said_of_this_very_dictionary_goes_along(store, tmp_path) -> None:
    """Words, classes and scores by atom; a report on other weights does not count, and its absence is told."""
    made = _made(store, 2)
    assert "interpret" in _panels(store, tmp_path / "before", made)[1][0].notes[0]
    table = {"atom": range(20), "word": ["cat"] * 20, "detection": [None, *[0.75] * 19], "density": [0.5] * 20}
    report = Report(
        "interpret-random", {"site": "mid", "atoms": 20, "images": 9}, (Score("covered atoms", 0.5, 0.4, 0.6, 20),),
        {"recipe": store.recipes[0].digest, "dictionary": digest_of(made)}, Origin.now(0.0), table,
    )  # fmt: skip
    name = store.save(report)
    shown, (panel,) = _panels(store, tmp_path / "after", made)
    assert panel.texts == {"word": ("cat",) * 20} and not panel.notes
    column = next(column for column in panel.columns if column.key == "detection")
    assert "over 9 images" in column.says
    found = numbers_of(shown.blobs, panel)["detection"]
    assert np.isnan(found[0]) and (found[1:] == 0.75).all()
    assert panel.scores[-1]["name"] == "covered atoms" and panel.scores[-1]["report"] == "interpret"
    assert not _panels(store, tmp_path / "after", _made(store, 3))[1][-1].texts
    assert name in store.reports


def test_atoms_of_itda_show_where_they_were_born(store, tmp_path) -> None:
    """The birthplace, and a tile of the very pixels; what is not known is blank."""
    made = ITDA(atoms=3, k=2)
    atoms = np.eye(3, 24, dtype=np.float32)
    made.weights = {"atoms": atoms, "bias": np.zeros(24, np.float32), "loss": np.ones(3, np.float32)}
    made.about = _made(store).about
    made.births = {"sample": ["0.png", "gone.png", None], "cell": [5, 1, None], "timestep": [50.0, 50.0, None]}
    shown, (panel,) = _panels(store, tmp_path, made)
    assert panel.births is not None
    assert (panel.births.images, panel.births.cells) == (("0.png", "gone.png", None), (5, 1, None))
    with Image.open(tmp_path / panel.births.sheets[0]) as sheet:
        pixels = np.asarray(sheet).astype(int)
    tile = panel.births.tile
    drawn = BytesIO()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(drawn, "WEBP")
    made.pictures = {1: drawn.getvalue()}
    _, (again,) = _panels(store, tmp_path / "drawn", made)
    assert again.births is not None
    with Image.open(tmp_path / "drawn" / again.births.sheets[0]) as sheet:
        assert np.abs(np.asarray(sheet)[tile // 2, tile + tile // 2].astype(int) - (10, 200, 30)).max() < 12
    assert pixels[:tile, :tile].std() > 20 and pixels[:tile, tile : 2 * tile].std() < 2
    assert shown.manifest.files >= set(panel.files)


def test_a_dictionary_that_knows_the_noise_is_asked_at_its_level(store, tmp_path) -> None:
    """`Temporal` has other codes at other levels; those of the panel are the level's own."""
    made = Temporal(atoms=20, k=4, cells=128, batch=64, device="cpu")
    x = {level: store.get("mid", timestep=level, ids=["0.png"]).tokens().numpy()[0] for level in (0, 50)}
    made.fit([Rows(rows, np.full(len(rows), level, np.float32)) for level, rows in x.items()])
    made.about = {**_made(store).about, "timesteps": [0, 50]}
    shown, (panel,) = _panels(store, tmp_path, made)
    found = shown_codes(shown.blobs, panel, "0.png")
    dense = np.stack([found.of(atom) for atom in range(20)], axis=1)
    np.testing.assert_allclose(dense, made.at(50).encode(x[50]), rtol=5e-3, atol=5e-3)
    assert all(level.learned for level in panel.levels)


def test_pictures_that_are_read_later_join_the_gallery(tmp_path) -> None:
    """Coded as the others are, last, and not counted; a dictionary whose folder is gone keeps its panel."""
    (tmp_path / "pictures").mkdir()
    for index in range(5):
        pixels = np.random.default_rng(index).integers(255, size=(16, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{index}.png")
    data, model = open_data(str(tmp_path / "pictures")), FakeModel(channels=24)
    store = extract(model, [data[0], data[1], data[2]], ["mid"], [50], out=tmp_path / "s", progress=False)
    made = _made(store)
    made.save(tmp_path / "s" / "dictionaries" / "chance")
    shown, (panel,) = _panels(store, tmp_path / "b", made)
    assert panel.counted == len(panel.images) == 3
    extract(model, [data[3], data[4]], ["mid"], [50], out=tmp_path / "s", progress=False)
    growing, shelf = GrowingBundle(shown.blobs.folder), Shelf(store, tmp_path / "desk")
    assert join_galleries(store, growing, shelf, ["4.png", "0.png", "elsewhere"]) == 1
    (grown,) = known_atoms(growing.blobs, growing.manifest.panels)
    assert [image.id for image in grown.images] == ["0.png", "1.png", "2.png", "4.png"]
    assert (grown.counted, grown.numbers, grown.key) == (3, panel.numbers, panel.key)
    late = next(volume for volume in Store(tmp_path / "s").volumes if "4.png" in volume.table.position)
    x = store.refresh().get("mid", timestep=50, recipe=late.recipe, ids=["4.png"]).tokens().numpy()[0]
    dense = np.stack([shown_codes(growing.blobs, grown, "4.png").of(atom) for atom in range(20)], axis=1)
    np.testing.assert_allclose(dense, made.encode(x), rtol=2e-3, atol=2e-3)
    assert join_galleries(store, growing, shelf, ["4.png"]) == 0
    shutil.rmtree(tmp_path / "s" / "dictionaries")
    assert join_galleries(store, growing, shelf, ["3.png"]) == 0


def test_bad_dictionaries_are_one_line(store, tmp_path) -> None:
    """No folder, no site, another width: told before anything is packed."""
    with pytest.raises(StoreError, match="this store's own: none"):
        named(store, tmp_path / "nothing")
    made = _made(store)
    made.save(tmp_path / "kept")
    assert digest_of(named(store, tmp_path / "kept")) == digest_of(made) != digest_of(_made(store, 1))
    nowhere = _made(store)
    nowhere.about = {}
    with pytest.raises(InputError, match="does not say at which site"):
        _panels(store, tmp_path / "b", nowhere)
    narrow = _made(store)
    narrow.weights = {name: array[..., :20] for name, array in narrow.weights.items()}
    with pytest.raises(InputError, match="24 channels here, but the dictionary reads 20"):
        _panels(store, tmp_path / "b", narrow)
