"""Noise in percent means the timestep at which the published pipeline would have met the image."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import denoscope as ds
from denoscope.cli.reading import Noise
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.models.base import Model
from denoscope.models.loading import load
from denoscope.models.percents import noise_level, timestep_of, timesteps_of

PERCENTS = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90)
SAMPLERS = {"toy-sd15": "PNDM", "toy-sd21": "DDIM", "toy-sd-turbo": "Euler"}
# Timesteps; alpha-bar and sigma to the published digits (SD 1.5 and SD 2.1 at 1, 20, 50 and 90 %).
TIMESTEPS = {
    "toy-sd15": (11, 51, 101, 201, 301, 401, 501, 601, 701, 801, 901),
    "toy-sd21": (1, 41, 91, 191, 291, 391, 491, 591, 691, 791, 891),
    "toy-sd-turbo": (9, 49, 99, 199, 299, 399, 499, 599, 699, 799, 899),
}
SHARES = {
    "toy-sd15": {1: (0.98954, 0.1028), 20: (0.75214, 0.5741), 50: (0.27500, 1.624), 90: (0.01400, 8.391)},
    "toy-sd21": {1: (0.99830, 0.0413), 20: (0.76752, 0.5504), 50: (0.28848, 1.571), 90: (0.01553, 7.963)},
}


@cache
def model_of(name: str) -> Model:
    """Made once."""
    return load(name)


@pytest.mark.parametrize("name", SAMPLERS)
def test_percentages_are_the_published_timesteps(name: str) -> None:
    """PNDM lies one grid step above DDIM, since it has one step twice; a trailing Euler ends where it should."""
    assert timesteps_of(model_of(name), PERCENTS) == list(TIMESTEPS[name])


@pytest.mark.parametrize("name", SHARES)
def test_alpha_bar_and_sigma_are_those_of_the_table(name: str) -> None:
    """To all published digits, and log-SNR is that of both."""
    model = model_of(name)
    for percent, (share, sigma) in SHARES[name].items():
        timestep = timestep_of(model.parts.scheduler, percent)
        found = noise_level(model, Condition(timestep=timestep), percent)
        assert round(found.alpha_bar, 5) == share
        assert found.sigma == pytest.approx(sigma, rel=2e-3 if sigma < 0.1 else 5e-4)
        assert found.logsnr == pytest.approx(math.log(found.alpha_bar / (1 - found.alpha_bar)))
        assert found.logsnr == pytest.approx(-2 * math.log(found.sigma)) and found.percent == percent


@given(st.integers(1, 100), st.sampled_from(sorted(SAMPLERS)))
def test_more_percent_is_more_noise(percent: int, name: str) -> None:
    """Timesteps never fall as percentages rise, and a fraction of a step counts as the steps that it holds."""
    scheduler = model_of(name).parts.scheduler
    found = timestep_of(scheduler, percent)
    assert 0 <= found <= 999 and found >= timestep_of(scheduler, max(percent - 1, 1))
    if percent < 100:
        assert timestep_of(scheduler, percent + 0.5) == found


def test_no_noise_and_flows_have_axes_too() -> None:
    """The clean image is all signal; at equal log-SNR two families have equal alpha-bar."""
    clean = noise_level(model_of("toy-sd15"), Condition(clean=True))
    assert (clean.alpha_bar, clean.sigma, clean.logsnr) == (1.0, 0.0, math.inf)
    flow, preserving = (noise_level(model_of(name), Condition(logsnr=1.0)) for name in ("toy-sd3", "toy-sd15"))
    assert flow.alpha_bar == pytest.approx(preserving.alpha_bar) == pytest.approx(1 / (1 + math.exp(-1)))
    assert timestep_of(model_of("toy-sd3").parts.scheduler, 100) == 1000


def test_what_is_no_percentage_is_answered() -> None:
    """Strengths, zero, more than all, unknown samplers, and samplers that need a size to know their timesteps."""
    scheduler = model_of("toy-sd15").parts.scheduler
    with pytest.raises(InputError, match=r"a strength of 0.2 is 20 %"):
        timestep_of(scheduler, 0.2)
    for wrong in (0, 100.5, -3, math.nan):
        with pytest.raises(InputError, match=r"1 ... 100"):
            timestep_of(scheduler, wrong)
    with pytest.raises(UnknownName, match="did you mean PNDMScheduler"):
        timestep_of({**scheduler, "_class_name": "PNDMSchedular"}, 20)
    with pytest.raises(InputError, match="no timesteps of its own"):
        timestep_of({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": True}, 20)


def test_extract_reads_percentages_and_reports_carry_the_axes(tmp_path) -> None:
    """The store holds timesteps, a merged report has log-SNR and alpha-bar beside each."""
    store = ds.extract("embedded", "menagerie:test", "mid", percents=(20, 50), clean=True, limit=6, out=tmp_path,
                       progress=False)  # fmt: skip
    assert [one.timestep for one in store.conditions] == [None, 191, 491]
    report = ds.evaluate(store, "norms", sites="all", timesteps="all", save=False)
    shares = dict(zip(report.table["timestep"], report.table["alpha_bar"], strict=True))
    ratios = dict(zip(report.table["timestep"], report.table["logsnr"], strict=True))
    assert shares[None] is None and round(shares[191], 5) == 0.76752 and round(shares[491], 5) == 0.28848
    assert np.isclose(ratios[191], math.log(shares[191] / (1 - shares[191])))
    assert [one.timestep for one in Noise(timesteps=(1,), percents=(1, 90)).of(load("embedded"))] == [1, 891]
