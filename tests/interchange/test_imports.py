"""Features of other programs arrive unchanged, in the right cells of the right pictures; what nobody knows is said."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import denoscope as ds
from denoscope.bundling import bundle
from denoscope.cli import main
from denoscope.core.activations import Activations
from denoscope.core.errors import DenoscopeError, InputError, UnknownName
from denoscope.core.frame import Grid
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.evaluate.again import extracting
from denoscope.evaluate.latents import model_of
from denoscope.evaluate.running import Bench
from denoscope.evaluate.spots import Spot
from denoscope.interchange.imported.generic import site_of
from denoscope.interchange.imported.laying import Laying
from denoscope.interchange.imported.sd_dino import DINO, SITES
from denoscope.interchange.importing import import_features
from denoscope.models.coordinates import Canvas, frame_of
from denoscope.store.choose import choose
from denoscope.tasks.correspondence import Correspondence
from denoscope.tasks.probe import Probe
from foreign import dift_categories, dift_each, generic, padded, sd_dino, squeezed, thingsvision, torchvision_crop

NAMES = [f"{kind}/{number}" for kind in ("cat", "dog") for number in range(6)]


def _random(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.fixture(scope="module")
def maps() -> dict[str, NDArray[np.float32]]:
    """A map of six channels for each picture."""
    return {name: _random(6, 4, 4, seed=number) for number, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of several shapes."""
    root = tmp_path_factory.mktemp("pictures")
    for number, name in enumerate(NAMES):
        (root / name).parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (40 + 7 * number, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{name}.png")
    return root


def test_values_of_dift_arrive_bit_by_bit_under_the_ids_of_the_pictures(tmp_path, maps, pictures):
    """Both ways in which DIFT saves; frames are those of a stretched picture."""
    told = {"site": "dift:1", "timestep": 261, "model": "sd21"}
    each = import_features(dift_each(tmp_path / "a", maps), "DIFT", out=tmp_path / "s", data=pictures, **told)
    grouped = import_features(dift_categories(tmp_path / "b", maps), "dift", out=tmp_path / "t", data=pictures, **told)
    for store in (each, grouped):
        found = store.get("up.1", timestep=261)
        assert found.ids == tuple(f"{name}.png" for name in NAMES)
        assert np.array_equal(found.values, np.stack([maps[name] for name in NAMES]))
        assert found.frames[3] == frame_of(64, 61, Canvas(policy="stretch", size=768))
        assert found.grid == Grid(4, 4, 192.0) and found.mask.all()
        assert store.find(category="dog") == tuple(f"{name}.png" for name in NAMES[6:])


def test_what_is_assumed_and_what_nobody_knows_is_recorded_and_said_in_reports(tmp_path, maps, pictures):
    """Nothing is filled in without a word, and no score is shown without it."""
    folder = dift_each(tmp_path / "f", maps)
    store = import_features(folder, "dift", out=tmp_path / "s", data=pictures, site="up.1", timestep="unknown", draws=8)
    model = store.recipes[0].model
    assert model["unknown"] == ["model", "prompt", "seed", "timestep"] and model["assumed"] == {"size": [768]}
    usual = import_features(folder, "dift", out=tmp_path / "u", usual=True).recipes[0]
    assert usual.conditions[0]["timestep"] == 261 and usual.conditions[0]["draws"] == 8
    assert usual.model["assumed"].keys() == {"site", "timestep", "draws", "prompt", "model", "size"}
    spot = Spot(store, *choose(store.volumes, "up.1", {}))
    report = Bench(Probe(fact="category", folds=3)).each([spot])[0].report
    assert any("imported from files of dift" in note and "unknown: model, prompt, seed, timestep" in note
               for note in report.notes)  # fmt: skip
    with pytest.raises(InputError, match="imported from files of dift, which hold no model"):
        model_of(store.recipes[0], "the baseline 'latents'", "VAE")


def test_scores_on_imported_features_are_those_on_features_that_were_put(tmp_path):
    """Pairs, keypoints and frames meet: the same values through our own store give the same correspondence."""
    samples = [_pointed(number) for number in range(6)]
    maps = {sample.id: _smooth(sample) for sample in samples}
    folder = dift_categories(tmp_path / "f", maps)
    store = import_features(folder, "dift", out=tmp_path / "s", data=samples, site="up.1", timestep=261)
    frames = tuple(frame_of(s.image.shape[1], s.image.shape[0], Canvas(policy="stretch", size=768)) for s in samples)
    condition = ds.Condition(timestep=261)
    values = np.stack([maps[sample.id] for sample in samples])
    recipe = Recipe({"name": "m"}, {}, {}, ("up.1",), (condition.to_dict(),), {"layout": "grid", "dtype": "fp32"})
    acts = Activations(
        Site("up.1"), condition, values, tuple(s.id for s in samples), "grid", frames, Grid(12, 12, 64.0), recipe=recipe
    )
    own = ds.Store(tmp_path / "own", create=True)
    own.put([acts], samples=samples)
    facts = [sample.facts for sample in samples]
    found, due = (Correspondence().run(one.get("up.1"), facts).scores for one in (store, own))
    assert [(s.name, s.value, s.n) for s in found] == [(s.name, s.value, s.n) for s in due]
    assert found[0].value > 0.7 and found[0].n == 6  # found again, within a cell or two


def _pointed(number: int) -> Sample:
    """Four spots of four colours on black, elsewhere in every picture, and the pair with the next picture."""
    spots = _spots(number)
    image = np.zeros((90 + 6 * number, 120, 3), dtype=np.uint8)
    for colour, (x, y) in enumerate(spots):
        image[y - 9 : y + 9, x - 9 : x + 9] = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)][colour]
    other = (number + 1) % 6
    points = [
        [str(k), *map(float, a), *map(float, b)] for k, (a, b) in enumerate(zip(spots, _spots(other), strict=True))
    ]
    pair = {"target": f"cat/{other}", "points": points, "facts": {}}
    return Sample(f"cat/{number}", image, {"category": "cat", "pairs": [pair], "box": (10, 10, 110, 80)})


