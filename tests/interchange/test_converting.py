"""A store in other formats: what other packages read there is, to the bit, what `Store.get` gives."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denoscope.cli import main
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.extract import extract
from denoscope.interchange import zarrs
from denoscope.interchange.converting import convert
from denoscope.interchange.stacks import stacks
from denoscope.store import Keep, Store
from denoscope.store.room import NeedsRoom
from fakes import FakeModel, Pictures

SIZES = ((16, 16), (20, 40))
CONDITIONS = (Condition(timestep=0), Condition(timestep=50, draws=3, reduce="all"), Condition(timestep=90))


class Labelled(Pictures):
    """Facts of every kind: words, numbers with gaps, lists, a name that is taken, a mixture."""

    def __getitem__(self, index: int, /) -> Any:
        sample = super().__getitem__(index)
        more = {"score": index / 3, "half": index if index % 2 else None, "id": f"own-{index}", "flag": index > 4,
                "mixed": "one" if index % 3 else 1, "box": [index, 2], "a name": "ü"}  # fmt: skip
        return replace(sample, facts={**sample.facts, **more})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Two canvas sizes, one of them padded; conditions with one draw and with three; text tokens as well."""
    return filled(tmp_path_factory.mktemp("store"), Keep(dtype="bf16"), conditions=CONDITIONS)


def filled(folder: Path, keep: Keep, **options: Any) -> Store:
    """Ten pictures in shards of four."""
    sites = ["*", "txt"]
    return extract(
        FakeModel(), Labelled(10, SIZES), sites, out=folder, keep=keep, shard_size=4, progress=False, **options
    )


def wanted(store: Store, canvas: str, site: str, condition: Condition) -> tuple[list[str], Any]:
    """Ids and values of one canvas size, draws apart, as the store gives them."""
    volume = store.volumes[0]
    rows = np.flatnonzero(volume.table.groups == canvas)
    ids = [volume.table.ids[row] for row in rows]
    values = store.get(site, condition, ids=ids).values
    return ids, values.reshape(len(ids), -1, *values.shape[1:]) if condition.draws > 1 else values


def test_zarr_is_equal_and_labelled(store, tmp_path) -> None:
    """Every array as `get` gives it; ids, facts, frames, masks and recipe beside it, and xarray finds its way."""
    xarray = pytest.importorskip("xarray")
    zarr = pytest.importorskip("zarr")
    out = convert(store, tmp_path / "acts.zarr", "zarr", progress=False)
    recipe = store.recipes[0]
    root = zarr.open_group(str(out), mode="r")
    assert root[recipe.digest].attrs["recipe"] == json.loads(recipe.to_json())
    for canvas in ("16x16", "40x24"):
        for draws, numbers in ((1, (0, 2)), (3, (1,))):
            data = xarray.open_zarr(out, group=f"{recipe.digest}/{canvas}-{draws}draws", chunks=None)
            assert data.condition.values.tolist() == list(numbers)
            for site in ("mid", "up.1", "up.3", "txt"):
                for number in numbers:
                    ids, values = wanted(store, canvas, site, CONDITIONS[number])
                    found = data[site].sel(condition=number)
                    assert data.sample.values.tolist() == ids and found.dtype == np.float32
                    np.testing.assert_array_equal(found.values, values)
    data = xarray.open_zarr(out, group=f"{recipe.digest}/40x24-1draws", chunks=None)
    assert data["up.1"].dims == ("condition", "sample", "up.1.channel", "up.1.row", "up.1.col")
    assert data.timestep.values.tolist() == [0, 90] and data.attrs["canvas"] == "40x24"
    acts = store.get("up.1", CONDITIONS[0], ids=data.sample.values.tolist())
    np.testing.assert_array_equal(data["up.1.mask"].values, acts.mask)
    np.testing.assert_array_equal(data.frame.values, [frame.values for frame in acts.frames])
    assert data["up.1"].attrs["stride"] == acts.grid.stride
    told = store.facts()
    for i, name in enumerate(data.sample.values.tolist()):
        assert json.loads(data.facts.values[i]) == told[name]
        assert data.category.values[i] == told[name]["category"] and bool(data.flag.values[i]) == told[name]["flag"]
        assert data.half.values[i] == told[name]["half"] or (
            np.isnan(data.half.values[i]) and told[name]["half"] is None
        )
    assert "mixed" not in data and "box" not in data and data["a name"].values[0] == "ü"


