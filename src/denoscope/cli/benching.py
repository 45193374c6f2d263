"""`denoscope bench`: this machine beside recorded ones."""

import json
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from denoscope.bench import Bench, recorded
from denoscope.bench import bench as timed
from denoscope.bench.ceilings import Rate
from denoscope.bench.record import SECONDS
from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json, table
from denoscope.cli.reading import Device

__all__ = ["bench"]


def bench(
    *,
    cases: Annotated[
        tuple[Literal["extraction", "matching", "probe", "learning"], ...], arg(help="some of them; all unless given")
    ] = (),
    seconds: Annotated[float, arg(help="for each case, unless three runs take longer")] = SECONDS,
    device: Device = None,
    record: Annotated[
        Path | None, arg(metavar="FILE", help="JSON file of such runs, in which this one takes its machine's place")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time reading, matching, probing and learning on this machine, beside a recorded run, in about half a minute.

    Beside each rate stands its share of what one large matrix product reaches here, by counted operations.
    """
    found = timed(device, cases or None, seconds)
    beside = _beside(found)
    if record is not None:
        _keep(record, found)
    if as_json:
        told = {"recorded": beside.machine, "ratios": found.over(beside)} if beside else {}
        show_json({**found.to_dict(), **told})
        return
    _show(found, beside)


def _beside(found: Bench) -> Bench | None:
    """The recorded run on a device of the same kind."""
    return next((one for one in recorded() if one.device == found.device), None)


def _keep(path: Path, found: Bench) -> None:
    before = [Bench.from_dict(one) for one in json.loads(path.read_text())] if path.exists() else []
    others = [one for one in before if (one.machine, one.device) != (found.machine, found.device)]
    path.write_text(json.dumps([one.to_dict() for one in (*others, found)], indent=1) + "\n", encoding="utf-8")


def _show(found: Bench, beside: Bench | None) -> None:
    ratios = found.over(beside) if beside else {}
    theirs = beside.rates if beside else {}
    notes = {one.case: f"{one.of_matmul:.0%} of matmul" for one in found.timings} | {"matmul": found.ceilings.dtype}
    units = {one.case: f"{one.unit}/s" for one in found.timings}
    rows: list[list[str]] = []
    for name, rate in found.rates.items():
        by = 1.0 if name in units else 1e9
        unit = units.get(name, "GB/s" if name == "bandwidth" else "GFLOP/s")
        ratio = f"{ratios[name]:.2f}x" if name in ratios else ""
        rows.append([name, unit, *_spelled(rate, by), *_spelled(theirs.get(name), by)[:1], ratio, notes.get(name, "")])
    head = ["case", "unit", "here", "[least, most]", "runs", "recorded", "ratio", ""]
    table(rows, head, right=["here", "runs", "recorded", "ratio"])
    say(f"here: {_told(found)}")
    say(f"recorded: {_told(beside)}" if beside else f"no run on a {found.device} is recorded; nothing to compare with")


def _spelled(rate: Rate | None, by: float) -> list[str]:
    if rate is None:
        return [""]
    return [f"{rate.median / by:.4g}", f"[{rate.low / by:.4g}, {rate.high / by:.4g}]", str(rate.n)]


def _told(run: Bench) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    load = "" if run.load is None else f"load {run.load:.1f} before; "
    return f"{run.machine}, {run.cores} cores, {run.threads} threads; {load}{versions}; {run.seconds:.0f} s"