def _spots(number: int) -> list[tuple[int, int]]:
    chance = np.random.default_rng(number)
    order = chance.permutation([(25, 25), (95, 25), (25, 65), (95, 65)])
    return [(int(x + dx), int(y + dy)) for (x, y), (dx, dy) in zip(order, chance.integers(-8, 9, (4, 2)), strict=True)]


def _smooth(sample: Sample) -> NDArray[np.float32]:
    """Colours of 12 x 12 cells, with a little noise: something to match by."""
    small = squeezed(sample.image, 12, 12).transpose(2, 0, 1).astype(np.float32)
    return np.concatenate([small, _random(2, 12, 12, seed=len(sample.id))])


def _lit(width: int, height: int, x: int, y: int) -> NDArray[np.uint8]:
    """A black picture with a white spot whose middle is (x, y)."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[y - 6 : y + 6, x - 6 : x + 6] = 255
    return image


def _middle(canvas: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centre of what is lit, (x, y) px."""
    light = canvas[..., 0].astype(float)
    rows, cols = np.indices(light.shape) + 0.5
    return np.array([(cols * light).sum(), (rows * light).sum()]) / light.sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 180), st.integers(60, 180), st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_frames_map_pixels_to_where_the_program_itself_puts_them(width: int, height: int, right: float, down: float):
    """A spot is looked up where each program's own preprocessing puts it, whatever the picture's shape."""
    x, y = round(right * width), round(down * height)
    image = _lit(width, height, x, y)
    cases = [
        (Laying("stretch", 128, 128), squeezed(image, 128, 128)),
        (Laying("stretch", 128, 96), squeezed(image, 128, 96)),
        (Laying("pad", 128, 128), padded(image, 128)),
        (Laying("pad", 128, 128, mirrored=True), padded(image[:, ::-1], 128)),
        (Laying("crop", 112, 112, 128), torchvision_crop(image, 128, 112)),
    ]
    for laying, canvas in cases:
        frame = laying.frame(width, height)
        cells = frame.to_cells((x, y), Grid(canvas.shape[0], canvas.shape[1], 1.0))
        if laying.policy != "crop" or ((cells > 14).all() and (cells < 98).all()):
            assert np.abs(cells - _middle(canvas)).max() < 0.6, laying


