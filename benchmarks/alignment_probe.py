"""How long an affine probe of odd-one-out choices takes: to its certified optimum, against the published minibatches.

Run `python benchmarks/alignment_probe.py` on a quiet machine (some twenty minutes; `--tiny` tries it in one).
Both learn from the same choices among two thirds of the objects, and are judged by the same choices among the other
third. Data are planted: activations with a falling spectrum, people who see by a few directions of them with the noise
of a softmax (a held-out loss near that of people, 0.95 nats), so that no model and no data set is needed.

- `certified`: L-BFGS on all choices at once, until the optimality gap is below 1e-5 nats, certificate included, at the
  penalty of `--shares` that gives the lowest held-out loss. The whole path of penalties is told beside it.
- `published`: Adam on batches of 256 in torch, single precision, as published (rate 1e-4, the norm of W as penalty).
- `adam, RATE`: the same batches with the squared norm at the certified penalty, the same objective therefore, at each
  of `--rates`; the best one is the one that is first at the goal.

The goal is a held-out loss of `--slack` nats above the certified one. Time to judge the held-out choices is not counted
for anybody; a descent is given up after 100 epochs or `--patience` times the certified seconds. Where no rate reaches
the goal, the ratio is a lower bound and said to be one.

What bounds the ratio: a step of Adam costs 768 p^2 operations for p channels, the certified descent n p k for n objects
and k columns of the map, hardly more for many channels; and both go through the choices.
"""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from denoscope.measures.affine import highest_penalty, solve, with_bias
from denoscope.measures.affine_choices import Choices
from denoscope.measures.affine_folds import object_folds, within

RESULTS = Path(__file__).parent / "results"
Array = NDArray[Any]
EPOCHS, BATCH, CLIP, START = 100, 256, 1.0, 1e-3


class World(NamedTuple):
    """Scaled activations of the objects that are learned from and of the others, and choices within either."""

    x: Array
    unseen: Array
    rows: Array
    held: Array


@dataclass(frozen=True)
class Way:
    """How a map was reached."""

    name: str
    seconds: float
    """Until the goal, or until it was given up; held-out choices were judged outside of it."""
    loss: float
    """Held-out cross-entropy where it ended, in nats."""
    reached: bool
    epochs: int


@dataclass(frozen=True)
class Race:
    """One width."""

    channels: int
    objects: int
    learned: int
    held: int
    gap: float
    share: float
    chance_loss: float
    certified: Way
    path_seconds: float
    """All penalties of the path, one started at the one before."""
    others: tuple[Way, ...]

    @property
    def best(self) -> Way | None:
        """The rate that is first at the goal."""
        there = [way for way in self.others if way.reached and way.name != "published"]
        return min(there, key=lambda way: way.seconds) if there else None

    def ratio(self, way: Way | None) -> float:
        """How many times longer it took."""
        seconds = way.seconds if way else max(other.seconds for other in self.others)
        return seconds / self.certified.seconds

    def __str__(self) -> str:
        best, published = self.best, self.others[0]
        told = [f"{self.channels} channels, {self.learned:,} choices learned from, {self.held:,} held out: certified "
                f"{self.certified.seconds:.3g} s (gap {self.gap:.1e}, loss {self.certified.loss:.4f}; the path of "
                f"penalties {self.path_seconds:.3g} s)"]  # fmt: skip
        for way, name in ((published, "as published"), (best, f"best rate ({best.name if best else 'none'})")):
            least = "" if way and way.reached else "more than "
            loss = "" if way is None else f", loss {way.loss:.4f} after {way.epochs} epochs"
            told.append(f"{name}: {least}{self.ratio(way):.3g} x{loss}")
        return "; ".join(told)


