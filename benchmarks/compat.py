"""What each defect of sdhelper 1.0.0 changes: switched off one at a time, measured on generated scenes.

Run `python benchmarks/compat.py`; it writes `docs/compat.md`. About a minute of one core.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import denoscope as ds
from denoscope.measures.statistics import Estimate, bootstrap_mean
from denoscope.models.compat import Compat
from denoscope.models.loading import wrap

ROOT = Path(__file__).parents[1]
SWITCHES = tuple(field.name for field in fields(Compat) if field.type == "bool")
SEED = 42
Values = NDArray[np.float32]
"""(sample, cell, channel)."""


@dataclass(frozen=True)
class Case:
    """One model and where it is read."""

    title: str
    model: Any
    sites: tuple[str, ...]
    weights: str


@dataclass(frozen=True)
class Line:
    """One site of one model at one timestep, with one change of switches."""

    case: str
    timestep: int
    change: str
    site: str
    distance: Estimate
    cosine: Estimate
    pairs: Estimate

    def __str__(self) -> str:
        cells = (self.case, self.timestep, self.change, self.site, *map(_spell, (self.distance, self.cosine)))
        return "| " + " | ".join(map(str, (*cells, _spell(self.pairs)))) + " |"


def cases() -> Iterator[Case]:
    """The embedded model, the same as if its pipeline had an Euler scheduler, and toys of SDXL and SD3."""
    embedded = ds.load("embedded")
    digest = embedded.recipe.get("weights", "?")
    weights = f"{_status()}, digest {digest}"
    unet = ("down.1", "mid", "up.1", "up.2")
    yield Case("embedded", embedded, unet, weights)
    euler = {**embedded.parts.scheduler, "_class_name": "EulerDiscreteScheduler"}
    yield Case("embedded, Euler", wrap(replace(embedded.parts, scheduler=euler)), ("mid", "up.1"), weights)
    yield Case("toy-sdxl", ds.load("toy-sdxl"), ("mid", "up.0", "up.1"), "random")
    yield Case("toy-sd3", ds.load("toy-sd3"), ("dit.d.1.img", "dit.d.3.img"), "random")


def _status() -> str:
    """What the embedded model's card says of its weights."""
    card = ROOT / "src/denoscope/models/embedded/CARD.md"
    if not card.exists():
        return "random, not yet trained"
    return "an intermediate checkpoint" if "intermediate checkpoint" in card.read_text() else "trained"


def concerned(case: Case) -> Iterator[str]:
    """Switches that act on a model."""
    if case.title == "embedded, Euler":
        yield "double_scaling"
        return
    acting = {"embedded": {"unit_range"}, "toy-sdxl": {"unit_range", "double_scaling", "drop_conditioning"}}
    acting["toy-sd3"] = {"sd3_step_index"}
    always = {"shared_noise", "posterior_sample"}
    yield from (name for name in SWITCHES if name in acting[case.title] | always)


def measure(case: Case, samples: Sequence[ds.Sample], timestep: int) -> Iterator[Line]:
    """Every concerned switch off alone, then all of them."""
    condition = ds.Condition(timestep=timestep, seed=SEED)

    def read(compat: Compat | None) -> dict[str, Values]:
        canvas = Compat().canvas(None)
        found = case.model.read(samples, case.sites, condition, compat=compat, canvas=canvas)
        return {site: found[site].tokens().numpy().astype(np.float32) for site in case.sites}

    on = read(Compat())
    names = list(concerned(case))
    off = {f"`{name}` off": read(Compat(**{name: False})) for name in names}
    if len(names) > 1:
        off["all off"] = read(None)
    for site in case.sites:
        zero = bootstrap_mean(np.zeros(len(samples)))
        yield Line(case.title, timestep, "all on", site, zero, bootstrap_mean(np.ones(len(samples))), _pairs(on[site]))
        for change, values in off.items():
            yield _line(case, timestep, change, site, on[site], values[site])


def _line(case: Case, timestep: int, change: str, site: str, before: Values, after: Values) -> Line:
    distance = _norm(after - before) / _norm(before)
    cosine = (_unit(before) * _unit(after)).sum(-1).mean(-1)
    return Line(
        case.title, timestep, change, site, bootstrap_mean(distance), bootstrap_mean(cosine), _pairs(after)
    )  # fmt: skip


