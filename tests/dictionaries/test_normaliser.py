"""Whatever is done to activations first, the finished dictionary does the same to them as they are."""

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.dictionaries._normaliser import Raw, folded, normaliser_of, times
from denoscope.dictionaries.topk import TopK

KINDS = ("none", "mean", "scalar", "channel", "whiten")


def rows(count: int = 4000, seed: int = 0) -> np.ndarray:
    """Rows whose channels depend on one another, of sizes from 1 to 100, far from zero."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, 12)) @ rng.normal(size=(12, 12)) * np.geomspace(1, 100, 12) + 500).astype(
        np.float32
    )


@pytest.mark.parametrize("kind", KINDS)
def test_folded_is_unfolded(kind):
    """Reconstructions and codes in raw units are those in normalised units, mapped back; fp32 keeps 1e-5 of it."""
    rng = np.random.default_rng(1)
    x = rows().astype(np.float64)
    one = normaliser_of(kind, rows())
    atoms = rng.normal(size=(20, 12))
    bias = rng.normal(size=12)
    raw = Raw(
        atoms / np.linalg.norm(atoms, axis=1, keepdims=True), rng.normal(size=(20, 12)), bias, rng.normal(size=20), bias
    )
    weights, lengths = folded(raw, one, one)

    inside = times(x - one.mean, one.forth)
    z = np.maximum((inside - raw.centre) @ raw.encoder.T + raw.encoder_bias, 0)
    back = z @ raw.atoms + raw.bias
    made = times(back, one.back) + one.mean

    outside = np.maximum((x - weights["bias"]) @ weights["encoder"].T + weights["encoder_bias"], 0)
    assert np.linalg.norm(weights["atoms"], axis=1) == pytest.approx(np.ones(20), abs=1e-12)
    assert np.abs(outside - z * lengths).max() < 1e-9 * np.abs(z * lengths).max()
    assert np.abs(outside @ weights["atoms"] + weights["bias"] - made).max() < 1e-9 * np.abs(made).max()
    short = {name: weight.astype(np.float32) for name, weight in weights.items()}
    fp32 = np.maximum((rows() - short["bias"]) @ short["encoder"].T + short["encoder_bias"], 0)
    assert np.abs(fp32 - outside).max() < 1e-5 * outside.max()
    assert weights["centre"] == pytest.approx(weights["bias"])


@pytest.mark.parametrize("kind", KINDS[2:])
def test_normalised_rows_have_length_one_and_whitened_ones_no_direction(kind):
    """Mean zero, mean squared length one; whitening leaves no correlation, and its inverse is its inverse."""
    one = normaliser_of(kind, rows())
    inside = one.map(rows()).astype(np.float64)
    assert np.abs(inside.mean(axis=0)).max() < 1e-3
    assert np.square(inside).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
    if kind == "whiten":
        assert inside.T @ inside / len(inside) == pytest.approx(np.eye(12) / 12, abs=1e-4)
        assert one.forth @ one.back == pytest.approx(np.eye(12), abs=1e-9)


def test_silent_channels_are_not_blown_up():
    """A channel that never varies is reconstructed, and does not make anything infinite."""
    x = rows()
    x[:, 3] = 7
    for kind in ("channel", "whiten"):
        found = TopK(atoms=16, k=4, cells=8000, batch=500, normaliser=kind, device="cpu").fit([x])
        made = found.decode(found.encode(x))
        assert np.isfinite(made).all()
        assert np.abs(made[:, 3] - 7).max() < 0.01 * x.std(axis=0).mean()


@pytest.mark.parametrize("kind", KINDS)
def test_selection_is_that_of_training(kind):
    """The atoms that are active in raw units are those that were the largest in normalised units."""
    x = rows(2000)
    found = TopK(atoms=24, k=3, cells=4000, batch=500, normaliser=kind, device="cpu").fit([x])
    one = normaliser_of(kind, x)
    lengths = found.weights.get("lengths", np.ones(24, dtype=np.float32))
    atoms = found.atoms * lengths[:, None]  # back to what one unit of a normalised code stands for
    normalised = times(atoms, one.forth)
    assert np.ptp(np.linalg.norm(normalised, axis=1)) < 1e-3 * np.linalg.norm(normalised, axis=1).mean()
    ranked = ((x - found.bias) @ found.weights["encoder"].T + found.weights["encoder_bias"]) / lengths
    kept = ranked >= np.sort(ranked, axis=1)[:, [-3]]
    assert ((found.encode(x) > 0) == (kept & (ranked > 0))).mean() > 0.9999


def test_rows_that_do_not_vary_are_refused():
    """In one line."""
    with pytest.raises(InputError, match="do not vary"):
        normaliser_of("channel", np.ones((5, 3), dtype=np.float32))
