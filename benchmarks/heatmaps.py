"""What word maps cost: pictures made plainly, with maps streamed beside, and with the whole attention maps recorded.

Run `python benchmarks/heatmaps.py` on a quiet machine (some minutes; `--tiny` tries it in seconds). Contenders take
turns; a ratio is the median over rounds of two runs next to each other, and a time is the best. There are two kinds of
lines:

- `generate`: the embedded model makes pictures, with and without guidance. All three contenders run.
- `forward`: one forward of a few blocks of published width with random weights, at 512 or 1024 pixels, in which only
  image tokens, text tokens and blocks are as many as told. A whole model repeats such blocks, so that its ratio is that
  of its blocks. Without and with the maps of twelve text tokens; whole maps would not fit.

Maps must be those of the whole attention, and pictures the same bit by bit; otherwise nothing is told.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from denoscope.models._toys.published import BLUEPRINTS
from denoscope.models.base import Model
from denoscope.models.components import Components
from denoscope.models.loading import load, wrap
from denoscope.models.text import Text
from denoscope.models.textmaps import TextMaps, text_sites
from denoscope.models.words import columns_of, words_in

RESULTS = Path(__file__).parent / "results"
PROMPT = "a photo of a red cat on the beach"
WIDE: dict[str, dict[str, int]] = {
    "sd15": {},
    "sd3": {"num_layers": 2},
    "flux-schnell": {"num_layers": 1, "num_single_layers": 1, "num_attention_heads": 12},
}
"""What is changed in published configurations: fewer blocks; Flux at half its width."""


@dataclass(frozen=True)
class Line:
    """One setting."""

    what: str
    rows: int
    pixels: int
    sites: int
    plain_seconds: float
    streamed_ratio: float
    """Time with maps, as a share of the time without."""
    whole_ratio: float | None
    """The same where the whole maps are recorded."""

    def __str__(self) -> str:
        whole = f", whole maps recorded {self.whole_ratio:.2f} x" if self.whole_ratio else ""
        return (
            f"{self.what}, {self.rows} rows of {self.pixels} px: {self.plain_seconds:.3g} s, with maps of {self.sites} "
            f"sites {self.streamed_ratio:.3f} x{whole}"
        )


def generated(count: int, steps: int, guidance: float, rounds: int) -> Line:
    """The embedded model."""
    model = load("embedded")
    columns = sorted({c for word in words_in(PROMPT) for c in columns_of(model.text_parts(), PROMPT, word)})
    taps, prompts, options = text_sites(model), [PROMPT] * count, {"steps": steps, "guidance": guidance}
    names = [tap.name for tap in taps]
    maps: list[TextMaps] = []

    def streamed() -> Any:
        maps.append(TextMaps(model, taps, columns))
        return model.generate(prompts, watch=maps[-1], **options)

    works = (
        lambda: model.generate(prompts, **options),
        streamed,
        lambda: model.generate(prompts, record=names, **options),
    )
    plain, watched, whole = (work() for work in works)
    for name, mean in maps[-1].means().items():
        steps_of = [np.asarray(step[name].values)[..., columns].mean(axis=1) for step in whole.activations]
        told = np.mean(steps_of, axis=0).transpose(0, 2, 1)
        if not torch.equal(plain.latents, watched.latents) or not np.allclose(
            mean.reshape(told.shape), told, atol=1e-5
        ):
            raise SystemExit("maps or pictures differ")
    times = _turns(works, rounds)
    ratios = [statistics.median(b / a for a, b in zip(times[0], one, strict=True)) for one in times[1:]]
    what = f"generate, embedded, {steps} steps, guidance {guidance:g}"
    return Line(what, count, model.parts.native, len(taps), min(times[0]), ratios[0], ratios[1])


def forward(name: str, pixels: int, rounds: int) -> Line:
    """A few blocks of published width."""
    model = _wide(name)
    taps, side = text_sites(model), pixels // model.factor
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(1, model.latent_channels, side, side, generator=generator)
    zeros = model.embed([None])
    pooled = None if zeros.pooled is None else torch.randn(zeros.pooled.shape, generator=generator)
    text = Text(torch.randn(zeros.context.shape, generator=generator), pooled)
    maps, times = TextMaps(model, taps, range(1, 13)), torch.full((1,), 500.0)

    def watched() -> torch.Tensor | None:
        values, output = model.run(maps.taps(["cond"]), latents, times, text, stop=False)
        maps.add(values, tuple(latents.shape), [0])
        return output

    works = (lambda: model.run([], latents, times, text, stop=False)[1], watched)
    first, second = (work() for work in works)
    if first is None or second is None or not torch.equal(first, second):
        raise SystemExit("the maps changed the forward")
    seconds = _turns(works, rounds)
    ratio = statistics.median(b / a for a, b in zip(*seconds, strict=True))
    return Line(f"forward, {name} blocks", 1, pixels, len(taps), min(seconds[0]), ratio, None)


def _wide(name: str) -> Model:
    import diffusers

    blueprint = BLUEPRINTS[name]
    torch.manual_seed(0)
    denoiser = getattr(diffusers, blueprint.denoiser)(**blueprint.config | WIDE[name]).eval().requires_grad_(False)
    return wrap(Components(denoiser, None, [], blueprint.scheduler, blueprint.pipeline, {}, blueprint.native))


def _turns(works: Sequence[Callable[[], Any]], rounds: int) -> list[list[float]]:
    """Seconds of each contender in each round."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for seconds, work in zip(found, works, strict=True):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return found


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pixels", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--tiny", action="store_true", help="seconds, nothing kept")
    chosen = parser.parse_args()
    if chosen.tiny:
        chosen.rounds, chosen.steps, chosen.pixels = 1, 2, [64]
    lines: list[Line] = []
    for count, guidance in ((1, 5.0), (8, 5.0), (8, 1.0)):
        lines.append(generated(count, chosen.steps, guidance, chosen.rounds))
        print(lines[-1], flush=True)
    for name in [] if chosen.tiny else WIDE:
        for pixels in chosen.pixels:
            lines.append(forward(name, pixels, max(chosen.rounds // 2, 1)))
            print(lines[-1], flush=True)
    if not chosen.tiny:
        machine = {"machine": platform.machine(), "processor": platform.processor(), "cores": os.cpu_count()}
        RESULTS.mkdir(exist_ok=True)
        told = machine | {"torch": torch.__version__, "lines": [asdict(line) for line in lines]}
        (RESULTS / "heatmaps.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