def _pairs(values: Values) -> Estimate:
    """Cosine of the same cell in two different images: each image against the next."""
    unit = _unit(values)
    return bootstrap_mean((unit * np.roll(unit, 1, axis=0)).sum(-1).mean(-1))


def _norm(values: Values) -> NDArray[np.float32]:
    return np.sqrt((values.astype(np.float64) ** 2).sum((1, 2)))


def _unit(values: Values) -> Values:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)


def _spell(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


PAGE = """# Replaying sdhelper

`model.read(..., compat="sdhelper")` and `extract(..., compat="sdhelper")` compute what
[sdhelper](https://github.com/JonasLoos/sdhelper) 1.0.0 computes, so that numbers which were published with it can be
replayed, and the part of each defect in them measured. `tests/models/test_compat.py` holds both to a relative
distance of 1e-5 on shared random weights of SD 1.5, SD 2.1, SD-Turbo, SDXL and SD3. The model, its scheduler and the
global random state are left alone, and the switches are part of the recipe.

```python
import denoscope as ds
from denoscope.models.compat import Compat

model = ds.load("toy-sdxl")
images = [sample.image for sample in ds.open_data("menagerie:test", 2)]
replayed = model.read(images, "mid", ds.Condition(timestep=50, seed=42), compat="sdhelper")
conditioned = model.read(images, "mid", ds.Condition(timestep=50, seed=42), compat=Compat(drop_conditioning=False))
```

## Switches

| switch | what it replays |
|---|---|
| `unit_range` | U-Nets: the VAE is given [0, 1] instead of [-1, 1] |
| `shared_noise` | one noise for all images of a batch, drawn after the posterior draw of the whole batch |
| `posterior_sample` | latents are drawn from the VAE's posterior instead of taking its mode |
| `double_scaling` | Euler schedulers: latents at variance 1 are multiplied by sqrt(alpha-bar) once more; sticky |
| `drop_conditioning` | SDXL: no pooled text, no size and crop ids |
| `sd3_step_index` | SD3: timestep t is entry 999 - t of a schedule that was shifted twice |

`sticky_timestep` says which timestep a session asked for first, since a sticky scheduler keeps its factor;
`batch` how many images share their chance (20, as in sdhelper). A batch draws its chance from one seed, so a call
reads one seed, one draw. The noise is the CPU's or the GPU's, as the device is. The size policy is `stretch`.

## What each defect changes

Per image: the relative L2 distance between the values with every switch on and those with one switched off, and the
mean cosine over cells. Last column: cosine of the same cell in two different images, under the changed rules. Means
over {n} images of `menagerie:test` with 95 % bootstrap intervals over images, seed {seed}, fp32. "embedded, Euler"
is the embedded model with its scheduler's name changed, which is all that double scaling depends on.

Weights: {weights}.
{warning}
| model | timestep | change | site | relative L2 | cosine | between images |
|---|---|---|---|---|---|---|
{lines}

Reading it: `shared_noise` and `posterior_sample` off re-draw the chance, so their distance is that between two draws;
what shared noise can harm is the last column, where cells of different images look alike for holding the same noise.
Distances on random weights say what the arithmetic does, not how much a trained model's features suffer.

Made by `{command}`.
"""
EARLY = "\n**Not the final weights of the embedded model: to be measured again once its training has ended.**\n"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--timesteps", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "compat.md")
    chosen = parser.parse_args()
    samples = list(ds.open_data("menagerie:test", chosen.images))
    known = list(cases())
    lines: list[str] = []
    for case in known:
        for timestep in chosen.timesteps:
            for line in measure(case, samples, timestep):
                lines.append(str(line))
                sys.stderr.write(lines[-1] + "\n")
    weights = "; ".join(f"{case.title} {case.weights}" for case in known if case.title != "embedded, Euler")
    command = f"python benchmarks/compat.py --images {chosen.images}"
    page = PAGE.format(
        n=len(samples),
        seed=SEED,
        weights=weights,
        warning="" if _status() == "trained" else EARLY,
        lines="\n".join(lines),
        command=command,
    )
    chosen.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
