"""One block of a study, measured: extract and evaluate."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from denoscope.core.condition import Condition
from denoscope.core.errors import unknown
from denoscope.core.recipe import canonical
from denoscope.core.report import Report
from denoscope.core.site import alias
from denoscope.evaluate import evaluate
from denoscope.extract import extract
from denoscope.models.coordinates import Canvas
from denoscope.reproduce.rows import Row, rows_of
from denoscope.reproduce.study import Measurement, Published, Study
from denoscope.store.keep import Keep
from denoscope.store.store import Store

if TYPE_CHECKING:
    from denoscope.models.base import Model
    from denoscope.models.replay import Replay

__all__ = ["Block", "measured", "shaped"]


@dataclass(frozen=True)
class Block:
    """What was measured for one model and variant."""

    model: str
    variant: str
    rows: tuple[Row, ...]
    reports: tuple[Report, ...] = ()


def measured(
    study: Study,
    block: Published,
    model: "Model",
    data: Mapping[str, str],
    out: Path,
    compat: bool,
    limit: int | None,
    progress: bool,
) -> Block:
    """Extract and evaluate one block.

    Args:
        study: whose block it is.
        block: variant, changes and published values.
        model: that is read.
        data: data set to the folder where it lies, where the environment does not say it.
        out: folder for stores.
        compat: replay the original protocol, its defects included.
        limit: at most so many images.
        progress: show bars.

    Raises:
        InputError: a data set that is not here, with what to do.
    """
    asked = _meant(_asked(study.measurement.changed(block.changes), data, compat, limit), model)
    one_by_one = asked.data.rpartition("@")[2].partition(":")[0] not in _SMALL
    rows: list[Row] = []
    reports: list[Report] = []
    for part in _levels(asked) if one_by_one else [asked]:
        report = _measure(part, block, model, out, compat, not one_by_one, progress)
        seen = {(row.site, row.level, row.score) for row in rows}  # what depends on no noise comes with every level
        found = rows_of(study, block, asked, report, asked.compat.get("digits") if compat else None)
        rows += [row for row in found if (row.site, row.level, row.score) not in seen]
        reports.append(report)
    return Block(block.model, block.variant, tuple(rows), tuple(reports))


_SMALL = ("menagerie", "photos", "people")
"""Data sets whose stores are kept; real ones are read one noise level at a time, and only the report stays."""


def _measure(
    asked: Measurement, block: Published, model: "Model", out: Path, compat: bool, keep: bool, progress: bool
) -> Report:
    """Extract and evaluate; what was finished by an earlier run is not done again."""
    name = Path(block.model).name
    folder = out / "stores" / f"{name}-{_digest(_reading(asked), model, compat)}"
    done = out / "measured" / f"{name}-{_digest(asked, model, compat)}"
    if not keep and (done / "report.json").exists():
        return Report.load(done)
    store = extract(
        model, asked.data, list(asked.sites) if asked.sites != ("all",) else _blocks(model),
        limit=asked.limit, canvas=_canvas(asked), keep=Keep(**asked.keep), out=folder,
        compat=_compat(asked) if compat else None, progress=progress, **_conditions(asked),
    )  # fmt: skip
    report = evaluate(
        store, asked.task, sites="all", timesteps="all", baselines=asked.baselines, progress=progress,
        twin=_twin(asked, model, folder, progress) if asked.twin else None, **_plain(asked.params),
    )  # fmt: skip
    if not keep:
        report.save(done)
        rmtree(folder)
    return report


def _twin(asked: Measurement, model: "Model", folder: Path, progress: bool) -> Store:
    """The random-init twin, read in the same way."""
    from denoscope.models.loading import load

    return extract(
        load(f"untrained:{model.recipe['name']}"), asked.data, list(asked.sites), limit=asked.limit,
        canvas=_canvas(asked), keep=Keep(**asked.keep), out=folder.with_name(f"{folder.name}-untrained"),
        progress=progress, **_conditions(asked),
    )  # fmt: skip


def _meant(asked: Measurement, model: "Model") -> Measurement:
    """With the timesteps that percentages mean for this model."""
    if not asked.percents:
        return asked
    from denoscope.models.percents import timesteps_of

    return replace(asked, timesteps=tuple(timesteps_of(model, asked.percents)), logsnrs=())


def _conditions(asked: Measurement) -> dict[str, Any]:
    """Noise levels and what is said, as `extract` takes them."""
    levels = {"timesteps": list(asked.timesteps) or None, "logsnrs": list(asked.logsnrs) or None}
    if not asked.prompts and not asked.chances:
        return {**levels, **asked.condition}
    each = [{"timestep": value} for value in asked.timesteps] + [{"logsnr": value} for value in asked.logsnrs]
    texts = [{"prompt": text} for text in asked.prompts] or [{}]
    told = [Condition.from_dict({**level, **asked.condition, **chance, **text})
            for level, chance, text in product(each, asked.chances or [{}], texts)]  # fmt: skip
    return {"conditions": told}


def _levels(asked: Measurement) -> list[Measurement]:
    """The same at one noise level each."""
    timesteps = [replace(asked, timesteps=(value,), logsnrs=()) for value in asked.timesteps]
    return [*timesteps, *(replace(asked, timesteps=(), logsnrs=(value,)) for value in asked.logsnrs)]


def shaped(study: Study, block: Published) -> Block:
    """The shapes of a model's sites beside the published ones; no weights are needed."""
    from denoscope.models.loading import wrap
    from denoscope.models.toys import FULL_SIZES, full_size

    if block.model not in FULL_SIZES:
        raise unknown("configuration", block.model, FULL_SIZES, "denoscope.models.toys.FULL_SIZES")
    scope = wrap(full_size(block.model))
    size = int(study.measurement.changed(block.changes).canvas.get("size") or scope.parts.native)
    found = {info.name: info for info in scope.sites_at(size, size)}
    rows: list[Row] = []
    for site, shape in block.shapes.items():
        info = found[alias(site)]
        ours = (info.channels, info.grid.rows if info.grid else 0)
        for name, value, told in zip(("channels", "rows"), ours, shape, strict=True):
            rows.append(Row(block.model, block.variant, alias(site), "", name, value, value, value, 1, told))
    return Block(block.model, block.variant, tuple(rows))


