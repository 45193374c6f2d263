"""Other programs on what `convert` writes, where they are installed (`make nightly`)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denoscope.extract import extract
from denoscope.interchange.converting import convert
from denoscope.store import Store
from fakes import FakeModel, Pictures

COLUMN = "up.1 timestep=50"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Ten pictures of one size."""
    return extract(FakeModel(), Pictures(10), "*", [0, 50], out=tmp_path_factory.mktemp("s"), progress=False)


@pytest.fixture(scope="module")
def rows(store, tmp_path_factory) -> Path:
    """The one Parquet file of its conversion."""
    return next(convert(store, tmp_path_factory.mktemp("r") / "rows", "datasets", progress=False).rglob("*.parquet"))


def wanted(store: Store) -> Any:
    """Values of one column."""
    return store.get("up.1", timestep=50).values


def test_dask_computes_on_a_store_and_on_its_zarr(store, tmp_path) -> None:
    """Chunks follow what is stored; a mean over all of it is that of the values."""
    pytest.importorskip("dask")
    xarray = pytest.importorskip("xarray")
    from denoscope.interchange.xarrays import StoreBackend

    out = convert(store, tmp_path / "z", "zarr", progress=False)
    group = f"{store.recipes[0].digest}/16x16"
    for data in (
        xarray.open_dataset(store.place.url, engine=StoreBackend, chunks={}),
        xarray.open_zarr(out, group=group),
    ):
        assert type(data["up.1"].data).__module__.startswith("dask") and data["up.1"].chunks[:2] == ((1, 1), (10,))
        np.testing.assert_array_equal(data["up.1"].compute().values[1], wanted(store))
        np.testing.assert_allclose(data["up.1"].mean("sample").values[1], wanted(store).mean(0), atol=1e-6)


def test_polars_reads_the_rows(store, rows) -> None:
    """Lists of lists, and words."""
    table = pytest.importorskip("polars").read_parquet(rows)
    assert table["id"].to_list() == list(store.ids) and set(table["category"]) == {"cat", "dog", "bird"}
    np.testing.assert_array_equal(np.array(table[COLUMN].to_list(), dtype=np.float32), wanted(store))


def test_duckdb_asks_the_rows(store, rows) -> None:
    """A query by a fact gives the values of those images alone."""
    duckdb = pytest.importorskip("duckdb")
    found = duckdb.sql(f"""select id, "{COLUMN}" from '{rows}' where category = 'cat' order by size""").fetchall()
    assert [name for name, _ in found] == list(store.find(category="cat"))
    values = store.get("up.1", timestep=50, ids=store.find(category="cat")).values
    np.testing.assert_array_equal(np.array([value for _, value in found], dtype=np.float32), values)


def test_pandas_reads_the_rows(store, rows) -> None:
    """As arrays of arrays."""
    table = pytest.importorskip("pandas").read_parquet(rows)
    assert table.id.tolist() == list(store.ids)
    first = np.array([[line.tolist() for line in plane] for plane in table[COLUMN][0]], dtype=np.float32)
    np.testing.assert_array_equal(first, wanted(store)[0])
