"""How long reading takes: denoscope, sdhelper 1.0.0 and a plain diffusers loop on the same full-size weights.

Run `python benchmarks/extraction.py` on a quiet machine. Contenders take turns, round by round; every time is written
to `--output` at once, and a second run with the same settings goes on where the first one ended. The page
`docs/performance.md` is made from all results that lie in `benchmarks/results`.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from contenders.memory import peak
from contenders.page import table, write_page
from contenders.readers import Bare, Ours, Plain, Sdhelper
from contenders.weights import full_size, model_of, pipeline_of

import denoscope as ds
from denoscope.data.menagerie import Menagerie
from denoscope.models.coordinates import Canvas, lay
from denoscope.models.precision import choose_device, choose_dtypes

RESULTS = Path(__file__).parent / "results"
TIMESTEPS = (0, 10, 25, 50, 75, 100, 150, 200, 300, 500, 800)
SITES = ("mid", "up.0", "up.1")
CASES = ("one", "many", "default", "hooks", "memory")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
Job = Callable[[], Any]


class Bench:
    """Times by case and contender, kept in a file."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.device = choose_device(chosen.device)
        self.size, self.dtype = chosen.size, DTYPES[chosen.dtype]
        self.path: Path = (
            chosen.output or RESULTS / f"extraction-{self.device.type}-{chosen.dtype}-{chosen.size}px.json"
        )
        settings = {"size": chosen.size, "dtype": chosen.dtype, "device": str(self.device), "machine": machine()}
        settings["threads"] = torch.get_num_threads()
        old = json.loads(self.path.read_text()) if self.path.exists() else {}
        fresh = {"settings": settings, "seconds": {}, "facts": {}}
        self.record = old if old.get("settings") == settings else fresh
        self.picture = picture(chosen.size)
        self._parts: Any = None
        self._made: dict[str, Any] = {}

    # Contenders are built when a case first needs them, since each holds gigabytes.

    @property
    def parts(self) -> Any:
        self._parts = self._parts or full_size(self.size)
        return self._parts

    def made(self, name: str) -> Any:
        """A contender by name."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        same = dict.fromkeys(("denoiser", "vae", "text"), self.dtype)
        own = torch.float32 if self.device.type == "cpu" else torch.float16
        if name == "model":
            return model_of(self.parts, self.device, same)
        if name == "ours":
            return Ours(self.made("model"), self.picture)
        if name == "ours, default":
            return Ours(model_of(self.parts, self.device, choose_dtypes(self.device, None, {})), self.picture)
        if name == "bare":
            return Bare(self.made("model"), self.size)
        if name == "sdhelper, default" and own != self.dtype:
            return Sdhelper(pipeline_of(self.parts, self.device, own), self.picture, own)
        if name == "pipe":
            return pipeline_of(self.parts, self.device, self.dtype)
        kinds = {"plain": lambda: Plain(self.made("pipe"), self.picture)}
        return kinds.get(name, lambda: Sdhelper(self.made("pipe"), self.picture, self.dtype))()

    def jobs(self, case: str) -> dict[str, Job]:
        """What is timed in a case, by contender."""
        work = {"one": (("up.1",), (50,)), "many": (SITES, TIMESTEPS), "default": (("up.1",), (50,))}
        if case == "hooks":
            bare = self.made("bare")
            return {"denoscope": bare.hooked, "by hand": bare.by_hand}
        names = {"denoscope": "ours", "sdhelper": "sdhelper", "diffusers": "plain"}
        if case == "default":
            names = {"denoscope": "ours, default", "sdhelper": "sdhelper, default"}
        return {label: _bound(self.made(name), *work[case]) for label, name in names.items()}

    def run(self, case: str, repeats: int) -> None:
        """Rounds of a case until each contender has so many times."""
        seconds = self.record["seconds"].setdefault(case, {})
        if seconds and min(map(len, seconds.values())) >= repeats:
            return
        jobs = self.jobs(case)
        times = {name: seconds.setdefault(name, []) for name in jobs}
        for name, job in jobs.items() if case != "many" else ():
            say(f"{case}: warming up {name}: {self.timed(job):.2f} s")
        for turn in range(min(map(len, times.values())), repeats):
            for name in _rotated(list(jobs), turn):
                times[name].append(self.timed(jobs[name]))
                self.save()
            say(f"{case} {turn + 1}/{repeats}: " + ", ".join(f"{name} {times[name][-1]:.2f} s" for name in jobs))

    def timed(self, job: Job) -> float:
        """Seconds until everything that a job started has ended."""
        self.settle()
        start = time.perf_counter()
        job()
        self.settle()
        return time.perf_counter() - start

    def settle(self) -> None:
        """Wait for an accelerator."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def check(self) -> None:
        """Our hooks and the hand-written forward read the same bits."""
        bare = self.made("bare")
        same = torch.equal(bare.hooked(), bare.by_hand())
        self.record["facts"]["hooks equal the hand-written forward bitwise"] = same

    def memory(self, model: str, counts: tuple[int, ...]) -> None:
        """Peak memory of extracting so many images."""
        found = {str(count): peak(model, count) for count in counts}
        self.record["facts"][f"peak MB of extracting {model}, by images"] = found
        self.save()

    def save(self) -> None:
        """Write everything known, at once or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps(self.record, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.path)

    def estimate(self, cases: list[str], repeats: int, long: int) -> float:
        """Minutes that the asked-for cases will take, from one read by each contender."""
        ours, theirs, plain = (self.timed(job) for job in self.jobs("one").values())
        count = len(TIMESTEPS)
        encode = max(2 * ours - theirs, 0.4 * ours)
        many = encode + count * (ours - encode) + count * theirs + encode + count * (plain - encode)
        each = {"one": ours + theirs + plain, "many": many, "default": ours + theirs, "hooks": ours, "memory": 0.0}
        rounds = {case: long if case == "many" else repeats + 1 for case in CASES}
        fixed = 120.0 * ("memory" in cases)
        return (sum(each[case] * rounds[case] for case in cases) + fixed) / 60


def machine() -> str:
    """Processor and accelerator."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = lines[0] if lines else name
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} cores{gpu}"