def test_padding_of_sd_dino_is_masked_and_mirrored_maps_lie_as_the_pictures_do(tmp_path, pictures):
    """Cells beyond a picture are no cells of it, and a mirrored picture's cells come back to where they belong."""
    sizes = {"s5": (3, 15), "s4": (4, 30), "s3": (5, 60)}
    layers = {name: {k: _random(c, n, n, seed=i) for k, (c, n) in sizes.items()} for i, name in enumerate(NAMES)}
    tokens = {name: _random(7, 60, 60, seed=i) for i, name in enumerate(NAMES)}
    folder = sd_dino(tmp_path / "features", layers, tokens)
    sd_dino(folder, {name: {k: v[..., ::-1].copy() for k, v in m.items()} for name, m in layers.items()}, {}, "_flip")
    store = import_features(folder, "sd-dino", out=tmp_path / "s", data=pictures, usual=True)
    assert {str(site) for site in store.sites} == {SITES["s3"], SITES["s4"], SITES["s5"], DINO}
    found = store.get(SITES["s3"], timestep=50)
    assert np.array_equal(found.values[2], layers[NAMES[2]]["s3"]) and found.grid == Grid(60, 60, 16.0)
    # 64 x 40 px on 960 x 960: 600 rows of pixels in the middle, from row 180; 37.5 cells, from cell 11.25 on
    assert found.mask[0].any(axis=1).tolist() == [11 <= row < 49 for row in range(60)]
    assert store.get(DINO, clean=True).grid == Grid(60, 60, 14.0)
    mirrored = import_features(
        folder, "sd-dino", out=tmp_path / "m", data=pictures, flipped=True, timestep=50
    ).get(SITES["s4"], timestep=50)  # fmt: skip
    upright, at = store.get(SITES["s4"], timestep=50), np.array([20.3, 31.7])
    for number in range(4):  # whose margins are equally wide on both sides
        values, (r, c) = upright.values[number], upright.frames[number].cell_at(at, upright.grid)
        other, (r2, c2) = mirrored.values[number], mirrored.frames[number].cell_at(at, mirrored.grid)
        assert (r2, c2) == (r, 29 - c) and np.array_equal(values[:, r, c], other[:, r2, c2])
    assert np.array_equal(mirrored.mask[:4], upright.mask[:4, :, ::-1])


def test_padding_is_not_guessed_without_the_pictures(tmp_path):
    """What only the pictures' shapes tell is refused without them, before anything is written."""
    folder = sd_dino(tmp_path / "f", {"a": {"s4": _random(3, 30, 30)}}, {})
    with pytest.raises(InputError, match=r"padding.*data="):
        import_features(folder, "sd-dino", out=tmp_path / "s", usual=True)
    assert not (tmp_path / "s").exists()


LAYERS = {
    "up-level1-repeat1-vit-block0-cross-q": (6, 4),
    "up-level2-upsampler-out": (3, 8),
    "up-level1-repeat1-res-out": (5, 4),
}


def test_three_layouts_of_generic_diffusion_feature_are_one(tmp_path, pictures):
    """By layer, by picture, and joined; half precision stays exact."""
    layers = {
        layer: {name.replace("/", "-"): _random(c, n, n, seed=i).astype(np.float16) for i, name in enumerate(NAMES)}
        for layer, (c, n) in LAYERS.items()
    }
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in NAMES:
        (flat / f"{name.replace('/', '-')}.png").write_bytes((pictures / f"{name}.png").read_bytes())
    told = {"timestep": 50, "size": 512, "data": flat}
    stores = {
        order: import_features(
            generic(tmp_path / order, layers, order), "generic-diffusion-feature", out=tmp_path / f"s-{order}",
            **told, **({"site": "up.1"} if order == "joined" else {}),
        )
        for order in ("layer", "name", "joined")
    }  # fmt: skip
    for layer, (_, side) in LAYERS.items():
        due = np.stack([layers[layer][name.replace("/", "-")] for name in NAMES])
        for order in ("layer", "name"):
            found = stores[order].get(site_of(layer))
            assert np.array_equal(found.values, due) and found.grid == Grid(side, side, 512 / side)
    assert stores["layer"].recipes[0].keep["dtype"] == "fp16"
    assert stores["joined"].get("up.1").shape == (12, 14, 8, 8)


