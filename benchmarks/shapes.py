"""How fast denoisers of published shapes run here: rows per second, and shares of the machine's measured ceilings.

Run: python benchmarks/shapes.py --device cuda --out benchmarks/results/shapes-cuda.json (a few minutes)
     python benchmarks/shapes.py --device cuda --compile --out benchmarks/results/shapes-cuda.json
     python benchmarks/shapes.py --tiny (seconds; toys of the same shapes, small canvas, any machine)
Weights are random, which costs as much as trained ones. A row is one forward of the denoiser up to its end, with hooks,
on latents that lie on the device; Flux keeps `--flux-blocks` of its 19 + 38 blocks, in that proportion. `of matmul`:
counted operations (products, convolutions, attention) per second, as a share of one large product's. `of bandwidth`:
the weights' bytes, read once per forward, per second, as a share of one large copy's; it says how much of a forward is
waiting for weights when rows are few. With `--compile` the same forward once more with compiled blocks, the seconds of
compiling, and how far the output moves (largest difference over the output's standard deviation).
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from denoscope.bench.ceilings import Ceilings, Rate, ceilings, rate_of
from denoscope.bench.record import machine_of
from denoscope.models._toys.published import BLUEPRINTS
from denoscope.models._toys.small import SMALL
from denoscope.models.base import Model
from denoscope.models.components import Components
from denoscope.models.loading import wrap
from denoscope.models.precision import choose_device, choose_dtypes

NAMES = ("sd15", "sdxl", "flux-dev")
SIDES = {"sd15": 512, "sdxl": 1024, "flux-dev": 1024}
_TILE = 1 << 20


def built(name: str, device: torch.device, dtype: torch.dtype, asked: argparse.Namespace) -> Model:
    """The denoiser alone, of random weights."""
    import diffusers

    blueprint = BLUEPRINTS[name]
    changes: dict[str, Any] = dict(SMALL[name]) if asked.tiny else {}
    if name == "flux-dev" and not asked.tiny:
        changes = {"num_layers": asked.flux_blocks, "num_single_layers": 2 * asked.flux_blocks}
    with torch.device("meta"):
        denoiser = getattr(diffusers, blueprint.denoiser)(**blueprint.config | changes)
    torch.nn.Module.to(denoiser, dtype).to_empty(device=device).requires_grad_(False).eval()
    chance = torch.Generator(device).manual_seed(0)
    tile = torch.randn(_TILE, generator=chance, device=device, dtype=torch.float32).to(dtype)
    for weight in [*denoiser.parameters(), *denoiser.buffers()]:
        flat = weight.data.view(-1)
        for start in range(0, len(flat), _TILE):
            flat[start : start + _TILE] = tile[: len(flat) - start]
        flat.div_(max(weight[0].numel(), 1) ** 0.5 if weight.ndim > 1 else 1.0)
    torch.nn.Module.to(denoiser, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    parts = Components(denoiser, None, [], blueprint.scheduler, blueprint.pipeline, {"shape": name}, blueprint.native)
    return wrap(parts)


def measured(name: str, device: torch.device, limits: Ceilings, rows: int, asked: argparse.Namespace) -> dict[str, Any]:
    """One shape with so many rows at a time."""
    dtype = getattr(torch, limits.dtype)
    model = built(name, device, dtype, asked)
    side = 64 if asked.tiny else SIDES[name]
    table = model.sites_at(side, side)
    channels = model.parts.denoiser.config["in_channels"] // model.patch**2
    shape = (rows, channels, side // model.factor, side // model.factor)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(device)
    job = _forward(model, latents, model.parts.denoiser.config.get("guidance_embeds", False))
    flops = table.flops * rows
    weights = sum(weight.nbytes for weight in model.parts.denoiser.parameters())
    plain = job()
    rate = rate_of(job, rows, device, asked.seconds)
    told = {"shape": name, "side": side, "rows": rows, "rate": asdict(rate), "flops": flops, "weights": weights,
            "of matmul": rate.median / rows * flops / limits.matmul.median,
            "of bandwidth": rate.median / rows * weights / limits.bandwidth.median}  # fmt: skip
    return told | (_compiled(model, job, plain, rate, device, asked) if asked.compile else {})


def _forward(model: Model, latents: torch.Tensor, guided: bool) -> Any:
    rows = len(latents)
    timesteps = torch.full((rows,), 200.0)
    texts = model.texts([None] * rows)
    tap = model.taps["out"]
    return lambda: model.run([tap], latents, timesteps, texts, 3.5 if guided else None)[0]["out"]


def _compiled(
    model: Model, job: Any, plain: torch.Tensor, rate: Rate, device: torch.device, asked: argparse.Namespace
) -> dict[str, Any]:
    model.compile()
    begun = time.perf_counter()
    moved = (job().float() - plain.float()).abs().max() / plain.float().std()
    spent = time.perf_counter() - begun
    faster = rate_of(job, len(plain), device, asked.seconds)
    return {"compiled": asdict(faster), "compiling": spent, "moved": float(moved),
            "faster by": faster.median / rate.median}  # fmt: skip


def main() -> None:
    """Print each line as it is measured; keep all with `--out`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="toys, which take seconds and say little")
    parser.add_argument("--device", help="cpu, cuda; the best there is unless given")
    parser.add_argument("--shapes", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--rows", nargs="+", type=int, help="together; 1 and, on a GPU, 8 unless given")
    parser.add_argument("--flux-blocks", type=int, default=4, help="joint blocks of Flux, beside twice as many single")
    parser.add_argument("--compile", action="store_true", help="once more with compiled blocks")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each line, unless three runs take longer")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    device = choose_device(asked.device)
    limits = ceilings(device, choose_dtypes(device, None, {})["denoiser"], asked.tiny)
    lines: list[dict[str, Any]] = []
    for name in asked.shapes:
        for rows in asked.rows or ([1, 8] if device.type == "cuda" else [1]):
            lines.append(measured(name, device, limits, rows, asked))
            print(json.dumps(lines[-1]), flush=True)
            if asked.out:
                about = {"machine": machine_of(device), "device": device.type, "threads": torch.get_num_threads(),
                         "torch": torch.__version__, "tiny": asked.tiny, "flux blocks": asked.flux_blocks}  # fmt: skip
                asked.out.write_text(json.dumps({**about, "ceilings": asdict(limits), "lines": lines}, indent=1) + "\n")


if __name__ == "__main__":
    main()