def picture(side: int) -> ds.Sample:
    """One generated scene, laid on a square of `side` pixels."""
    sample = Menagerie("test", 128)[0]
    return ds.Sample(sample.id, lay(sample.image, Canvas("stretch", side))[0])


def say(line: str) -> None:
    """To the terminal, at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _bound(reader: Any, sites: tuple[str, ...], timesteps: tuple[int, ...]) -> Job:
    return lambda: reader(sites, timesteps)


def _rotated(names: list[str], turn: int) -> list[str]:
    """Each round begins with another contender."""
    return names[turn % len(names) :] + names[: turn % len(names)]


def arguments() -> argparse.Namespace:
    """What to run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--repeats-long", type=int, default=5, help="rounds of the case `many`")
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32", help="of every contender, but in `default`")
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=None, help="of torch; its own choice unless given")
    parser.add_argument("--memory-model", default="embedded")
    parser.add_argument("--output", type=Path, default=None, help="JSON; benchmarks/results/... unless given")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md whatever the size")
    return parser.parse_args()


def main() -> None:
    """Estimate, run, print, and write the page."""
    chosen = arguments()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    bench = Bench(chosen)
    timed = [case for case in chosen.cases if case != "memory"]
    if {"one", "many", "default"} & set(timed):
        minutes = bench.estimate(chosen.cases, chosen.repeats, chosen.repeats_long)
        say(f"this will take about {minutes:.0f} minutes; stop and start again as you like ({bench.path})")
    for case in timed:
        if case == "hooks":
            bench.check()
        repeats = {"many": chosen.repeats_long, "hooks": 2 * chosen.repeats}.get(case, chosen.repeats)
        bench.run(case, repeats)
    if "memory" in chosen.cases:
        bench.memory(chosen.memory_model, (4, 16))
    bench.save()
    sys.stdout.write(table(bench.record))
    if chosen.page or (chosen.size == 512 and chosen.output is None):
        write_page(RESULTS, Path(__file__).parents[1] / "docs" / "performance.md")


if __name__ == "__main__":
    main()
