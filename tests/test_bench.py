"""The verb `bench`: rates of real work, told beside a recorded run; no time is asserted."""

import json
from dataclasses import replace

import pytest
import torch

from denoscope.bench import Bench, bench, recorded
from denoscope.bench.cases import CASES
from denoscope.bench.ceilings import Rate, rate_of
from denoscope.cli import benching
from denoscope.cli.app import run
from denoscope.core.errors import UnknownName


@pytest.fixture(scope="module")
def small() -> Bench:
    """A run of sizes that take no time."""
    return bench("cpu", seconds=0.0, small=True)


def test_every_case_does_its_work(small: Bench) -> None:
    """Rates and shares are positive, of at least three runs; the record survives JSON."""
    assert [one.case for one in small.timings] == list(CASES)
    for rate in small.rates.values():
        assert 0 < rate.low <= rate.median <= rate.high and rate.n >= 3
    assert all(one.of_matmul > 0 for one in small.timings)
    assert Bench.from_dict(json.loads(json.dumps(small.to_dict()))) == small


def test_a_rate_counts_what_was_done() -> None:
    """Units per second over the runs that count; the first is a warm-up."""
    runs: list[int] = []
    rate = rate_of(lambda: runs.append(1), 10.0, torch.device("cpu"), seconds=0.0, least=5)
    assert len(runs) == 6 and rate.n == 5 and rate.low <= rate.median <= rate.high


def test_the_counted_operations_are_those_of_the_work() -> None:
    """Matching: two per keypoint, cell and channel. Learning: those of the product with the encoder."""
    device = torch.device("cpu")
    with CASES["matching"](device, True) as case:
        assert case.work == 40 and case.flops == 2 * 40 * 8 * 8 * 32
        assert len(case.job().found) == 40
    with CASES["learning"](device, True) as case:
        assert case.work == 64 and case.flops == 2 * 64 * 16 * 64


def test_ratios_are_to_the_recorded_run(small: Bench) -> None:
    """Twice as fast is 2, what the other did not measure has none."""
    slow = replace(
        small, timings=tuple(replace(one, rate=Rate(one.rate.median / 2, 0, 1, 3)) for one in small.timings[:2])
    )
    found = small.over(slow)
    assert found["extraction"] == found["matching"] == 2 and found["bandwidth"] == 1 and "probe" not in found


def test_the_package_carries_a_record() -> None:
    """Of a processor, with all cases."""
    (cpu,) = [one for one in recorded() if one.device == "cpu"]
    assert {one.case for one in cpu.timings} == set(CASES)


def test_the_command_tells_and_keeps(small: Bench, tmp_path, monkeypatch, capsys) -> None:
    """A table beside the record, JSON with ratios, and a file in which a machine has one place."""
    monkeypatch.setattr(benching, "timed", lambda *asked: small)
    kept = tmp_path / "runs.json"
    run(["bench", "--record", str(kept)])
    told = capsys.readouterr().out
    assert "extraction" in told and "recorded: " in told and "x" in told and "of matmul" in told
    run(["bench", "--json", "--record", str(kept)])
    found = json.loads(capsys.readouterr().out)
    assert found["ratios"].keys() >= set(CASES) and len(json.loads(kept.read_text())) == 1
    monkeypatch.setattr(benching, "recorded", tuple)
    run(["bench"])
    assert "no run on a cpu is recorded" in capsys.readouterr().out


def test_unknown_cases_are_one_line() -> None:
    """With what exists."""
    with pytest.raises(UnknownName, match="probe"):
        bench("cpu", ["probing"])
