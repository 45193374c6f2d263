"""How extraction speeds up with actors: one and two measured here, more by simulation with what was measured.

Run `python benchmarks/scaling.py` on a quiet machine with Ray installed (about five minutes on two cores);
`--images 64 --rounds 1` tries it. It writes `results/scaling.json` and the tables of `docs/scaling.md`.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from contenders.marked import put
from contenders.queueing import Cluster, limits, seconds

import denoscope as ds
from denoscope import pool
from denoscope.pool import Pool
from denoscope.store.place import Place

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "scaling.md"
MANY = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
ASSUMED = Cluster(compute=(3.2,), dealt=0.0, written=0.0, bandwidth=5e9, loaded=2.1e9, start=40.0)
"""A GPU that reads 40 images a second in shards of 128, and storage of 5 GB/s: assumed, nothing of it was measured."""
CHANNELS_LAST = 1280 * 32 * 32 * 2
"""Bytes of one image at `up.1` of Stable Diffusion 1.5 at 512 pixels, in bf16."""


class _Nothing:
    """Work that is none: what remains is what dealing out costs."""

    def __call__(self) -> Callable[[int], int]:
        return _same


def _same(number: int) -> int:
    return number


def extracted(chosen: argparse.Namespace, folder: Path, workers: int) -> dict[str, Any]:
    """One extraction: from the call, to the first shard, to the last; and how long actors worked on each."""
    actors = Pool(workers=workers) if workers else None
    began = time.time()
    store = ds.extract(
        chosen.model, chosen.data, ["mid", "up.1"], [50, 200], limit=chosen.images, shard_size=chosen.shard,
        out=folder / f"{workers}-{began}", pool=actors, progress=False,
    )  # fmt: skip
    ended = time.time()
    files = sorted(
        (folder / f"{workers}-{began}").glob("*/shards/*.safetensors"), key=lambda path: path.stat().st_mtime
    )
    finished = [path.stat().st_mtime - began for path in files]
    worked = [origin["seconds"] for origin in store.volumes[0].origins]
    steady = (len(finished) - max(1, workers)) * chosen.shard / (finished[-1] - finished[max(1, workers) - 1])
    return {"seconds": ended - began, "first": finished[0], "steady": steady, "worked": worked,
            "bytes": files[0].stat().st_size}  # fmt: skip


def dealing(parts: int) -> float:
    """Seconds of the driver for each part: actors do nothing, and have so many in hand that it never waits for them."""
    before, pool._AHEAD = pool._AHEAD, 64
    arrived = [time.monotonic() for _ in Pool(workers=2).each(_Nothing(), range(parts))]
    pool._AHEAD = before
    return (arrived[-1] - arrived[0]) / (parts - 1)


def writing(size: int, folder: Path, times: int = 5) -> float:
    """Bytes per second of files of a shard's size, each flushed to the disk."""
    content, place, took = os.urandom(size), Place(folder / "written"), list[float]()
    for number in range(times):
        began = time.monotonic()
        place.put(f"{number}.bin", content)
        took.append(time.monotonic() - began)
    return size / median(took)


