"""Does the denoiser go on as before when a dictionary's reconstruction stands in for the activations?"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from denoscope.chosen import loaded
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError
from denoscope.core.recipe import Origin, canonical
from denoscope.core.report import Report, Score
from denoscope.core.sample import DataSet, Sample
from denoscope.data.base import open_data
from denoscope.dictionaries._directions import read_at
from denoscope.dictionaries.attaching import attach
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.edits import by_site
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.splices import level, splice
from denoscope.measures.statistics import bootstrap_ratio
from denoscope.progress import progress_bar

if TYPE_CHECKING:
    from pathlib import Path

    from denoscope.models.base import Model

__all__ = ["faithful"]

Array = NDArray[Any]
_NOTE = (
    "Recovered: 1 - sum |output with the reconstruction - output|^2 / sum |output with the mean at every cell - "
    "output|^2, over images; 1 is as if nothing had been put in, 0 as bad as a site that says nothing. Principal "
    "components are as many as the dictionary has codes per cell; they and the mean are of the first half of the "
    "images, and all is measured on the second. Intervals are from a bootstrap over images."
)
_PICTURES = (
    "Pictures are sampled from one noise each, the reconstruction standing in at every step. A dictionary that was "
    "learned at one noise level has never seen the others: its pictures say how far it carries, not how good it is."
)
_ROWS = 16


def faithful(
    model: "str | Path | Model",
    dictionary: "Learned | str | Path",
    data: "str | DataSet | Sequence[Sample]" = "menagerie:test",
    *,
    condition: Condition | None = None,
    limit: int = 64,
    prompts: Sequence[str] = (),
    steps: int = 20,
    guidance: float = 5.0,
    seed: int = 0,
    progress: bool = False,
    force: bool = False,
) -> Report:
    """How much of the denoiser's output, and of sampled pictures, a dictionary's reconstruction keeps.

    Args:
        model: name or path that `load` takes, or a loaded model.
        dictionary: what `learn` made, or its folder; it says at which site.
        data: spec that `open_data` takes, or samples.
        condition: of reading; the dictionary's own unless given.
        limit: at most so many images; half of them teach the baselines.
        prompts: pictures are sampled from these as well, where there are any.
        steps, guidance, seed: of sampling.
        progress: show a bar with the time left.
        force: also a dictionary of another model.

    Returns:
        A report with `output recovered` and, with prompts, `picture recovered`, beside the same of as many principal
        components and of atoms by chance.

    Raises:
        InputError: a dictionary that does not say where it was learned, or of another model, or fewer than four images.
    """
    started, scope = time.perf_counter(), loaded(model)
    made = dictionary if isinstance(dictionary, Learned) else load_dictionary(dictionary)
    if made.site is None:
        raise InputError("this dictionary does not say at which site it was learned; learn it with denoscope learn")
    attach(made, scope, force=force)
    how = condition or Condition.from_dict(made.about.get("condition", {"timestep": 50}))
    found = open_data(data, limit)
    samples = [found[index] for index in range(len(found))]
    if len(samples) < 4:
        raise InputError(f"half of the images teach the baselines: {len(samples)} are too few, four are needed")
    half = len(samples) // 2
    cells = _cells(scope, samples[:half], made, how)
    edits, sampling = _edits(read_at(made, how.timestep or 0.0), cells), _edits(made, cells)
    with progress_bar("faithful", (len(edits) + 1) * (len(samples) - half + len(prompts)), progress) as advance:
        outputs = _spliced(edits, lambda edit: _outputs(scope, samples[half:], how, edit, advance))
        rows = _rows("output", outputs)
        pictures = {}
        if prompts:
            told = {"steps": steps, "guidance": guidance, "seed": seed}
            pictures = _spliced(sampling, lambda edit: _pictures(scope, prompts, edit, advance, told))
            rows += _rows("picture", pictures)
    return Report(
        task=f"faithful-{made.name}",
        parameters={"site": str(made.site), "condition": str(how), "images": len(samples) - half,
                    "prompts": len(prompts), "steps": steps, "guidance": guidance, "seed": seed},
        scores=tuple(_score(name, error, worst) for name, error, worst in rows),
        inputs={"model": _digest(dict(scope.recipe)), "dictionary": _digest([made.name, asdict(made.settings),
                str(float(np.abs(made.atoms).sum()))])},
        origin=Origin.now(time.perf_counter() - started, str(scope.device)),
        table={"image": [sample.id for sample in samples[half:]],
               **{name: error.tolist() for name, error, _ in rows if name.startswith("output")}},
        notes=(_NOTE, *([_PICTURES] if prompts else [])),
    )  # fmt: skip


def _cells(scope: "Model", samples: Sequence[Sample], made: Learned, how: Condition) -> Array:
    """Activations `(cell, channel)` of the images that teach baselines.

    Raises:
        InputError: another width than the dictionary's.
    """
    flat = scope.read(list(samples), str(made.site), how)[str(made.site)].tokens().numpy()
    cells = flat.reshape(-1, flat.shape[-1]).astype(np.float32)
    if cells.shape[1] != made.width:
        raise InputError(f"{made.site} holds {cells.shape[1]} channels here, but the dictionary reads {made.width}")
    return cells


def _edits(made: Learned, cells: Array) -> dict[str, Any]:
    """What stands in for the activations, by name; the mean at every cell comes last."""
    site, mean = str(made.site), cells.mean(axis=0)
    per_cell = min(int(getattr(made.settings, "k", len(made.atoms))), made.width)
    found: dict[str, Any] = {"": splice(made)}
    if not isinstance(made, PCA):
        found[f"{per_cell} principal components"] = splice(PCA(atoms=per_cell).fit([cells]), site=site)
    if (twin := made.random(mean)) is not None:
        found["random atoms"] = splice(twin, site=site)
    return found | {"mean": level(mean, site)}


def _spliced(edits: Mapping[str, Any], run: Callable[[Any], Array]) -> dict[str, Array]:
    """Squared error of each row `(row,)` against the run without an edit."""
    plain = run(None)
    return {name: np.square(run(edit) - plain).reshape(len(plain), -1).sum(axis=1) for name, edit in edits.items()}


def _outputs(
    scope: "Model", samples: Sequence[Sample], how: Condition, edit: Any, advance: Callable[[int], Any]
) -> Array:
    """The denoiser's output on images, `(image, ...)`."""
    out = str(scope.select("out")[0]) if "out" in scope.taps else list(scope.taps)[-1]
    with scope.edit(by_site([edit]) if edit is not None else {}):
        parts = []
        for start in range(0, len(samples), _ROWS):
            some = list(samples[start : start + _ROWS])
            parts.append(scope.read(some, out, how)[out].numpy().astype(np.float64))
            advance(len(some))
    return np.concatenate(parts)


def _pictures(
    scope: "Model", prompts: Sequence[str], edit: Any, advance: Callable[[int], Any], told: Mapping[str, Any]
) -> Array:
    """Sampled pictures, `(prompt, row, col, 3)`, in shares of 255."""
    made = scope.generate(list(prompts), edits=by_site([edit]) if edit is not None else None, **told)
    advance(len(prompts))
    return made.images.astype(np.float64) / 255


def _rows(what: str, errors: Mapping[str, Array]) -> list[tuple[str, Array, Array]]:
    worst = errors["mean"]
    return [(f"{what} recovered{', ' if name else ''}{name}", error, worst)
            for name, error in errors.items() if name != "mean"]  # fmt: skip


def _score(name: str, error: Array, worst: Array) -> Score:
    found = bootstrap_ratio(worst - error, worst)
    better: Any = None if ", " in name else "higher"
    return Score(name, **found._asdict(), unit="share", better=better, over="images")


def _digest(told: Any) -> str:
    return sha256(canonical(told).encode()).hexdigest()[:16]