def test_layers_of_generic_diffusion_feature_mean_sites_that_models_have():
    """Every name that its configuration of SD-1.5 lists, and those of a DiT, is a site here; only its input is not."""
    unet, dit = ds.load("toy-sd15").taps.keys(), ds.load("toy-pixart").taps.keys()
    inside = [f"{a}-{b}" for a in ("self", "cross") for b in ("q", "k", "v", "map")] + ["ffn-inner", "out"]
    names = ["unet-after-conv-in", "unet-out", "mid-repeat0-res-out", "mid-repeat1-res-increment", "mid-vit-out"]
    names += [f"mid-vit-block0-{part}" for part in inside]
    names += [f"down-level{i}-downsampler-out" for i in range(3)] + [f"up-level{i}-upsampler-out" for i in range(3)]
    for stage, repeats, without in (("down", 2, 3), ("up", 3, 0)):
        for place in (f"{stage}-level{i}-repeat{j}" for i in range(4) for j in range(repeats)):
            names += [f"{place}-res-out", f"{place}-res-increment"]
            if f"level{without}" not in place:
                names += [f"{place}-vit-out", *(f"{place}-vit-block0-{part}" for part in inside)]
    assert [name for name in names if site_of(name) not in unet] == [] and len(names) == 226
    assert [name for name in (f"vit-block0-{part}" for part in inside) if site_of(name) not in dit] == []
    assert site_of("unet-in") == "unet-in" and site_of("vae-out") == "vae-out"


def test_a_picture_that_lacks_a_layer_is_left_out_and_listed(tmp_path, pictures, caplog):
    """An extraction that was cut off costs the pictures that it cost, and they are named."""
    layers = {layer: {name: _random(c, n, n) for name in NAMES} for layer, (c, n) in LAYERS.items()}
    folder = generic(tmp_path / "f", layers, "name")
    next((folder / NAMES[3]).glob("*.npy")).unlink()
    (folder / NAMES[5]).rename(folder / "dog" / "elsewhere")
    store = import_features(folder, "generic-diffusion-feature", out=tmp_path / "s", data=pictures, timestep=50)
    assert "1 features are of no picture" in caplog.text
    assert len(store.ids) == 10 and store.skipped.keys() == {f"{NAMES[3]}.png", f"{NAMES[5]}.png"}
    assert store.skipped[f"{NAMES[3]}.png"].startswith("no up.") and store.skipped[f"{NAMES[5]}.png"] == "no features"


@pytest.mark.parametrize("kind", ["npy", "pt", "txt", "mat", "hdf5"])
def test_matrices_of_thingsvision_arrive_from_every_kind_of_file(tmp_path, kind):
    """Rows keep their names and values."""
    names, rows = [f"{kind}{number}" for kind in "ab" for number in range(3)], _random(6, 5)
    folder = thingsvision(tmp_path / "f", rows, [f"{name}.jpg" for name in names], kind)
    store = import_features(folder, "thingsvision", out=tmp_path / "s", site="visual", model="clip-vit-b32")
    found = store.get("visual")
    assert found.layout == "pooled" and found.ids == tuple(names) and np.array_equal(found.values, rows)
    assert found.condition == ds.Condition(clean=True, noise="none")


def test_paths_of_thingsvision_become_ids_and_categories(tmp_path):
    """Data sets of classes list whole paths of another machine."""
    names = [f"/data/things/{kind}/{number}.JPG" for kind in ("ant", "bee") for number in range(6)]
    folder = thingsvision(tmp_path / "f", _random(12, 5), names)
    store = import_features(folder, "thingsvision", out=tmp_path / "s", site="unknown")
    assert store.ids[:2] == ("ant/0", "ant/1") and store.find(category="bee") == tuple(f"bee/{n}" for n in range(6))


