"""How fast signed gradient pursuit is, against the dense form as published, and what its screen costs.

Run `python benchmarks/pursuit.py` (minutes) or with `--tiny` (seconds). Atoms are data points of an anisotropic sparse
world, as ITDA's are: alike, and hard for a screen. All ratios are of one run, on the same vectors, dtype and threads;
each way is run in turn `--repeats` times and its shortest time counts:

- `naive`: codes of all atoms as one matrix, and three products with the whole dictionary per pick, as published code
  does it (with a denominator that is clamped);
- `exact`: one product per pick, codes and gathered atoms of the picks alone; the same codes, which is checked;
- `screened`: the whole dictionary only after 1, 1, 2, 2, 3, 3, 4, 4, ... picks.

`FVU cost` is the unexplained variance of the screened codes over that of the exact ones, less one; `floor` is the time
of the one product with the dictionary that any exact answer needs at least, as a share of the screened time.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from denoscope.measures.pursuit import Screen, pursue

FULL = {"rows": 256, "channels": 1280, "atoms": 20_480, "k": 32}
TINY = {"rows": 64, "channels": 128, "atoms": 1024, "k": 16}


def world(size: dict[str, int], device: str, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors, and atoms from the same source: a few of many directions each, of falling size, and noise."""
    chance = torch.Generator().manual_seed(seed)
    channels, count = size["channels"], size["rows"] + size["atoms"]
    directions = torch.randn(2 * channels, channels, generator=chance) / channels**0.5
    falling = torch.arange(1, 2 * channels + 1) ** -0.3
    active = torch.rand(count, 2 * channels, generator=chance) < 20 / (2 * channels)
    codes = active * falling * torch.empty(count, 2 * channels).exponential_(generator=chance)
    rows = codes @ directions + 0.1 * torch.randn(count, channels, generator=chance) / channels**0.5
    rows = (rows - rows.mean(dim=0)).to(device)
    atoms = rows[size["rows"] :]
    return rows[: size["rows"]], atoms / atoms.norm(dim=1, keepdim=True)


def naive(x: torch.Tensor, atoms: torch.Tensor, k: int) -> torch.Tensor:
    """What no atom explains; r = x - wD, g = r D' on the support, c = gD, w <- w + (c.r / c.c) g, all dense."""
    w = x.new_zeros(len(x), len(atoms))
    support = torch.zeros_like(w, dtype=torch.bool)
    for _ in range(k):
        r = x - w @ atoms
        likeness = r @ atoms.T
        support.scatter_(1, likeness.abs().argmax(dim=1, keepdim=True), True)
        g = likeness * support
        c = g @ atoms
        w = w + ((c * r).sum(dim=1) / (c * c).sum(dim=1).clamp_min(1e-30))[:, None] * g
    return x - w @ atoms


def seconds(work: Callable[[], Any], device: str) -> float:
    """Wall time of one call."""
    wait: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    started = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - started


def measured(size: dict[str, int], screen: Screen, device: str, repeats: int) -> dict[str, Any]:
    """All ratios."""
    x, atoms = world(size, device)
    k = size["k"]
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "naive": lambda: naive(x, atoms, k),
        "exact": lambda: pursue(x, atoms, k).left,
        "screened": lambda: pursue(x, atoms, k, screen=screen).left,
        "one product": lambda: x @ atoms.T,
    }
    left = {name: way().square().sum(dim=1) for name, way in ways.items()}
    best = {name: min(seconds(way, device) for _ in range(repeats)) for name, way in ways.items()}
    fvu = {name: float(left[name].sum() / x.square().sum()) for name in ("naive", "exact", "screened")}
    assert abs(fvu["exact"] / fvu["naive"] - 1) < 1e-3, f"the exact form finds other codes: {fvu}"
    return {
        **size, "device": device, "threads": torch.get_num_threads(), "candidates": screen.candidates,
        "picks": screen.picks, "products with the dictionary": len(screen.rounds(k)),
        "seconds": {name: round(s, 4) for name, s in best.items()},
        "vectors per second, screened": round(len(x) / best["screened"]),
        "FVU": {name: round(v, 5) for name, v in fvu.items()},
        "exact over naive": round(best["naive"] / best["exact"], 2),
        "screened over naive": round(best["naive"] / best["screened"], 2),
        "FVU cost": round(fvu["screened"] / fvu["exact"] - 1, 5),
        "beaten": round(pursue(x, atoms, k, screen=screen).beaten, 4),
        "floor": round(best["one product"] / best["screened"], 3),
    }  # fmt: skip


def main() -> None:
    """Print the figures as JSON; keep them with `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="a size that takes seconds")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--candidates", type=int, nargs="+", default=[64, Screen().candidates])
    parser.add_argument("--picks", type=int, default=Screen().picks)
    parser.add_argument("--rows", type=int, help="vectors; an accelerator wants thousands")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    size = (TINY if asked.tiny else FULL) | ({"rows": asked.rows} if asked.rows else {})
    told = [measured(size, Screen(count, asked.picks), asked.device, asked.repeats) for count in asked.candidates]
    print(json.dumps(told, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
