"""Bringing an older store up to the present version: indexes and plans are written anew, shards are never touched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from denoscope.core.errors import StoreError
from denoscope.store import index
from denoscope.store.place import Place
from denoscope.store.shard import Shard
from denoscope.store.version import FORMAT, STORE, stamp, version_of
from denoscope.store.volume import Volume
from denoscope.store.writer import PLAN

__all__ = ["Levels", "Step", "migrate"]

Levels = Callable[[Volume], tuple[float | None, ...]]
"""Log-SNR of each condition of a recipe; nothing where nobody knows."""


@dataclass(frozen=True)
class Step:
    """One file that a migration writes."""

    file: str
    """Below the store's folder."""
    what: str
    """Is written, and why."""
    write: Callable[[], object]


def migrate(
    place: Place, volumes: tuple[Volume, ...], dry_run: bool = False, levels: Levels | None = None
) -> list[Step]:
    """Write what a store lacks to be of the present version; nothing where it is.

    Each file is replaced whole and the version comes last, so that whoever is killed leaves a store that opens, and
    the same call again does the rest. Shards, recipes, reports and addresses stay as they are.

    Args:
        place: the store's folder.
        volumes: its recipes.
        dry_run: only say what would be written.
        levels: tells log-SNRs that an older plan does not; those that the conditions name are known without.

    Returns:
        The steps, in order.

    Raises:
        StoreError: a newer store, an empty one, or one with shards that are lost or changed; nothing is written then.
    """
    if not volumes:
        raise StoreError(f"{place.url!r} holds nothing that extract wrote; nothing can be brought up to date there")
    steps: list[Step] = []
    for volume in volumes:
        steps += _steps(volume, levels)
    if version_of(place) < FORMAT:
        steps.append(Step(STORE, f"says that the store is of version {FORMAT}", lambda: stamp(place)))
    for step in () if dry_run else steps:
        step.write()
    return steps


def _steps(volume: Volume, levels: Levels | None) -> Iterator[Step]:
    place, plan = volume.place, volume.plan
    folder = place.url.rstrip("/").rsplit("/", 1)[-1]
    if index.version_of(place) < FORMAT:
        _check(volume)
        facts = "facts as columns; what was skipped"
        yield Step(f"{folder}/{index.INDEX}", f"{len(volume.table):,} entries; {facts}", lambda: index.save(place))
    if plan is None or (plan.format == FORMAT and plan.logsnrs):
        return
    found = plan.logsnrs or (levels(volume) if levels else ()) or _named(volume)
    if plan.format == FORMAT and not found:
        return
    told = "log-SNR of each noise level" if found else "log-SNRs are not known without the model"
    fresh = replace(plan, logsnrs=found, format=FORMAT)
    yield Step(f"{folder}/{PLAN}", told, lambda: place.put(PLAN, fresh.to_json().encode()))


def _named(volume: Volume) -> tuple[float | None, ...]:
    """Log-SNRs where every condition names its own, or has no noise."""
    conditions = volume.conditions
    known = all(condition.logsnr is not None or condition.clean for condition in conditions)
    return tuple(condition.logsnr for condition in conditions) if known else ()


def _check(volume: Volume) -> None:
    """The shards are those that the index tells of, all of them and byte for byte.

    Raises:
        StoreError: one is lost or was changed.
    """
    digests = index.told(volume.place)
    if lost := sorted(digests.keys() - volume.shards.keys()):
        raise StoreError(
            f"{volume.place.path(index.SHARDS)} lacks shards that it had: {', '.join(lost)}; extract again, or delete "
            f"{index.INDEX} to go on without"
        )
    for name, digest in digests.items():
        Shard(volume.place, index.shard_file(name), digest).check()