def test_tokens_of_thingsvision_fill_a_grid_where_it_is_said_which_are_none(tmp_path, pictures):
    """A class token is no cell, and nobody guesses that there is one."""
    rows = _random(len(NAMES), 17, 5)
    folder = thingsvision(tmp_path / "f", rows, [f"{name}.png" for name in NAMES])
    plain = import_features(folder, "thingsvision", out=tmp_path / "s", data=pictures, site="blocks.11")
    assert plain.get().layout == "tokens" and np.array_equal(plain.get().values, rows)
    grid = import_features(folder, "thingsvision", out=tmp_path / "g", data=pictures, site="blocks.11", drop_tokens=1)
    assert np.array_equal(grid.get().values[0, :, 1, 2], rows[0, 1 + 6]) and grid.get().grid == Grid(4, 4, 56.0)
    with pytest.raises(InputError, match="no square"):
        import_features(folder, "thingsvision", out=tmp_path / "x", data=pictures, site="b", drop_tokens=2)


def test_chunks_of_thingsvision_are_joined_and_lost_rows_are_noticed(tmp_path):
    """Its files of several modules may lack rows under names that do not tell."""
    rows = _random(7, 5)
    (tmp_path / "f" / "features.10").mkdir(parents=True)
    thingsvision(tmp_path / "f", rows, [f"{number}.jpg" for number in range(7)])
    (tmp_path / "f" / "features.npy").unlink()
    for start, end in ((0, 4), (4, 7)):
        np.save(tmp_path / "f" / "features.10" / f"features_{start}-{end}.npy", rows[start:end])
    store = import_features(tmp_path / "f", "thingsvision", out=tmp_path / "s")
    assert np.array_equal(store.get("features.10").values, rows)
    np.save(tmp_path / "f" / "features.10" / "features_4-7.npy", rows[6:])
    with pytest.raises(InputError, match="one module at a time"):
        import_features(tmp_path / "f", "thingsvision", out=tmp_path / "t")


def test_rows_without_names_need_a_word_on_their_order(tmp_path, pictures):
    """A row is never given to a picture by guessing."""
    folder = thingsvision(tmp_path / "f", _random(len(NAMES), 5), [])
    (folder / "file_names.txt").unlink()
    with pytest.raises(InputError, match=r"file_names.txt.*ordered=True"):
        import_features(folder, "thingsvision", out=tmp_path / "s", data=pictures, site="v")
    store = import_features(folder, "thingsvision", out=tmp_path / "s", data=pictures, site="v", ordered=True)
    assert store.ids == tuple(f"{name}.png" for name in NAMES)


def test_what_was_interrupted_goes_on_and_what_is_there_stays(tmp_path, maps, pictures):
    """A shard that is lost is made again, the others are not touched."""
    folder, told = dift_each(tmp_path / "f", maps), {"site": "up.1", "timestep": 261, "data": pictures, "shard_size": 5}
    store = import_features(folder, "dift", out=tmp_path / "s", **told)
    shards = sorted(Path(tmp_path / "s").glob("*/shards/*.safetensors"))
    before = {path: path.stat().st_mtime_ns for path in shards}
    whole = store.get("up.1").values
    shards[1].unlink()
    again = import_features(folder, "dift", out=tmp_path / "s", **told)
    assert np.array_equal(again.get("up.1").values, whole) and len(shards) == 3
    assert shards[0].stat().st_mtime_ns == before[shards[0]]


def test_other_features_have_another_address(tmp_path, maps):
    """Equal recipes mean equal values, so files are part of the address."""
    told = {"site": "up.1", "timestep": 261, "out": tmp_path / "s"}
    import_features(dift_each(tmp_path / "f", maps), "dift", **told)
    changed = {name: values + 1 for name, values in maps.items()}
    store = import_features(dift_each(tmp_path / "f", changed), "dift", **told)
    assert len(store.recipes) == 2


