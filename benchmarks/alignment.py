"""How long odd-one-out scoring of one site takes: one matrix of similarities against loops over triplets.

Run `python benchmarks/alignment.py` on a quiet machine (about a minute; `--tiny` tries it in seconds). All score the
same vectors of 1854 objects against the same choices, in turns; a time is the best of `--rounds`. Loops are run on
`--looped` triplets, and their time per triplet is what counts; the answers have to be the same. There are two:

- `published`: one triplet at a time in torch, as published code does it: three cosine distances and the closest pair,
  then the chances of the three pairs from their inner products. Against it stand choices and chances of the matrix.
  Torch has one thread, with which single vectors are fastest.
- `lean`: choices alone, in numpy. Against it stand the choices of the matrix alone.

How long affine probes take is measured by `alignment_probe.py`.

What is the same for all sites (the places of pairs in the matrix) is told by itself, and so is the interval over
objects. Data are random: no choice of a person is needed to measure time.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from denoscope.measures.triads import triad_mean
from denoscope.measures.triplets import Judgments, alike, credits, probabilities

PAIRS = ((0, 1), (0, 2), (1, 2))
RESULTS = Path(__file__).parent / "results"
Array = NDArray[Any]


@dataclass(frozen=True)
class Line:
    """One width: seconds per site, and the ratios to the loops."""

    channels: int
    objects: int
    triplets: int
    once_seconds: float
    """Places of the pairs, and which triplets are the same: alike for all sites."""
    gram_seconds: float
    credit_seconds: float
    interval_seconds: float
    chance_seconds: float
    """Inner products of all pairs, and the chances of the three pairs of each triplet."""
    looped: int
    lean_microseconds: float
    """Per triplet."""
    published_microseconds: float
    """Per triplet."""

    @property
    def score_seconds(self) -> float:
        """All triplets of a site."""
        return self.gram_seconds + self.credit_seconds

    @property
    def lean_ratio(self) -> float:
        """Choices alone."""
        return self.lean_microseconds * 1e-6 * self.triplets / self.score_seconds

    @property
    def published_ratio(self) -> float:
        """Choices and chances."""
        return self.published_microseconds * 1e-6 * self.triplets / (self.score_seconds + self.chance_seconds)

    @property
    def told(self) -> dict[str, float]:
        """Everything, for the record."""
        ratios = {"lean_ratio": self.lean_ratio, "published_ratio": self.published_ratio}
        return asdict(self) | {"score_seconds": self.score_seconds} | ratios

    def __str__(self) -> str:
        return (
            f"{self.channels} channels, {self.objects} objects, {self.triplets:,} triplets: {self.score_seconds:.3g} s "
            f"(similarities {self.gram_seconds:.3g}, choices {self.credit_seconds:.3g}), chances "
            f"{self.chance_seconds:.3g} s, interval {self.interval_seconds:.3g} s, once {self.once_seconds:.3g} s; "
            f"the published loop {self.published_microseconds:.3g} us per triplet: {self.published_ratio:.0f} x; "
            f"a lean one {self.lean_microseconds:.3g} us: {self.lean_ratio:.0f} x ({self.looped:,} triplets)"
        )


def lean(x: Array, rows: Array) -> Array:
    """1 where the first two objects of a triplet are the closest by cosine, one triplet at a time."""
    right = np.empty(len(rows))
    for place, row in enumerate(rows):
        vectors = x[row]
        far = [_distance(vectors[i], vectors[j]) for i, j in PAIRS]
        right[place] = int(np.argmin(far)) == 0
    return right


def published(x: Array, rows: Array) -> Array:
    """The same with torch's cosine, and the chances of all three pairs as well."""
    vectors, right, chances = torch.from_numpy(x), torch.zeros(len(rows)), torch.zeros(len(rows), 3)
    for place, row in enumerate(rows):
        three = vectors[torch.from_numpy(row.astype(np.int64))]
        inner = torch.tensor([three[i] @ three[j] for i, j in PAIRS])
        far = torch.tensor([1 - torch.nn.functional.cosine_similarity(three[i], three[j], dim=0) for i, j in PAIRS])
        chances[place] = torch.softmax(inner, dim=0)
        right[place] = float(far.argmin() == 0)
    return right.numpy()


def _distance(u: Array, v: Array) -> float:
    return 1 - float(np.dot(u, v) / (np.linalg.norm(u) * np.linalg.norm(v)))


def measure(channels: int, objects: int, triplets: int, loop: int, rounds: int) -> Line:
    """All contenders, in turns."""
    rng = np.random.default_rng(0)
    x, rows = rng.normal(size=(objects, channels)), _drawn(rng, objects, triplets)
    once, judged = _timed(lambda: _prepared(rows, objects))
    best: dict[str, float] = {}
    for _ in range(rounds):
        gram, similar = _timed(lambda: alike(x))
        credit, found = _timed(lambda similar=similar: credits(similar, judged))
        interval, _ = _timed(lambda found=found: triad_mean(found.right, judged))
        chance, _ = _timed(lambda: probabilities(alike(x, "dot"), judged))
        slow, right = _timed(lambda: lean(x, rows[:loop]))
        slower, told = _timed(lambda: published(x, rows[:loop]))
        if not np.array_equal(right, found.right[:loop]) or not np.array_equal(told, right):
            raise SystemExit("the contenders do not agree")
        now = {"gram": gram, "credit": credit, "interval": interval, "chance": chance, "lean": slow, "told": slower}
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in now.items()}
    per = 1e6 / loop
    return Line(channels, objects, triplets, once, best["gram"], best["credit"], best["interval"], best["chance"], loop,
                best["lean"] * per, best["told"] * per)  # fmt: skip


def _drawn(rng: np.random.Generator, objects: int, count: int) -> Array:
    rows = rng.integers(0, objects, (count + count // 50 + 100, 3), dtype=np.int32)
    a, b, c = rows.T
    return rows[(a != b) & (a != c) & (b != c)][:count]


def _prepared(rows: Array, objects: int) -> Judgments:
    """With everything that depends on the choices alone."""
    judged = Judgments.of(rows, objects)
    _ = judged.pairs, judged.triples, judged.asked
    return judged


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, nargs="+", default=[320, 1280])
    parser.add_argument("--objects", type=int, default=1854)
    parser.add_argument("--triplets", type=int, default=4_700_000)
    parser.add_argument("--looped", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="seconds, nothing kept")
    chosen = parser.parse_args()
    if chosen.tiny:
        chosen.channels, chosen.objects, chosen.triplets, chosen.looped = [64], 200, 100_000, 1000
    torch.set_num_threads(1)
    lines = [measure(channels, chosen.objects, min(chosen.triplets, 10**8), chosen.looped, chosen.rounds)
             for channels in chosen.channels]  # fmt: skip
    for line in lines:
        print(line, flush=True)
    if not chosen.tiny:
        told = [line.told for line in lines]
        machine = {"machine": platform.machine(), "processor": platform.processor(), "cores": os.cpu_count()}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "alignment.json").write_text(
            json.dumps(machine | {"numpy": np.__version__, "torch": torch.__version__, "lines": told}, indent=1)
        )


if __name__ == "__main__":
    main()
