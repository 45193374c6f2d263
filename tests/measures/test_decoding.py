"""Decoding agrees with scikit-learn fold by fold, finds what was planted, and is as sure as it may be."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import KFold

from denoscope.core.errors import InputError
from denoscope.measures.decoding import PENALTIES, Decoded, decode
from denoscope.measures.decoding_scores import correlation, mean_of, r2, shuffled_r2

ROWS = 60


def rows(seed: int = 0, channels: int = 20, targets: int = 6, noise: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Channels that mix half of the targets with noise; the other half is nowhere."""
    rng = np.random.default_rng(seed)
    y = np.column_stack([rng.normal(size=(ROWS, targets - 2)), rng.random((ROWS, 2)) < [0.3, 0.5]])
    mixed = y * (np.arange(targets) % 2 == 0)
    return mixed @ rng.normal(size=(targets, channels)) + noise * rng.normal(size=(ROWS, channels)), y


def standard(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Channels in units of the training rows."""
    return (x - x[train].mean(axis=0)) / x[train].std(axis=0)


@pytest.mark.parametrize("channels", [20, 90])
def test_predictions_and_penalties_are_those_of_scikit_learn(channels: int) -> None:
    """RidgeCV with a penalty per target, on channels standardised by the training rows of scikit-learn's KFold."""
    x, y = rows(channels=channels)
    found = decode(x, y, folds=4, seed=3)
    for part, (train, test) in zip(found.parts, KFold(4, shuffle=True, random_state=3).split(x), strict=True):
        scaled, n = standard(x, train), len(train)
        told: Any = RidgeCV(np.array(PENALTIES) * n, alpha_per_target=True, scoring=None).fit(scaled[train], y[train])
        assert np.allclose(part.penalty * n, told.alpha_)
        assert np.allclose(found.predicted[test], told.predict(scaled[test]), atol=1e-6)
        assert np.allclose(found.baseline[test], y[train].mean(axis=0))
        assert (found.part[test] == found.part[test[0]]).all()


def test_a_part_knows_how_every_lesson_moved_every_prediction() -> None:
    """Predictions are the mean plus the kernel times the lessons, and residuals are of fits without the row itself."""
    x, y = rows()
    found = decode(x, y, folds=3)
    part = found.parts[0]
    mean = y[part.train].mean(axis=0)
    for target in range(y.shape[1]):
        kernel = part.kernel(float(part.penalty[target]))
        assert np.allclose(
            mean[target] + kernel @ (y[part.train] - mean)[:, target], found.predicted[part.test, target]
        )
    scaled, n = standard(x, part.train)[part.train], len(part.train)
    alpha: Any = part.penalty * n
    for row in (0, 7):
        others = np.arange(n) != row
        fit: Any = Ridge(alpha).fit(scaled[others], y[part.train][others])
        assert np.allclose(y[part.train[row]] - fit.predict(scaled[row : row + 1])[0], part.residual[row], atol=1e-8)


def test_influence_is_what_is_lost_without_a_row() -> None:
    """Taken out of tests and lessons alike, at the same penalties: R^2 and correlation change as was said."""
    x, y = rows(noise=1.5)
    found = decode(x, y, folds=3)
    fits, agrees = r2(found), correlation(found)
    lost = [_without(x, y, found, row) for row in range(0, ROWS, 3)]
    for number, told in enumerate((fits, agrees)):
        change = told.value - np.array([one[number] for one in lost])
        said = told.influence[::3]
        for target in range(y.shape[1]):
            assert np.corrcoef(change[:, target], said[:, target])[0, 1] > 0.93
            assert change[:, target].std() == pytest.approx(said[:, target].std(), rel=0.2)


def _without(x: np.ndarray, y: np.ndarray, found: Decoded, gone: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores when a row is neither tested nor learned from."""
    p, base, kept = np.empty_like(y), np.empty_like(y), np.arange(ROWS) != gone
    for part in found.parts:
        scaled, alpha = standard(x, part.train), np.array(part.penalty * len(part.train))
        some: Any = part.train[part.train != gone]
        fit: Any = Ridge(alpha)  # pyright: ignore[reportArgumentType]
        p[part.test], base[part.test] = fit.fit(scaled[some], y[some]).predict(scaled[part.test]), y[some].mean(axis=0)
    above, below = (((y - values)[kept] ** 2).sum(axis=0) for values in (p, base))
    centred, truth = p.copy(), y.copy()
    for part in found.parts:
        rest = part.test[part.test != gone]
        centred[rest] -= p[rest].mean(axis=0)
        truth[rest] -= y[rest].mean(axis=0)
    a, b = centred[kept], truth[kept]
    return 1 - above / below, (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


def test_what_was_planted_is_found_and_nothing_else() -> None:
    """R^2 and correlation equal their definitions, beyond doubt above 0 where they should be and nowhere else."""
    x, y = rows(noise=1.0)
    found = decode(x, y, shuffles=4)
    fits, agrees = r2(found), correlation(found)
    rest = ((y - found.baseline) ** 2).sum(axis=0)
    assert np.allclose(fits.value, 1 - ((y - found.predicted) ** 2).sum(axis=0) / rest)
    p, t = found.centred(found.predicted), found.centred(y)
    assert np.allclose(agrees.value, [np.corrcoef(p[:, i], t[:, i])[0, 1] for i in range(y.shape[1])])
    planted = np.arange(y.shape[1]) % 2 == 0
    assert (agrees.p[planted] < 1e-3).all() and (fits.low[planted] > 0).all()
    assert (agrees.p[~planted] > 0.02).all() and (fits.low[~planted] < 0).all()
    assert fits.mean.value == pytest.approx(fits.value.mean()) and fits.mean.low < fits.mean.value < fits.mean.high
    assert mean_of(fits, planted).mean() == pytest.approx(fits.value[planted].mean(), abs=0.05)
    assert shuffled_r2(found).shape == (4,) and shuffled_r2(found).max() < 0.05 < fits.mean.value
    some = r2(found.select(planted))
    assert np.allclose(some.value, fits.value[planted]) and np.allclose(some.low, fits.low[planted])


def test_nothing_is_found_in_noise() -> None:
    """150 targets that are not in the rows: p-values below 5 % and 1 % are as rare as they should be."""
    p, low = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(48, 30)) * np.linspace(3, 0.1, 30)
        found = decode(x, (rng.random((48, 6)) < 0.25) * rng.uniform(0.7, 1.3, (48, 6)), folds=4, seed=seed)
        p.append(correlation(found).p)
        low.append(r2(found).low)
    assert np.mean(np.array(p) < 0.05) < 0.09 and np.mean(np.array(p) < 0.01) < 0.03
    assert np.mean(np.array(low) > 0) < 0.03
    assert 0.4 < np.median(p) < 0.85


def test_intervals_hold_what_other_objects_would_give() -> None:
    """The mean over many draws of objects, from as many maps, lies in most intervals."""
    found = [decode(*_drawn(seed), folds=4, seed=seed) for seed in range(80)]
    for told in ([r2(one) for one in found], [correlation(one) for one in found]):
        truth = np.mean([one.value for one in told], axis=0)
        inside = np.mean([(one.low <= truth) & (truth <= one.high) for one in told], axis=0)
        assert inside.min() >= 0.85 and inside.mean() >= 0.9
        mean = np.mean([one.mean.value for one in told])
        assert np.mean([one.mean.low <= mean <= one.mean.high for one in told]) >= 0.85


def _drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(60, 3))
    return y @ np.random.default_rng(99).normal(size=(3, 15)) + 2 * rng.normal(size=(60, 15)), y


def test_targets_that_do_not_vary_have_no_score() -> None:
    """A constant among the targets is NaN everywhere and does not touch the mean."""
    x, y = rows()
    y[:, 1] = 0.3
    found = decode(x, y)
    for told in (r2(found), correlation(found)):
        assert np.isnan([told.value[1], told.low[1], told.high[1], told.p[1]]).all()
        assert told.mean.value == pytest.approx(np.nanmean(told.value))
        assert np.isfinite(np.delete(told.influence, 1, axis=1)).all()


def test_what_cannot_be_decoded_is_refused() -> None:
    """In one line, with sizes."""
    x, y = rows()
    with pytest.raises(InputError, match=r"\(60, 20\) and \(59, 6\)"):
        decode(x, y[:-1])
    with pytest.raises(InputError, match="finite"):
        decode(np.where(x > 3, np.nan, x), y)
    with pytest.raises(InputError, match="30 folds of objects need 90"):
        decode(x, y, folds=30)
    with pytest.raises(InputError, match="no channel varies"):
        decode(np.ones_like(x), y)