def _asked(asked: Measurement, data: Mapping[str, str], compat: bool, limit: int | None) -> Measurement:
    """The measurement as it is run."""
    if compat:
        asked = asked.changed({name: value for name, value in asked.compat.items() if name in _OURS})
    if asked.protocol:
        asked = _by_protocol(asked)
    return replace(asked, data=_placed(asked.data, data), limit=asked.limit if limit is None else limit)


def _by_protocol(asked: Measurement) -> Measurement:
    """With the canvas and the switches of a published protocol, where the study does not say others."""
    from denoscope.features.protocols import PROTOCOLS

    if asked.protocol not in PROTOCOLS:
        raise unknown("protocol", asked.protocol, PROTOCOLS, "denoscope.features.protocols.PROTOCOLS")
    told = PROTOCOLS[asked.protocol]
    canvas = {**asdict(told.canvas), **asked.canvas}
    usual = asdict(type(told.task)())
    params = {name: value for name, value in asdict(told.task).items() if value != usual[name]} | dict(asked.params)
    return replace(asked, canvas={name: value for name, value in canvas.items() if value != 0}, params=params)


def _placed(spec: str, places: Mapping[str, str]) -> str:
    """The spec with the folder where its data set lies; in `changed:CHANGES@DATA` that of DATA."""
    outer, at, inner = spec.rpartition("@")
    name, _, rest = inner.partition(":")
    if name in places:
        inner = ":".join(part for part in (name, places[name], rest) if part)
    return f"{outer}{at}{inner}"


def _canvas(asked: Measurement) -> Canvas | None:
    return Canvas(**asked.canvas) if asked.canvas else None


def _compat(asked: Measurement) -> "Replay | None":
    """The extractor that is replayed, with the switches that the study says."""
    from denoscope.models.compat import compat_of

    switches = {name: value for name, value in asked.compat.items() if name not in _ELSE}
    found: Any = compat_of(str(asked.compat.get("extractor", "sdhelper")))
    return replace(found, **switches)


_OURS = ("params", "canvas", "condition", "protocol", "score")
_ELSE = (*_OURS, "extractor", "digits")


def _blocks(model: "Model") -> list[str]:
    """The block outputs of a denoiser: what the seeds compare."""
    names = [tap.site.name for tap in model.taps.values()]
    return [name for name in names if name in ("in", "mid", "out") or _is_block(name)]


def _is_block(name: str) -> bool:
    parts = name.split(".")
    if parts[0] in ("down", "up"):
        return len(parts) == 2
    return parts[0] == "dit" and (len(parts) == 3 or (len(parts) == 4 and parts[3] == "img"))


def _reading(asked: Measurement) -> Measurement:
    """What decides the activations: variants that differ in what is computed from them share a store."""
    return replace(asked, task="", params={}, baselines=(), twin=False)


def _digest(asked: Measurement, model: "Model", compat: bool) -> str:
    """Of everything that decides the numbers, so that an interrupted study goes on and a changed one does not."""
    told = asdict(asked) | {"score": "", "scores": (), "tolerance": None}
    return sha256(canonical([told, dict(model.recipe), compat]).encode()).hexdigest()[:10]


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as a task takes them: lists are tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}
