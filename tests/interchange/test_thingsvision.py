"""Files that thingsvision itself wrote: its own code, taken from the installed package without what that imports."""

import importlib.util
import sys
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from denoscope.interchange.importing import import_features


def _part(name: str) -> ModuleType:
    """A module of the package by its file: the package as a whole wants TensorFlow and old versions of all else."""
    try:
        path = metadata.distribution("thingsvision").locate_file(f"thingsvision/{name}.py")
    except metadata.PackageNotFoundError:
        pytest.skip("thingsvision is not installed")
    spec = importlib.util.spec_from_file_location(f"thingsvision_{name.replace('/', '_')}", str(path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["npy", "pt", "txt", "mat", "hdf5"])
def test_what_save_features_wrote_is_read_back(tmp_path, kind):
    """Its list of names by its own data set's helper, its five kinds of files by `save_features`."""
    store, names = _part("utils/storing/helpers"), _part("utils/data/helpers")
    rows = np.random.default_rng(0).standard_normal((6, 5), dtype=np.float32)
    pictures = [f"p{number}.jpg" for number in range(6)]
    names.make_instance_dataset("/pictures", str(tmp_path), pictures)
    store.save_features(torch.tensor(rows) if kind == "pt" else rows, str(tmp_path), kind)
    found = import_features(tmp_path, "thingsvision", out=tmp_path / "s", site="visual").get()
    assert found.ids == tuple(f"p{number}" for number in range(6)) and np.array_equal(found.values, rows)


class _Any:
    """Stands for an annotation of torchtyping."""

    def __class_getitem__(cls, _: Any) -> type:
        return cls


def _extractor(modules: dict[str, torch.nn.Module]) -> Any:
    """Its extraction loop around a few layers."""
    typing: Any = ModuleType("torchtyping")
    typing.TensorType = _Any
    sys.modules.setdefault("torchtyping", typing)
    base = _part("core/extraction/base").BaseExtractor

    class Extractor(base):
        def _extract_batch(self, batch: Any, module_names: Any, flatten_acts: Any = False) -> Any:
            return {name: modules[name](batch).detach() for name in module_names}

        def get_backend(self) -> str:
            return "pt"

        def get_module_names(self) -> Any:
            return list(modules)

    Extractor.__abstractmethods__ = frozenset()  # pyright: ignore[reportAttributeAccessIssue]
    return Extractor("cpu", None)


@pytest.mark.parametrize("merged", [False, True])
def test_what_its_extraction_wrote_is_read_back(tmp_path, merged):
    """Two modules at once, in chunks whose names count wrongly for the second, or merged: every row, in order."""
    torch.manual_seed(0)
    layers: dict[str, torch.nn.Module] = {"conv": torch.nn.Conv2d(3, 4, 3, padding=1), "late": torch.nn.Flatten()}
    batches = [torch.randn(2, 3, 8, 8) for _ in range(5)]
    (tmp_path / "file_names.txt").write_text("".join(f"{number}.png\n" for number in range(10)))
    _extractor(layers).extract_features(
        batches, module_names=list(layers), output_dir=str(tmp_path), step_size=2, save_in_one_file=merged
    )
    store = import_features(tmp_path, "thingsvision", out=tmp_path / "s")
    for name, layer in layers.items():
        assert np.array_equal(store.get(name).values, layer(torch.cat(batches)).detach().numpy())
    assert store.get("conv").layout == "grid" and store.get("late").layout == "pooled"
