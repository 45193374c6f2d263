"""A Ray cluster of two nodes on this machine, one of them killed midway, then the driver; equal to one process?

Run `python benchmarks/cluster.py` as root, with `ray` installed and `ip`, `unshare` and `nsenter` at hand. Each node
has a network, a host name, processes, shared memory and a temporary folder of its own (Linux namespaces) and an address
of its own (10.77.0.1 and 10.77.0.2 on a virtual cable), so that nothing but the store and the cable joins them. Node
10.77.0.2 is killed with all of its processes when a third of the shards exist, the driver at two thirds; the same call
is repeated, and every value and row is compared with what one process makes.
"""

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from contenders.marked import put

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "scaling.md"
HEAD, OTHER, PORT = "10.77.0.1", "10.77.0.2", 6379
_TOKEN = secrets.token_hex(32)
_PATIENCE = 150.0
"""Seconds after which a step that shows no sign of life has failed."""


@dataclass(frozen=True)
class Node:
    """One machine of the cluster: `init` is the first process of its namespaces, whose death ends all others."""

    address: str
    init: int

    def enter(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command inside; it ends with the node."""
        inside = ["nsenter", "-t", str(self.init), "-n", "-m", "-u", "-i", "-p", "--", *command]
        with log.open("ab") as told:
            return subprocess.Popen(inside, stdout=told, stderr=subprocess.STDOUT, env=environment(), cwd=log.parent)

    def running(self) -> list[str]:
        """Command line of every process of the node."""
        space = Path(f"/proc/{self.init}/ns/pid").readlink()
        there = [path.parents[1] for path in Path("/proc").glob("[0-9]*/ns/pid") if _link(path) == space]
        return [(one / "cmdline").read_text(errors="replace") for one in there if one.exists()]

    def works(self) -> bool:
        """Whether an actor of ours is at work on a shard here, as Ray names its processes."""
        return any(told.startswith("ray::MapWorker(Map(_Actor)).submit") for told in self.running())

    def kill(self) -> int:
        """End every process of the node at once; how many there were is returned."""
        there = len(self.running())
        os.kill(self.init, signal.SIGKILL)
        return there


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:  # it has ended meanwhile
        return None


def environment() -> dict[str, str]:
    """Of every process: one thread, no look at the network, and the token without which a node is not let in."""
    told = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": _TOKEN, "FORCE_COLOR": "1", "COLUMNS": "120"}  # fmt: skip
    return {**os.environ, **told, "PYTHONPATH": str(HERE.parent / "src")}


def processes(root: int) -> list[int]:
    """A process and all that it started, by number."""
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [root, *(found for child in children for found in processes(int(child)))]


@contextmanager
def machines(folder: Path) -> Generator[tuple[Node, Node]]:
    """Two machines with a cable between them; networks are named, so that one outlives the processes on it."""
    ends = ("dnz-a", "dnz-b")
    with ExitStack() as after:
        for end in ends:
            after.callback(subprocess.run, ["ip", "netns", "del", end], capture_output=True, check=False)
            run(["ip", "netns", "add", end])
            run(["ip", "-n", end, "link", "set", "lo", "up"])
        run(["ip", "-n", ends[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", ends[1]])
        for end, address in zip(ends, (HEAD, OTHER), strict=True):
            run(["ip", "-n", end, "addr", "add", f"{address}/24", "dev", "cable"])
            run(["ip", "-n", end, "link", "set", "cable", "up"])
        nodes: list[Node] = []
        for end, address in zip(ends, (HEAD, OTHER), strict=True):
            started = subprocess.Popen(
                ["ip", "netns", "exec", end,
                 "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                 f"hostname {end}; mkdir -p /tmp/ray; mount -t tmpfs tmpfs /tmp/ray; mount -t tmpfs tmpfs /dev/shm;"
                 f"touch {folder}/{end}; while :; do sleep 1000; done"], stderr=subprocess.DEVNULL,
            )  # fmt: skip
            after.callback(started.wait)
            after.callback(started.kill)
            wait_for(lambda end=end: (folder / end).exists(), "a machine")
            nodes.append(Node(address, processes(started.pid)[1]))
        yield nodes[0], nodes[1]


@contextmanager
def cluster(folder: Path, cpus: int) -> Generator[tuple[Node, Node]]:
    """A Ray cluster on both."""
    ray = str(Path(sys.executable).parent / "ray")
    common = ["--block", "--disable-usage-stats", "--num-cpus", str(cpus), "--object-store-memory", "200000000"]
    with machines(folder) as (head, other):
        head.enter([ray, "start", "--head", "--node-ip-address", HEAD, "--port", str(PORT),
                    "--include-dashboard=false", *common], folder / "head.log")  # fmt: skip
        wait_for(lambda: "Ray runtime started" in (folder / "head.log").read_text(), "the head of the cluster")
        other.enter([ray, "start", "--address", f"{HEAD}:{PORT}", "--node-ip-address", OTHER, *common],
                    folder / "other.log")  # fmt: skip
        wait_for(lambda: "Ray runtime started" in (folder / "other.log").read_text(), "the other node")
        yield head, other


def run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def wait_for(ready: Callable[[], bool], what: str, sign: Callable[[], Any] = lambda: None) -> None:
    """Look five times a second; what `sign` tells must change within the patience."""
    end, last = time.monotonic() + _PATIENCE, sign()
    while not ready():
        if (now := sign()) != last:
            end, last = time.monotonic() + _PATIENCE, now
        if time.monotonic() > end:
            raise TimeoutError(f"{what} shows nothing for {_PATIENCE:g} s")
        time.sleep(0.2)


def shards(store: Path) -> list[Path]:
    """Finished ones."""
    return sorted(store.glob("*/shards/*.safetensors"))


def command(chosen: argparse.Namespace, store: Path, pooled: bool) -> list[str]:
    """The extraction, as it is typed; small shards come from a small budget, which only Python can give."""
    pool = f"Pool(workers=2, address='{HEAD}:{PORT}')" if pooled else "None"
    call = (
        "import denoscope as ds; from denoscope.pool import Pool; "
        f"ds.extract({chosen.model!r}, {chosen.data!r}, ['mid', 'up.1'], [50, 200], limit={chosen.images}, "
        f"shard_size={chosen.shard}, out={str(store)!r}, pool={pool})"
    )
    return [sys.executable, "-c", call]


def equal(one: Path, other: Path) -> dict[str, Any]:
    """Digest for digest: recipes, rows, facts, and the bytes of every stored tensor."""
    first, second = contents(one), contents(other)
    return {"equal": first == second, "digests": len(first)}


def last_bar(log: Path) -> str:
    """The last state of the progress bar that a driver drew, without colours."""
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", log.read_text(errors="replace"))
    bars = [line.strip() for line in re.split(r"[\r\n]", drawn) if " left " in line]
    return bars[-1] if bars else ""


def contents(store: Path) -> dict[str, str]:
    """SHA-256 of each tensor as it is stored, of each recipe and plan, and of the rows of each index."""
    import pyarrow.parquet as parquet
    import torch
    from safetensors import safe_open

    found: dict[str, str] = {}
    for path in shards(store):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 (no mapping)
                raw = file.get_tensor(name)
                kind = f"{raw.dtype} {tuple(raw.shape)} ".encode()
                held = raw.reshape(-1).view(torch.uint8).numpy().tobytes()
                found[f"{path.relative_to(store)} {name}"] = sha256(kind + held).hexdigest()
    for path in store.glob("*/*.json"):
        found[str(path.relative_to(store))] = sha256(path.read_bytes()).hexdigest()
    for path in store.glob("*/index.parquet"):
        rows = parquet.read_table(path).to_pylist()
        found[str(path.relative_to(store))] = sha256(json.dumps(rows).encode()).hexdigest()
    return found


def told(record: dict[str, Any]) -> str:
    """What happened, in words."""
    same = "equal" if record["equal"] else "**NOT EQUAL**"
    return (
        f"With {record['images']:,} images of {record['data']} in {record['shards']} shards, {record['model']}, a node "
        f"of {record['cpus']} core each: the other node, at work on a shard, was killed ({record['processes_killed']} "
        f"processes) when {record['node_killed_at']} shards stood, and the one that was left went on alone; the driver "
        f"was killed at {record['driver_killed_at']}; the second call made the rest and none again "
        f"({record['made_again']} of those that stood). All {record['digests']} digests (every tensor, recipe, plan "
        f"and index) are {same} to those of one process. Seconds: one process {record['seconds_alone']:.0f}, until the "
        f"driver was killed {record['seconds_until_driver_killed']:.0f}, the second call "
        f"{record['seconds_again']:.0f}; both nodes share the two cores of this machine, so that these are no speeds. "
        f"The bar at the end: `{' '.join(record['bar_at_the_end'].split())}`."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=3_072)
    parser.add_argument("--shard", type=int, default=32)
    parser.add_argument("--cpus", type=int, default=1, help="of each node; with 1 the survivor works alone")
    parser.add_argument("--model", default="toy-sd15")
    parser.add_argument("--data", default="menagerie:test")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scaling.md alone")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "cluster.json")
    chosen = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where `ip` lies
    with tempfile.TemporaryDirectory(prefix="cluster-", dir="/var/tmp") as folder:
        record = measured(chosen, Path(folder))
    chosen.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))
    if not chosen.no_page:
        put(PAGE, "cluster", told(record))
    if not record["equal"]:
        sys.exit("the store of the cluster is not that of one process")


def measured(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What one process makes, what a cluster with deaths makes, and whether that is the same."""
    alone, several = folder / "alone", folder / "several"
    count, started = -(-chosen.images // chosen.shard), time.monotonic()
    with (folder / "alone.log").open("wb") as log:
        subprocess.run(command(chosen, alone, False), check=True, env=environment(), stdout=log, stderr=log)
    record: dict[str, Any] = {
        "images": chosen.images, "shards": count, "model": chosen.model, "data": chosen.data, "cpus": chosen.cpus,
        "seconds_alone": time.monotonic() - started,
    }  # fmt: skip
    try:
        with cluster(folder, chosen.cpus) as (head, other):
            record |= killed(head, other, command(chosen, several, True), several, count)
            record |= repeated(head, command(chosen, several, True), several)
    except BaseException:
        for name in ("alone", "head", "other", "driver", "again"):
            if (log := folder / f"{name}.log").exists():
                print(log.name, log.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise
    return record | equal(alone, several)


def killed(head: Node, other: Node, call: Sequence[str], store: Path, count: int) -> dict[str, Any]:
    """The first call: a node dies at a third of the shards, the driver at two thirds."""
    record: dict[str, Any] = {}

    def stand() -> int:
        return len(shards(store))

    started = time.monotonic()
    driver = head.enter(call, store.parent / "driver.log")
    wait_for(lambda: stand() >= count / 3 and other.works(), "the first third, and the other node at work", stand)
    record["node_killed_at"] = stand()
    record["processes_killed"] = other.kill()
    wait_for(lambda: stand() >= 2 * count / 3, "work on the node that is left", stand)
    record["driver_killed_at"] = stand()
    os.kill(processes(driver.pid)[-1], signal.SIGKILL)
    driver.wait()
    record["bar_when_killed"] = last_bar(store.parent / "driver.log")
    return record | {"seconds_until_driver_killed": time.monotonic() - started}


def repeated(head: Node, call: Sequence[str], store: Path) -> dict[str, Any]:
    """The second call: it makes what is missing, and nothing that stands."""
    before = {path: path.stat().st_mtime_ns for path in shards(store)}
    started = time.monotonic()
    driver = head.enter(call, store.parent / "again.log")
    wait_for(lambda: driver.poll() is not None, "the second call", lambda: len(shards(store)))
    again = sum(path.stat().st_mtime_ns != when for path, when in before.items())
    return {"status": driver.returncode, "seconds_again": time.monotonic() - started, "made_again": again,
            "bar_at_the_end": last_bar(store.parent / "again.log")}  # fmt: skip


if __name__ == "__main__":
    main()