@pytest.mark.parametrize(
    "keep", [Keep("pooled", "fp32"), Keep("cells", "fp16", cells=3), Keep("tokens", "int8")], ids=str
)
def test_every_way_of_keeping(keep, tmp_path) -> None:
    """Pooled vectors of mixed canvases in one array, some cells with their indices, int8 as it is decoded."""
    zarr = pytest.importorskip("zarr")
    store = filled(tmp_path / "store", keep, timesteps=[0, 50])
    out = convert(store, tmp_path / "out.zarr", "zarr", sites=["up.1", "txt"], progress=False)
    arrays = convert(store, tmp_path / "npy", "npy", sites="up.1", progress=False)
    for canvas in ("all",) if keep.layout == "pooled" else ("16x16", "40x24"):
        group = zarr.open_group(str(out), mode="r")[store.recipes[0].digest][canvas]
        assert "mid" not in group
        ids, values = wanted(store, canvas, "up.1", store.conditions[1])
        np.testing.assert_array_equal(group["up.1"][1], values)
        np.testing.assert_array_equal(np.load(next(arrays.glob(f"*/{canvas}/up.1.1.npy")), mmap_mode="r"), values)
        if keep.layout == "cells":
            np.testing.assert_array_equal(group["up.1.cells"][:], store.cells("up.1", ids=ids)[0])


def test_xarray_reads_a_store_where_it_lies(store, tmp_path, monkeypatch) -> None:
    """The same as its conversion, label for label, and only the samples that are picked are read."""
    xarray = pytest.importorskip("xarray")
    from denoscope.interchange.xarrays import StoreBackend, open_xarray

    digest = store.recipes[0].digest
    out = convert(store, tmp_path / "acts.zarr", "zarr", progress=False)
    for group in ("40x24-1draws", "16x16-3draws"):
        whole = xarray.open_zarr(out, group=f"{digest}/{group}", chunks=None)
        lazy = xarray.open_dataset(store.place.url, engine=StoreBackend, group=f"{digest[:8]}/{group}")
        assert set(lazy.variables) == set(whole.variables) and lazy.attrs == whole.attrs
        for name in whole.variables:
            assert lazy[name].dims == whole[name].dims and lazy[name].attrs == whole[name].attrs
            np.testing.assert_array_equal(lazy[name].values, whole[name].values)
    lazy = open_xarray(store, f"{digest}/40x24-1draws")["up.1"]
    asked: list[int] = []
    read = type(store.volumes[0]).read
    monkeypatch.setattr("denoscope.store.volume.Volume.read",
                        lambda self, site, c, rows: asked.extend(rows) or read(self, site, c, rows))  # fmt: skip
    cells = {"up.1.row": slice(1, 6, 2), "up.1.channel": 2, "up.1.col": [3, 0]}
    picked = lazy.isel(condition=[1, 0], sample=[4, 1], **cells)
    assert not asked
    found = picked.values
    assert set(asked) == set(store.volumes[0].table.locate(["picture-9", "picture-3"]))
    late, early = (wanted(store, "40x24", "up.1", CONDITIONS[number])[1] for number in (2, 0))
    np.testing.assert_array_equal(found, np.stack([late, early])[:, [4, 1]][:, :, 2, 1:6:2][..., [3, 0]])
    np.testing.assert_array_equal(lazy.isel(condition=0, sample=-1).values, early[-1])
    with pytest.raises(InputError, match="several groups lie here; say which: group="):
        open_xarray(store)
    with pytest.raises(UnknownName, match=r"no group 'x/y'"):
        open_xarray(store, "x/y")


def test_datasets_reads_every_row(store, tmp_path) -> None:
    """A configuration per canvas, arrays with their shapes, facts as columns; names that are taken step aside."""
    datasets = pytest.importorskip("datasets")
    out = convert(store, tmp_path / "hf", "datasets", progress=False)
    told = json.loads((out / "denoscope.json").read_text())
    digest = store.recipes[0].digest
    assert told["recipes"][digest] == json.loads(store.recipes[0].to_json()) and len(told["configs"]) == 4
    facts, data = store.facts(), None
    for config, about in told["configs"].items():
        files = [str(path) for path in sorted((out / "data" / config).glob("*.parquet"))]
        data = datasets.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache")).with_format("numpy")
        assert f'config_name: "{config}"' in (out / "README.md").read_text()
        for column, what in about["columns"].items():
            condition = Condition.from_dict(what["condition"])
            ids, values = wanted(store, about["canvas"], what["site"], condition)
            assert list(data["id"]) == ids and column == f"{what['site']} {condition}"
            np.testing.assert_array_equal(np.stack(list(data[column])), values)
        for row in data:
            assert json.loads(row["facts"]) == facts[row["id"]] and row["fact.id"] == facts[row["id"]]["id"]
    assert data is not None and "mixed" not in data.column_names and np.stack(list(data["up.1 mask"])).dtype == bool


