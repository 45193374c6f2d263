"""Blocks that run compiled: only where nothing inside them is looked at, and gone after the run."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.models import compiling
from denoscope.models.base import Model
from denoscope.models.loading import load, untrained

T50 = Condition(timestep=50)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Blocks whose compiled forward ran, with a compiler that only keeps account."""
    seen: list[Any] = []

    def compile(forward: Callable[..., Any], dynamic: bool) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            seen.append(forward.__self__)  # pyright: ignore[reportFunctionMemberAccess]
            return forward(*args, **kwargs)

        return counted

    monkeypatch.setattr(torch, "compile", compile)
    return seen


def images() -> list[np.ndarray]:
    """Two pictures of noise."""
    return list(np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))


def read(model: Model, site: str) -> torch.Tensor:
    """One site's values."""
    return torch.as_tensor(model.read(images(), site, T50)[site].values)


@pytest.mark.parametrize(("name", "block", "inside"), [
    ("toy-flux-dev", "dit.s.0.img", "dit.s.0.img.mlp"),
    ("toy-sd15", "up.1.attn.0.blk.0", "up.1.attn.0.blk.0.self.q"),
])  # fmt: skip
def test_what_is_read_stays_in_sight(name: str, block: str, inside: str, calls: list[Any]) -> None:
    """A block's own output is read around its compiled forward; one that is looked into runs as it was written."""
    plain, model = load(name), load(name)
    model.compile()
    path = model.taps[block].site.path
    mine = model.parts.denoiser.get_submodule(path)
    assert torch.equal(read(model, block), read(plain, block)) and mine in calls
    calls.clear()
    assert torch.equal(read(model, inside), read(plain, inside)) and mine not in calls and calls
    assert not any("forward" in vars(module) for module in model.parts.denoiser.modules())


def test_edits_act_in_compiled_blocks(calls: list[Any]) -> None:
    """On a block from outside; inside one, which then runs as it was written."""
    plain, model = load("toy-sd15"), load("toy-sd15")
    model.compile()
    for site in ("up.1.attn.0.blk.0", "up.1.attn.0.blk.0.ff.hidden"):
        calls.clear()
        edit: dict[Any, Any] = {site: lambda value: value * 0.5}
        with plain.edit(edit), model.edit(edit):
            assert torch.equal(read(model, "up.1"), read(plain, "up.1"))
        block = model.parts.denoiser.get_submodule(model.taps["up.1.attn.0.blk.0"].site.path)
        assert (block in calls) is (site == "up.1.attn.0.blk.0")


def test_an_error_leaves_the_model_as_it_was(calls: list[Any]) -> None:
    """Also when a block raises in the middle of a run."""
    model = load("toy-sd15")
    model.compile()

    def fail(value: torch.Tensor) -> torch.Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), model.edit({"mid": fail}):
        read(model, "up.1")
    assert not any("forward" in vars(module) for module in model.parts.denoiser.modules())


def test_the_recipe_says_so(calls: list[Any]) -> None:
    """A compiled model is another one, an actor is told to compile too, and a twin of it is plain."""
    plain, model = load("toy-sd15"), load("toy-sd15", compile=True)
    assert model.recipe == {**plain.recipe, "compiled": "inductor"}
    assert model.parts.asked is not None and model.parts.asked["compile"] is True
    assert "compiled" not in untrained(model).recipe
    assert load("untrained:toy-sd15", compile=True).recipe["compiled"] == "inductor"


@pytest.mark.skipif("DENOSCOPE_NIGHTLY" not in os.environ, reason="compiles for a minute; DENOSCOPE_NIGHTLY=1 runs it")
def test_compiled_blocks_give_nearly_the_same() -> None:
    """By torch's own compiler: the values of the plain model to fp32's last digits."""
    plain, model = load("toy-flux-dev"), load("toy-flux-dev", compile=True)
    torch.testing.assert_close(read(model, "dit.s.1.img"), read(plain, "dit.s.1.img"), rtol=1e-4, atol=1e-5)


def test_what_cannot_be_compiled_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """No compiler, no triton, weights that move, a denoiser without blocks."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InputError, match="no-such-compiler is not here; install g"):
        load("toy-sd15", compile=True)
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install triton"):
        compiling.check_compiler(torch.device("cuda"))
    with pytest.raises(InputError, match="no repeated blocks"):
        compiling.Regions(torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="leave out offload or compile"):
        load("toy-sd15", offload="sequential", compile=True)