def measured(chosen: argparse.Namespace) -> dict[str, Any]:
    """Rounds of one process, one actor and two, in turn; then what dealing out and writing cost."""
    import ray

    began = time.monotonic()
    ray.init(address="local", num_cpus=max(2, os.cpu_count() or 1), include_dashboard=False, log_to_driver=False,
             logging_level="ERROR")  # fmt: skip
    joined = time.monotonic() - began
    rounds: dict[str, list[dict[str, Any]]] = {"0": [], "1": [], "2": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(chosen.rounds):
            for workers in rounds:
                rounds[workers].append(extracted(chosen, Path(folder), int(workers)))
        size = rounds["1"][0]["bytes"]
        found = {"dealt": dealing(chosen.parts), "bandwidth": writing(size, Path(folder)), "written": size}
    ray.shutdown()
    told = {"images": chosen.images, "shard": chosen.shard, "model": chosen.model, "data": chosen.data,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores", "rounds": chosen.rounds}  # fmt: skip
    return {"settings": told, "runs": rounds, "cluster": {"joined": joined, **found}}


def modelled(record: dict[str, Any]) -> Cluster:
    """The queues of this machine, from the runs with one actor alone."""
    ones, found = record["runs"]["1"], record["cluster"]
    worked = [value for run in ones for value in run["worked"]]
    write = found["written"] / found["bandwidth"]
    start = mean(run["first"] - median(run["worked"]) for run in ones)
    return Cluster([max(1e-9, value - write) for value in worked], found["dealt"], found["written"],
                   found["bandwidth"], start=start)  # fmt: skip


def curve(cluster: Cluster, parts: int, actors: Sequence[int], shard: int) -> list[dict[str, float]]:
    """Images per second from call to end, and the share of `actors` times one actor's rate that this is."""
    one = parts * shard / seconds(cluster, 1, parts)
    rates = {count: parts * shard / seconds(cluster, count, parts) for count in actors}
    return [{"actors": count, "rate": rate, "share": rate / (count * one)} for count, rate in rates.items()]


def tables(record: dict[str, Any]) -> str:
    """What stands between the marks of the page."""
    settings, runs = record["settings"], record["runs"]
    here, shard = modelled(record), settings["shard"]
    parts = -(-settings["images"] // shard)
    lines = [
        f"{settings['model']}, {settings['images']} images of {settings['data']} in shards of {shard}, `mid` and "
        f"`up.1` at two noise levels, {settings['machine']}, one thread each; medians of {settings['rounds']} rounds, "
        "least and most in brackets.\n",
        "| | images/s from call to end | images/s once all actors work | against one process |",
        "|---|---|---|---|",
    ]
    base = median(run["steady"] for run in runs["0"])
    for workers, name in (("0", "one process, no Ray"), ("1", "1 actor"), ("2", "2 actors")):
        whole = [settings["images"] / run["seconds"] for run in runs[workers]]
        steady = [run["steady"] for run in runs[workers]]
        lines.append(f"| {name} | {_spread(whole)} | {_spread(steady)} | {median(steady) / base:.2f}x |")
    told = median(settings["images"] / run["seconds"] for run in runs["2"])
    steady = median(run["steady"] for run in runs["2"])
    foretold = parts * shard / seconds(here, 2, parts)
    most = limits(here)
    works = shard * min(2 * most["actor"], most["driver"], most["storage"])
    lines += [
        "\nForetold for two actors from the runs of one, and measured: once they work "
        f"{works:.1f} and {steady:.1f} images/s ({works / steady - 1:+.0%}); from call to end, by the simulation, "
        f"{foretold:.1f} and {told:.1f} ({foretold / told - 1:+.0%}). Two actors start at the same time on the same "
        "two cores, beside Ray's own processes; that is in the second pair and would not be on two machines.\n",
        "| measured | |", "|---|---|",
        f"| seconds of an actor on a shard, n={len(here.compute)} | {_spread(here.compute)} |",
        f"| seconds before an actor's first shard | {here.start:.1f} |",
        f"| driver, seconds per shard | {here.dealt:.4f} |",
        f"| bytes of a shard | {here.written:,.0f} |",
        f"| storage, MB/s | {here.bandwidth / 1e6:.0f} |",
        "\n### More actors, by simulation\n",
        "Images per second from call to end, and in brackets the share of that many times one actor. *Here*: as many "
        "machines as this one with this one's storage and driver, a million images. *Assumed*: GPUs of 40 images/s, "
        "shards of 128, storage of 5 GB/s, 2.1 GB of weights and 40 s before the first shard, the driver's cost as "
        "measured here, ten million images; once with every cell of `up.1` kept, once pooled.\n",
        "| actors | here | assumed, every cell | assumed, pooled |", "|---|---|---|---|",
    ]  # fmt: skip
    grid, pooled = assumed(here, CHANNELS_LAST), assumed(here, 2560)
    columns = [curve(here, 1_000_000 // shard, MANY, shard)]
    columns += [curve(one, 10_000_000 // 128, MANY, 128) for one in (grid, pooled)]
    for row in zip(*columns, strict=True):
        cells = (f"{one['rate']:,.0f} ({one['share']:.0%})" for one in row)
        lines.append(f"| {row[0]['actors']:,} | {' | '.join(cells)} |")
    lines.append("")
    for name, one, size in (("here", here, shard), ("every cell", grid, 128), ("pooled", pooled, 128)):
        most = limits(one)
        lines.append(f"- *{name}*: storage takes {most['storage'] * size:,.0f} images/s, the driver deals out "
                     f"{most['driver'] * size:,.0f}, one actor makes {most['actor'] * size:,.1f}: the curve bends at "
                     f"{min(most['storage'], most['driver']) / most['actor']:,.0f} actors.")  # fmt: skip
    return "\n".join(lines)


def assumed(here: Cluster, bytes_per_image: int) -> Cluster:
    """The assumed GPUs with this machine's driver."""
    return Cluster(ASSUMED.compute, here.dealt, 128 * bytes_per_image, ASSUMED.bandwidth, ASSUMED.loaded, ASSUMED.start)


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.3g} [{min(values):.3g}, {max(values):.3g}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--shard", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", type=int, default=1000, help="of nothing, dealt out to see what that costs")
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--data", default="menagerie:test")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "scaling.json")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scaling.md alone")
    chosen = parser.parse_args()
    record = measured(chosen)
    chosen.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(tables(record))
    if not chosen.no_page:
        put(PAGE, "scaling", tables(record))


if __name__ == "__main__":
    main()