def test_the_explorer_shows_them_on_their_pictures(tmp_path, maps, pictures):
    """A bundle of imported features has its pictures and says whose features they are."""
    store = import_features(
        dift_each(tmp_path / "f", maps), "dift", out=tmp_path / "s", data=pictures, site="up.1", timestep=261
    )
    said: list[str] = []
    folder = bundle(store, tmp_path / "b", say=said.append)
    assert "dift features" in (folder / "manifest.json").read_text() and not any("grey" in line for line in said)


class Trap:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("trapped"),))  # pyright: ignore[reportReturnType]


def test_nothing_in_a_file_is_run(tmp_path, monkeypatch):
    """Files of strangers are data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").mkdir()
    torch.save(Trap(), tmp_path / "f" / "a.pt")
    with pytest.raises(InputError, match="cannot be read as an array"):
        import_features(tmp_path / "f", "dift", out=tmp_path / "s", usual=True)
    np.save(tmp_path / "f" / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as an array"):
        import_features(tmp_path / "f", "sd-dino", out=tmp_path / "s", usual=True, data=[_sample("a")])
    assert not (tmp_path / "trapped").exists()


def _sample(name: str) -> Sample:
    return Sample(name, np.zeros((8, 8, 3), dtype=np.uint8))


def test_bad_input_is_refused_in_one_line(tmp_path, maps, pictures):
    """With what exists, and what to say."""
    folder = dift_each(tmp_path / "f", maps)
    told = {"site": "up.1", "timestep": 261}

    def refused(
        match: str, error: type[DenoscopeError] = InputError, at: Path = folder, how: str = "dift", **said: object
    ):
        with pytest.raises(error, match=match) as found:
            import_features(at, how, out=tmp_path / "s", **{**told, **said})  # pyright: ignore[reportArgumentType]
        assert "\n" not in str(found.value)

    refused("did you mean dift", UnknownName, how="difft")
    refused("no folder", at=tmp_path / "nowhere")
    refused("do not tell the timestep.*261.*unknown", timestep=None)
    refused("do not tell the site", site="")
    refused("pictures are named like 'zebra', features like 'cat/0'", data=[_sample("zebra")])
    refused("square", at=dift_each(tmp_path / "g", {"a": _random(3, 4, 6)}))
    refused("has shape", at=dift_each(tmp_path / "h", {"a": _random(3, 4)}))
    refused("size is one side", size=(1, 2, 3))
    refused("argument of import_features", UnknownName, sight="up.1")
    assert not (tmp_path / "s").exists()
    refused("fit two pictures", data=[_sample("a/cat/0"), _sample("b/cat/0")])
    store = import_features(tmp_path / "g", "dift", out=tmp_path / "ok", size=(768, 512), **told)
    assert store.get().grid == Grid(4, 6, 128.0)


def test_the_command_says_what_it_made_and_what_it_could_not(tmp_path, maps, pictures, capsys):
    """Flags, the remark, what to do next, and what is skipped; the report's recipe is told as a command."""
    folder = dift_each(tmp_path / "f", {name: maps[name] for name in NAMES[1:]})
    words = ["import", "dift", str(folder), "--out", str(tmp_path / "s"), "--data", str(pictures), "--usual"]
    assert main([*words, "--timestep", "unknown", "--pooled", "--dtype", "bf16"]) == 0
    out = capsys.readouterr().out
    assert "unknown: seed, timestep." in out and f"skipped {NAMES[0]}.png: no features" in out
    assert f"denoscope evaluate TASK {tmp_path / 's'} --site up.1" in out
    store = ds.Store(tmp_path / "s")
    assert store.recipes[0].keep == {"layout": "pooled", "dtype": "bf16", "pool": "mean"}
    assert store.recipes[0].model["name"] == "dift features of sd21, noise level unknown"
    assert "denoscope import dift FOLDER" in extracting(store.volumes[0], str(tmp_path / "s"))
    assert main(["import", "dift", str(folder), "--out", str(tmp_path / "s"), "--site", "up.1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
