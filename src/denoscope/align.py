"""The affine map of one site under which people's choices follow best, learned and saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from denoscope.chosen import made_folder, opened
from denoscope.core.errors import InputError
from denoscope.core.recipe import Recipe
from denoscope.core.sample import DataSet, Sample
from denoscope.core.site import Site
from denoscope.evaluate.running import Bench
from denoscope.evaluate.spots import spots
from denoscope.measures.affine_trained import trained
from denoscope.measures.affine_transforms import Transform, duplicates
from denoscope.store.store import Store
from denoscope.tasks._judged import judged
from denoscope.tasks.alignability import Alignability

__all__ = ["Aligned", "align", "maps_beside"]


@dataclass(frozen=True)
class Aligned:
    """A saved map, and what is known of it."""

    file: Path
    """Where it is."""
    transform: Transform
    """The map."""
    site: str
    """Whose activations it maps."""
    condition: str
    """Under which they were read."""
    objects: int
    """That it was learned from."""
    choices: int
    """About these objects."""
    share: float
    """Penalty, as a share of the highest one, that parts of the objects chose."""
    gap: float
    """Its objective is at most this far above the least possible one, in nats."""
    effective_rank: float
    """Of W W^T."""
    same: tuple[str, ...]
    """Other maps in the same folder that do the same, one of which is misnamed."""

    def to_dict(self) -> Mapping[str, Any]:
        """For machines: everything but the numbers of the map itself."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "transform"}
        shape = list(self.transform.weights.shape)
        return told | {"file": str(self.file), "digest": self.transform.digest, "shape": shape, "same": [*self.same]}


def align(
    store: Store | str | Path,
    out: str | Path,
    task: Alignability | None = None,
    site: str | Site | None = None,
    *,
    timestep: float | None = None,
    recipe: str | Recipe | None = None,
    data: DataSet | list[Sample] | str | None = None,
) -> Aligned:
    """Learn the first map of an alignability task from all objects, and save it.

    How well such a map does on objects that it never saw is what `evaluate alignability` tells.

    Args:
        store: a store, or its folder or URL.
        out: file, `.npz` (gLocal's names) or `.npy` ([W | b], with mean and std folded in).
        task: whose first map, penalties, scaling, pooling, inner parts and seed are used; its defaults unless given.
        site: name or alias; may be left out where only one is stored.
        timestep: the only one stored, or that nearest to 50, unless given.
        recipe: digest, or its beginning, where several recipes hold the site.
        data: the data set, where the store cannot find it again.

    Raises:
        UnknownName: a site or recipe that does not exist.
        InputError: the task's first map is the published protocol, which teaches one map per part; another ending of
            `out`; or no choices.
    """
    used: Alignability = Alignability() if task is None else task
    family, file = used.family(used.maps[0]), Path(out)
    if family is None:
        raise InputError("the published protocol learns one map per part of the objects; name another map to save")
    if file.suffix not in (".npy", ".npz"):
        raise InputError(f"a map is written as .npy or .npz, not {file.name!r}")
    spot = spots(opened(store), site, None, None, timestep, recipe)[0]
    rows, facts = Bench(used, data=data).read(spot)
    told = judged(rows, facts)
    choices = told.judgments
    triplets = np.column_stack([choices.first, choices.second, choices.odd])
    made = trained(told.vectors, triplets, family, used.inner, used.seed)
    made_folder(file.parent)
    transform = made.transform.folded() if file.suffix == ".npy" else made.transform
    transform.save(file)
    return Aligned(
        file, transform, str(rows.site), str(rows.condition), len(told.names), len(choices), made.share,
        made.solution.certificate.gap, made.solution.effective_rank, maps_beside(file),
    )  # fmt: skip


def maps_beside(file: Path) -> tuple[str, ...]:
    """Names of other maps in a file's folder that are the same map; arrays that are no maps are passed over."""
    found = dict[str, Transform]()
    for path in sorted([*file.parent.glob("*.npy"), *file.parent.glob("*.npz")]):
        try:
            found[path.name] = Transform.load(path)
        except InputError:
            continue
    groups = [names for names in duplicates(found) if file.name in names]
    return tuple(name for names in groups for name in names if name != file.name)
