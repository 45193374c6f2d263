"""Features that other programs saved, into a store: `import_features`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.core.activations import Activations, Layout
from denoscope.core.errors import InputError, unknown
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.registry import fold
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.data.base import identity, open_data, read, spell
from denoscope.interchange.imported import dift, generic, sd_dino, thingsvision
from denoscope.interchange.imported.arrays import Values
from denoscope.interchange.imported.files import digest
from denoscope.interchange.imported.matching import Matcher, short_names
from denoscope.interchange.imported.rows import Entry, Part
from denoscope.interchange.imported.told import Told
from denoscope.progress import progress_bar
from denoscope.store.codec import Dtype
from denoscope.store.keep import Keep
from denoscope.store.room import SHARE, check_room
from denoscope.store.store import Store
from denoscope.store.writer import Plan, Work

__all__ = ["FORMATS", "import_features"]

log = logging.getLogger(__name__)

FORMATS: dict[str, Callable[[Path, Told], list[Part]]] = {
    "dift": dift.parts,
    "sd-dino": sd_dino.parts,
    "thingsvision": thingsvision.parts,
    "generic-diffusion-feature": generic.parts,
}
"""Readers of folders, by the name of the program that writes them."""

_SHARD_BYTES = 256 << 20
_SHARD_SIZES = (4, 512)
_LESS = "import fewer (--limit), keep less (--pooled, --dtype int8), or say --yes"
_NOTHING = np.zeros((1, 1, 3), dtype=np.uint8)


def import_features(
    folder: str | Path,
    format: str,
    *,
    out: str | Path,
    data: str | Path | DataSet | Sequence[Sample] | None = None,
    limit: int | None = None,
    told: Told | None = None,
    pooled: bool = False,
    dtype: Dtype | None = None,
    shard_size: int | None = None,
    most_disk: float = SHARE,
    progress: bool = True,
    **said: Any,
) -> Store:
    """Put features that another program saved into a store, where tasks, dictionaries and the explorer find them.

    Values stay what they are. What the files do not tell is said by the caller, taken from the program's usual ways
    (`usual=True`, recorded as assumed), or recorded as unknown. Files are read one picture after the other; run the
    same call again after an interruption and it goes on.

    Args:
        folder: with the files of one extraction.
        format: `dift`, `sd-dino`, `thingsvision` or `generic-diffusion-feature`.
        out: folder or fsspec URL of the store; new recipes join those already there.
        data: the pictures, as `open_data` takes them: facts, frames and padding come from there. Features are found
            by the ends of their paths. Without it ids are the files' names, and facts only the names of folders.
        limit: at most so many pictures.
        told: what the files do not say; or its fields as keywords, as in `site="up.1", timestep=261`.
        pooled: keep one vector per picture, the mean of its cells; vectors stay vectors anyway.
        dtype: precision on disk; that of the files unless given.
        shard_size: pictures per shard; by default about 256 MiB.
        most_disk: share of the free disk that may be filled.
        progress: show a bar with the time left.
        said: `model` (the checkpoint, recorded), `site`, `timestep`, `prompt`, `draws`, `seed`; `size` and `laid` (to
            what size pictures were brought, and how), `usual` (the program's own defaults for the rest), `flipped`
            (mirrored pictures of sd-dino), `drop_tokens`, `ordered` (thingsvision). `site` and `timestep` may be
            `"unknown"`.

    Returns:
        The store. Pictures without features are listed in `store.skipped`.

    Raises:
        UnknownName: no such format.
        InputError: files that are damaged or of another kind, something needed that nobody said, or features of no
            picture that is there.
        NeedsRoom: the store would fill more than `most_disk` of what is free.
    """
    name = next((known for known in FORMATS if fold(known) == fold(format)), None)
    if name is None:
        raise unknown("format of features", format, FORMATS, "help(denoscope.import_features)")
    if told is not None and said:
        raise InputError(f"told says everything; leave out {', '.join(said)}")
    asked, root = told or _told(said), Path(folder).expanduser()
    if not root.exists():
        raise InputError(f"no folder {str(folder)!r}; give the folder that holds the features")
    store = Store(out, create=True)
    pictures = None if data is None else open_data(data, limit)
    for part in FORMATS[name](root, asked):
        work = _Job(store, name, root, part, asked, pictures, data, limit)
        work.run(pooled, dtype, shard_size, most_disk, progress)
    return store.refresh()


def _told(said: Mapping[str, Any]) -> Told:
    known = [one.name for one in fields(Told)]
    for name in said.keys() - set(known):
        raise unknown("argument of import_features", name, known, "help(denoscope.import_features)")
    size = said.get("size", ())
    return Told(**{**said, "size": (size,) if isinstance(size, int) else tuple(size)})


@dataclass
class _Job:
    """One part on its way into a store."""

    store: Store
    format: str
    root: Path
    part: Part
    told: Told
    pictures: DataSet | None
    data: str | Path | DataSet | Sequence[Sample] | None
    limit: int | None
    matcher: Matcher = field(init=False)
    lacking: Matcher = field(init=False)
    sites: frozenset[str] = frozenset()
    seen: int = 0

    def run(self, pooled: bool, dtype: Dtype | None, shard_size: int | None, most_disk: float, progress: bool) -> None:
        """Write every shard that is not there yet."""
        samples = self._samples()
        self._match(samples)
        first = self.part.entries[0].load()
        self.sites = frozenset(first)
        recipe = self._recipe(samples, first, _keep(list(first.values()), pooled, dtype))
        bytes_each = sum(array.nbytes for array in first.values())
        if shard_size is None:
            count = min(len(samples), len(self.part.entries))
            check_room(self.store.place.url, bytes_each * count, f"the features of {count} pictures", _LESS, most_disk)
            shard_size = _shard_size(bytes_each)
        spec = None if self.data is None else spell(self.data)  # pyright: ignore[reportArgumentType]
        writer = self.store.writer(recipe, Plan(len(samples), shard_size, spec))
        with progress_bar("import", len(samples), progress) as advance, closing(writer.work(done=advance)) as left:
            for work in left:
                self._fill(work, samples, advance)
        writer.finish()
        self._tell_left(samples)

    def _samples(self) -> DataSet | Sequence[Sample]:
        """The pictures, or what stands for them: an id, and the folder as a category."""
        if self.pictures is not None:
            return self.pictures
        entries = self.part.entries[: self.limit]
        names = short_names(self.part.entries)[: len(entries)]
        return [Sample(name, _NOTHING, _facts(name)) for name in names]

    def _match(self, samples: DataSet | Sequence[Sample]) -> None:
        """Refuse early where no picture has features.

        Raises:
            InputError: with a name of each kind.
        """
        if self.pictures is None:
            _ = self.part.laying.whole
        ordered = self.told.ordered or self.pictures is None
        if ordered and len(samples) > len(self.part.entries):
            raise InputError(f"there are {len(self.part.entries)} rows in the order of {len(samples)} pictures")
        self.matcher = Matcher(self.part.entries, ordered)
        self.lacking = Matcher([Entry(name, dict[str, Values], ()) for name in self.part.lacking])
        ids: Sequence[str] | None = getattr(samples, "ids", None)
        trial = Matcher(self.part.entries, ordered)
        name = ""
        for number in range(len(samples)):
            name = ids[number] if ids is not None else samples[number].id
            if trial.find(name, number) is not None:
                return
        raise InputError(
            f"none of the {len(samples)} pictures has features below {str(self.root)!r}: pictures are named like "
            f"{name!r}, features like {self.part.entries[0].name!r}"
        )

    def _recipe(self, samples: DataSet | Sequence[Sample], first: Mapping[str, Values], keep: Keep) -> Recipe:
        part = self.part
        files = digest(self.root, (path for entry in part.entries for path in entry.files))
        of = part.said.get("checkpoint")
        if self.data is None:
            read_from: dict[str, Any] = {"name": self.root.name, "fingerprint": files, "count": len(samples)}
        else:
            read_from = identity(self.data, samples)
        return Recipe(
            model={
                "name": f"{self.format} features" + (f" of {of}" if of else "") + self._level(),
                "imported": {"format": self.format, "part": part.label, "files": files},
                **part.said,
            },
            data=read_from,
            canvas=part.laying.to_dict(),
            sites=tuple(sorted(first)),
            conditions=(part.condition.to_dict(),),
            keep=keep.to_dict(),
        )

    def _level(self) -> str:
        """A word on a noise level that nobody knows, which would look like none."""
        return ", noise level unknown" if "timestep" in self.part.said.get("unknown", ()) else ""

    def _fill(self, work: Work, samples: DataSet | Sequence[Sample], advance: Callable[[int], None]) -> None:
        good: list[Sample] = []
        skipped: dict[str, str] = {}
        for number in work.indices:
            self.seen += 1
            found, broken = read(samples, [number])
            skipped |= broken
            for sample in found:
                entry = self.matcher.find(sample.id, number)
                if entry is None:
                    partly = self.lacking.find(sample.id, -1)
                    skipped[sample.id] = self.part.lacking[partly.name] if partly else "no features"
                    continue
                work.add(self._activations(sample, entry))
                good.append(sample)
            advance(1)
        work.commit(good, skipped)

    def _activations(self, sample: Sample, entry: Entry) -> list[Activations]:
        """One picture's features with their labels.

        Raises:
            InputError: other sites than the first picture has.
        """
        values = entry.load()
        if values.keys() != self.sites:
            raise InputError(
                f"{entry.files[0]} holds {', '.join(values)} where {', '.join(sorted(self.sites))} were due"
            )
        if self.pictures is None:
            frame = self.part.laying.whole
        else:
            frame = self.part.laying.frame(sample.image.shape[1], sample.image.shape[0])
        return [self._labelled(sample.id, Site(site), array, frame) for site, array in values.items()]

    def _labelled(self, id: str, site: Site, array: Values, frame: Frame) -> Activations:
        layout = _layout(site, array, self.part.tokens)
        grid = self.part.laying.grid(array.shape[1], array.shape[2], frame) if layout == "grid" else None
        single = np.asarray(array, dtype=np.float32)[None]
        return Activations(site, self.part.condition, single, (id,), layout, (frame,), grid)

    def _tell_left(self, samples: DataSet | Sequence[Sample]) -> None:
        everything = self.limit is None and self.seen == len(samples)
        if everything and (left := self.matcher.left):
            log.warning("%d features are of no picture that is there: %s ...", len(left), left[0])


def _layout(site: Site, array: Values, tokens: frozenset[str]) -> Layout:
    """The axes of one picture's values.

    Raises:
        InputError: none fits.
    """
    if array.ndim == 3:
        return "map" if site.name.endswith(".map") else "grid"
    if array.ndim == 2 and site.name in tokens:
        return "tokens"
    if array.ndim == 1:
        return "pooled"
    raise InputError(
        f"values at {site} have {array.ndim} axes {array.shape}, which are neither cells, tokens nor a vector"
    )


def _facts(name: str) -> dict[str, Any]:
    """The name of the folder, as a data set of a folder tells it."""
    parts = name.split("/")
    return {"category": parts[-2]} if len(parts) > 1 else {}


def _keep(arrays: Sequence[Values], pooled: bool, dtype: Dtype | None) -> Keep:
    """Everything unless one vector is enough, in the files' precision unless another is asked for."""
    exact: Dtype = "fp16" if all(array.dtype == np.float16 for array in arrays) else "fp32"
    pooled = pooled or all(array.ndim == 1 for array in arrays)
    return Keep(layout="pooled" if pooled else "grid", dtype=dtype or exact)


def _shard_size(bytes_each: int) -> int:
    low, high = _SHARD_SIZES
    return max(low, min(high, 1 << max(0, (_SHARD_BYTES // max(1, bytes_each)).bit_length() - 1)))
