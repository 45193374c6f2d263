"""Directions that can be pushed: dictionaries of a store, those that were named, and what people made on the page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.errors import DenoscopeError, unknown
from denoscope.dictionaries.base import Learned, load_dictionary
from denoscope.dictionaries.contrasts import contrast
from denoscope.dictionaries.digest import digest_of
from denoscope.dictionaries.painted import Painted
from denoscope.explorer.bundle.manifest import LayerEntry
from denoscope.explorer.server.steershapes import ContrastAsk, FactCount, SteerSource
from denoscope.live.labels import labelled
from denoscope.store.store import Store

__all__ = ["Shelf", "facts_of", "told_from"]

_CONFIG = "config.json"
_NAMED = "direction.json"
_MOST_VALUES = 40
_LEAST_PICTURES = 2
_MOST_PICTURES = 600
"""Pictures of a store whose activations a direction is told from, at most."""


class Shelf:
    """Dictionaries by a name that a client may use; a name is looked up and never joined to a path.

    Args:
        store: whose folder `dictionaries` is looked into.
        desk: whose folder `directions` is looked into.
        given: further folders of dictionaries.
    """

    def __init__(self, store: Store, desk: Path, given: Sequence[Path] = ()) -> None:
        self._store = store
        self._desk = desk
        self._given = tuple(given)
        self._read: dict[Path, tuple[int, Learned]] = {}
        self._digests: dict[Path, str] = {}

    def folders(self) -> dict[str, Path]:
        """Folders by name, as they are there now."""
        local = self._store.place.local
        own = [] if local is None else list(_within(local / "dictionaries"))
        known = {path.resolve() for path in own}
        others = [path for path in self._given if path.resolve() not in known]
        found = {f"given/{number}-{path.name}": path for number, path in enumerate(others)}
        found |= {f"dictionaries/{path.name}": path for path in own}
        return found | {f"directions/{path.name}": path for path in _within(self._desk / "directions")}

    def folder(self, name: str) -> Path:
        """One folder.

        Raises:
            UnknownName: there is none of that name.
        """
        found = self.folders()
        if name not in found:
            raise unknown("direction", name[:100], found, "GET /api/steer/sources")
        return found[name]

    def load(self, name: str) -> Learned:
        """One dictionary; read again only when it has changed.

        Raises:
            UnknownName: there is none of that name.
            StoreError: it is damaged.
        """
        folder = self.folder(name)
        stamp = (folder / _CONFIG).stat().st_mtime_ns
        held = self._read.get(folder)
        if held is None or held[0] != stamp:
            held = self._read[folder] = (stamp, load_dictionary(folder))
            self._digests[folder] = digest_of(held[1])
        return held[1]

    def sources(self) -> list[SteerSource]:
        """All that can be read and says where it acts; what people made comes first, then by site and name."""
        found = [made for name, folder in self.folders().items() if (made := self._told(name, folder)) is not None]
        found = labelled(found, self._store)
        return sorted(found, key=lambda one: (not one.id.startswith("directions/"), one.site, one.name))

    def _told(self, name: str, folder: Path) -> SteerSource | None:
        try:
            made = self.load(name)
        except (DenoscopeError, OSError):
            return None
        if made.site is None:
            return None
        return SteerSource(
            id=name,
            name=_called(folder, made),
            kind=made.name,
            site=str(made.site),
            model=self._model(made),
            atoms=len(made.atoms),
            digest=self._digests[folder],
            activity=_activity(made),
        )

    def _model(self, made: Learned) -> str:
        """The name of the model whose cells it knows: as it says itself, or as the recipe of the cells does."""
        told: Any = made.about.get("model") or next(
            (recipe.model for recipe in self._store.recipes if recipe.digest == made.about.get("recipe")), ""
        )
        return str(told.get("name", "")) if isinstance(told, Mapping) else str(told)


def facts_of(store: Store, layer: LayerEntry) -> list[FactCount]:
    """Facts of a layer's pictures that tell some of them from others, with how many show each value."""
    counts: dict[str, dict[str, int]] = {}
    for known in _known(store, layer).values():
        for fact, value in known.items():
            own = counts.setdefault(fact, {})
            own[value] = own.get(value, 0) + 1
    found: list[FactCount] = []
    for fact, own in counts.items():
        kept = {value: own[value] for value in sorted(own, key=lambda value: (-own[value], value))}
        enough = sum(number >= _LEAST_PICTURES for number in kept.values())
        if 1 < len(kept) <= _MOST_VALUES and enough > 1:
            found.append(FactCount(fact=fact, values=kept))
    return found


def told_from(store: Store, layer: LayerEntry, ask: ContrastAsk) -> Painted:
    """The direction towards a value, from class means over the pictures that the store holds of a layer.

    Raises:
        UnknownName: no such fact or value.
        InputError: all pictures share the value.
    """
    told = _known(store, layer)
    ids = [name for name, known in told.items() if ask.fact in known][:_MOST_PICTURES]
    if not ids:
        raise unknown(
            "fact", ask.fact, sorted({fact for known in told.values() for fact in known}), "GET /api/steer/facts"
        )
    acts = store.get(layer.site, Condition.from_dict(dict(layer.condition)), ids=ids, recipe=layer.recipe)
    made = contrast(acts, [told[name][ask.fact] for name in ids], ask.value, against=ask.against)
    read = next(
        (dict(recipe.model) for recipe in store.recipes if recipe.digest == layer.recipe), {"name": layer.model}
    )
    made.about = {**made.about, "model": read, "recipe": layer.recipe, "layer": layer.id}
    return made


def _known(store: Store, layer: LayerEntry) -> dict[str, dict[str, str]]:
    """Facts that are words, whole numbers or yes and no, as text, by picture."""
    return {
        name: {fact: str(value) for fact, value in known.items() if isinstance(value, (str, bool, int))}
        for name, known in store.facts(layer.recipe).items()
    }


def _within(folder: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(folder.glob(f"*/{_CONFIG}")) if not path.parent.name.startswith("."))


def _called(folder: Path, made: Learned) -> str:
    """What a person has called it, or its folder."""
    try:
        told: Any = json.loads((folder / _NAMED).read_text("utf-8"))
        return str(told["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name


def _activity(made: Learned) -> list[float]:
    """Share of held-out cells in which each atom is active, as `learn` measured it."""
    table: Mapping[str, Any] = {} if made.report is None else dict(made.report.table)
    column = next((name for name in table if name == "frequency" or name.startswith("frequency at ")), None)
    return [] if column is None else [float(value) for value in table[column]]