def test_arrays_are_mapped_by_numpy_alone(store, tmp_path) -> None:
    """A file per site and condition that numpy maps, a line per row that says which image it is."""
    out = convert(store, tmp_path / "npy", "npy", recipe=store.recipes[0].digest[:6], progress=False)
    folders = sorted(path.parent for path in out.glob("*/*/arrays.json"))
    assert len(folders) == 4
    for folder in folders:
        about = json.loads((folder / "arrays.json").read_text())
        rows = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
        for array in about["arrays"]:
            ids, values = wanted(store, about["canvas"], array["site"], Condition.from_dict(array["condition"]))
            found = np.load(folder / array["file"], mmap_mode="r")
            assert [row["id"] for row in rows] == ids and len(array["axes"]) == found.ndim
            np.testing.assert_array_equal(found, values)
        assert all(row["facts"] == store.facts()[row["id"]] for row in rows)


def test_shards_of_zarr_are_written_once_and_whole(store, monkeypatch, tmp_path) -> None:
    """With chunks of two samples and shards of four, nothing but the layout changes; no array is read at one go."""
    zarr = pytest.importorskip("zarr")
    monkeypatch.setattr(zarrs, "_CHUNK", 2 * 4 * 4 * 4 * 4)
    monkeypatch.setattr(zarrs, "_SHARD", 4 * 4 * 4 * 4 * 4)
    asked: list[int] = []
    read = type(next(stacks(store))).read
    monkeypatch.setattr("denoscope.interchange.stacks.Stack.read",
                        lambda self, t, n, a, b: asked.append((b - a) * t.bytes) or read(self, t, n, a, b))  # fmt: skip
    out = convert(store, tmp_path / "small.zarr", "zarr", sites=["up.1"], progress=False)
    group = zarr.open_group(str(out), mode="r")[store.recipes[0].digest]["16x16-1draws"]
    assert group["up.1"].chunks == (1, 2, 4, 4, 4) and group["up.1"].shards == (1, 4, 4, 4, 4)
    np.testing.assert_array_equal(group["up.1"][0], wanted(store, "16x16", "up.1", CONDITIONS[0])[1])
    assert max(asked) <= 4 * 3 * 4 * 6 * 10 * 4  # one shard, of the larger canvas with three draws


def test_what_cannot_be_converted_is_told(store, tmp_path, capsys) -> None:
    """A format, site or recipe that does not exist, a folder in use, a full disk; nothing is left lying about."""
    with pytest.raises(UnknownName, match="no format 'zar'; did you mean zarr"):
        convert(store, tmp_path / "x", "zar", progress=False)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownName, match=r"no site 'up\.7'"):
        convert(store, tmp_path / "x", "zarr", sites="up.7", progress=False)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with pytest.raises(InputError, match="holds something already; say a new folder"):
        convert(store, tmp_path / "used", "zarr", progress=False)
    with pytest.raises(InputError, match="push it to the Hub afterwards"):
        convert(store, "hf://datasets/me/x", "zarr", progress=False)
    with pytest.raises(NeedsRoom, match="name fewer sites"):
        convert(store, tmp_path / "x", "npy", most_disk=0.0, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["used"]
    assert (
        main(
            ["convert", str(store.place.url), str(tmp_path / "made"), "--to", "npy", "--sites", "mid", "--no-progress"]
        )
        == 0
    )
    assert capsys.readouterr().out.startswith("npy  ") and len(list((tmp_path / "made").rglob("mid.*.npy"))) == 6


def test_a_conversion_that_is_stopped_leaves_nothing(store, monkeypatch, tmp_path) -> None:
    """The folder appears when it is whole; after an interruption the same call makes it."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("denoscope.interchange.stacks.Stack.frames", stop)
        with pytest.raises(KeyboardInterrupt):
            convert(store, tmp_path / "out", "npy", progress=False)
    assert not list(tmp_path.iterdir())
    assert convert(store, tmp_path / "out", "npy", progress=False).exists()
