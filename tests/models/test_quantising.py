"""A quantised model is another model: its recipe says so, its values are near and do not depend on the batch."""

import sys
from typing import Any

import numpy as np
import pytest
import torch

import denoscope as ds
from denoscope.core.errors import MissingPackage, UnknownName
from denoscope.models.loading import untrained
from denoscope.models.quantising import QUANTISATIONS, is_quantised

PROMPTED = ds.Condition(timestep=50, prompt="a cat")


def values(model: Any, sites: list[str], **options: Any) -> Any:
    """Three pictures, read at some sites."""
    scenes = ds.open_data("menagerie:test", 3)
    return {name: found.numpy() for name, found in model.read(list(scenes), sites, PROMPTED, **options).items()}


def gap(one: Any, other: Any) -> float:
    """Relative error."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def test_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not exist, and a package that is not installed, in one line each."""
    with pytest.raises(UnknownName, match="no quantisation 'int9'; did you mean int8"):
        ds.load("toy-sd15", quantise="int9")
    for name, found in QUANTISATIONS.items():
        monkeypatch.setitem(sys.modules, found.package, None)
        with pytest.raises(MissingPackage, match=r"denoscope\[quant\]"):
            ds.load("toy-sd15", quantise=name)


@pytest.mark.parametrize(("name", "most"), [("int8", 0.05), ("fp8", 0.2), ("nf4", 0.6)])
@pytest.mark.parametrize("model", ["toy-sd15", "toy-flux-dev", "embedded"])
def test_near_the_model_and_equal_in_any_batch(model: str, name: str, most: float) -> None:
    """Denoiser and T5 are quantised and CLIP is not; the recipe tells; values are another's, by a little."""
    pytest.importorskip(QUANTISATIONS[name].package)
    plain, found = ds.load(model), ds.load(model, quantise=name)
    site = "dit.s.0.img" if "flux" in model else "mid"
    assert is_quantised(found.parts.denoiser) and not is_quantised(found.parts.vae)
    large = [text.name for text in found.parts.text if "T5" in type(text.encoder).__name__]
    told = found.recipe["quantised"]
    assert told == {"as": name, "by": QUANTISATIONS[name].package, "parts": ["denoiser", *large]}
    assert {**found.recipe, "quantised": None} == {**plain.recipe, "quantised": None}
    together, alone = values(found, [site])[site], values(found, [site], batch_size=1)[site]
    assert gap(alone, together) < 1e-5
    assert 0 < gap(together, values(plain, [site])[site]) < most
    assert found.dtype == torch.float32
    again = ds.load(**found.parts.asked)
    assert np.array_equal(values(again, [site])[site], together) and again.recipe == found.recipe


def test_offloaded_whole_and_untrained() -> None:
    """Quantised weights that wait give the same values; the untrained twin of a quantised model is quantised."""
    pytest.importorskip("torchao")
    plain, waiting = ds.load("toy-sd15", quantise="int8"), ds.load("toy-sd15", quantise="int8", offload="model")
    assert np.array_equal(values(plain, ["mid"])["mid"], values(waiting, ["mid"])["mid"])
    twin = ds.load("untrained:toy-sd15", quantise="int8")
    assert is_quantised(twin.parts.denoiser) and twin.recipe["quantised"]["as"] == "int8"
    bare = values(untrained(ds.load("toy-sd15")), ["mid"])["mid"]
    assert gap(values(twin, ["mid"])["mid"], bare) < 0.05