def world(channels: int, objects: int, triplets: int, seed: int = 0) -> World:
    """Planted: six directions of activations whose spectrum falls as 1 / sqrt."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(objects, channels)) / np.sqrt(np.arange(1, channels + 1))
    thought = x @ rng.normal(size=(channels, 6)) @ np.diag([0.3, 0.25, 0.2, 0.2, 0.15, 0.15])
    train, test = object_folds(objects, 3, 42)[0]
    x = (x - x[train].mean()) / x[train].std()
    rows = _choices(rng, thought, triplets)
    learned, held = (_numbered(within(rows, part, objects), part, objects) for part in (train, test))
    return World(x[train], x[test], learned, held)


def _choices(rng: np.random.Generator, thought: Array, count: int) -> Array:
    """Rows [i, j, odd] by the softmax of inner products."""
    asked = rng.integers(0, len(thought), (count + count // 20 + 100, 3))
    asked = asked[(np.diff(np.sort(asked, axis=1), axis=1) > 0).all(axis=1)][:count]
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]])
    logits = np.stack([(thought[asked[:, i]] * thought[asked[:, j]]).sum(axis=1) for i, j, _ in orders], axis=1)
    return np.take_along_axis(asked, orders[(logits + rng.gumbel(size=logits.shape)).argmax(axis=1)], axis=1)


def _numbered(rows: Array, part: Array, objects: int) -> Array:
    place = np.empty(objects, dtype=np.int64)
    place[part] = np.arange(len(part))
    return place[rows]


def certified(told: World, shares: tuple[float, ...]) -> tuple[Way, float, float, float, float]:
    """The best penalty from scratch: how it was reached, gap, share and penalty; and seconds of the whole path."""
    x, unseen, held = with_bias(told.x), with_bias(told.unseen), Choices.of(told.held, len(told.unseen))
    started, seconds, before, losses = time.perf_counter(), 0.0, None, dict[float, float]()
    choices = Choices.of(told.rows, len(x))
    top = highest_penalty(x, choices)
    seconds += time.perf_counter() - started
    for share in sorted(shares, reverse=True):
        started = time.perf_counter()
        found = solve(x, choices, share * top, start=before, tolerance=1e-5)
        seconds, before = seconds + time.perf_counter() - started, found.factor
        losses[share] = held.loss(found.likeness(unseen))[0]
        if losses[share] > min(losses.values()):
            break
    share = min(losses, key=losses.__getitem__)
    started = time.perf_counter()
    choices = Choices.of(told.rows, len(x))
    found = solve(x, choices, share * highest_penalty(x, choices), tolerance=1e-5)
    way = Way("certified", time.perf_counter() - started, held.loss(found.likeness(unseen))[0], True, 0)
    return way, found.certificate.gap, share, found.penalty, seconds


def adam(told: World, rate: float, penalty: float, squared: bool, goal: float, cap: float, name: str) -> Way:
    """Minibatches until the goal, 100 epochs, or the cap in seconds."""
    x, unseen = (torch.from_numpy(part).float() for part in (told.x, told.unseen))
    rows, held = torch.from_numpy(told.rows), torch.from_numpy(told.held)
    torch.manual_seed(42)
    w = (START * torch.randn(x.shape[1], x.shape[1])).requires_grad_()
    b = torch.full((x.shape[1],), START).requires_grad_()
    steps, seconds, loss, epoch = torch.optim.Adam([w, b], lr=rate), 0.0, np.log(3), 0
    target = torch.zeros(BATCH, dtype=torch.long)
    while epoch < EPOCHS and seconds < cap and loss > goal:
        epoch, started = epoch + 1, time.perf_counter()
        for batch in rows[torch.randperm(len(rows))].split(BATCH):
            steps.zero_grad()
            size = w.square().sum()
            told_by = torch.nn.functional.cross_entropy(_logits(x, w, b, batch), target[: len(batch)])
            (told_by + penalty * (size if squared else size.sqrt())).backward()
            torch.nn.utils.clip_grad_norm_([w, b], CLIP)
            steps.step()
            if time.perf_counter() - started + seconds > cap:
                break
        seconds += time.perf_counter() - started
        with torch.no_grad():
            parts = [_logits(unseen, w, b, part) for part in held.split(4096)]
            loss = float(torch.nn.functional.cross_entropy(torch.cat(parts), torch.zeros(len(held), dtype=torch.long)))
    return Way(name, seconds, loss, loss <= goal, epoch)


def _logits(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Inner products of the three pairs, the kept one first."""
    i, j, odd = (x[rows] @ w + b).unbind(1)
    return torch.stack([(i * j).sum(1), (i * odd).sum(1), (j * odd).sum(1)], dim=1)


def race(channels: int, objects: int, triplets: int, chosen: argparse.Namespace) -> Race:
    """All contenders on one planted world."""
    told = world(channels, objects, triplets)
    ours, gap, share, penalty, path = certified(told, tuple(chosen.shares))
    goal, cap = ours.loss + chosen.slack, chosen.patience * ours.seconds
    others = [adam(told, 1e-4, 0.1, False, goal, cap, "published")]
    others += [adam(told, rate, penalty, True, goal, cap, f"adam, {rate:g}") for rate in chosen.rates]
    return Race(channels, objects, len(told.rows), len(told.held), gap, share, float(np.log(3)), ours, path,
                tuple(others))  # fmt: skip


def main() -> None:
    """Race, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, nargs="+", default=[320, 1280])
    parser.add_argument("--objects", type=int, default=1854)
    parser.add_argument("--triplets", type=int, default=1_000_000)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 0.1, 0.03, 0.01, 0.003])
    parser.add_argument("--rates", type=float, nargs="+", default=[3e-4, 1e-3, 3e-3, 1e-2])
    parser.add_argument("--slack", type=float, default=0.002)
    parser.add_argument("--patience", type=float, default=25)
    parser.add_argument("--tiny", action="store_true", help="a minute, nothing kept")
    chosen = parser.parse_args()
    if chosen.tiny:
        chosen.channels, chosen.objects, chosen.triplets, chosen.rates = [96], 240, 20_000, [1e-3, 3e-3]
    races = []
    for channels in chosen.channels:
        races.append(race(channels, chosen.objects, chosen.triplets, chosen))
        print(races[-1], flush=True)
    if not chosen.tiny:
        told = [asdict(one) | {"ratio": one.ratio(one.best), "best reached": one.best is not None,
                               "published ratio": one.ratio(one.others[0])} for one in races]  # fmt: skip
        machine = {"machine": platform.machine(), "processor": platform.processor(), "cores": os.cpu_count()}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "alignment-probe.json").write_text(
            json.dumps(machine | {"numpy": np.__version__, "torch": torch.__version__, "races": told}, indent=1)
        )


if __name__ == "__main__":
    main()
