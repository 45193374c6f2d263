"""`denoscope list STORE`: what a store holds, and what to do with it."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, cast

from denoscope.cli.output import say, show_json, table
from denoscope.core.imported import remark
from denoscope.evaluate.spots import computed
from denoscope.store.place import Place
from denoscope.store.store import Store
from denoscope.store.version import FORMAT
from denoscope.store.volume import Volume

__all__ = ["holds_store", "show_store"]

_EXAMPLES, _WIDTH = 6, 80
"""Values of a fact that are shown, and letters of them."""


def holds_store(folder: str) -> bool:
    """Whether a folder or URL exists and can be read as a store."""
    return Place(folder).exists() and bool(Store(folder).volumes or Store(folder).reports)


def show_store(folder: str, as_json: bool = False) -> None:
    """Its recipes, sites, noise levels, facts and reports; then the commands that go on from there.

    Raises:
        StoreError: no such folder, or one that cannot be read.
    """
    store = Store(folder)
    recipes, places, facts = _recipes(store), _places(store), _facts(store.facts())
    if as_json:
        told = {"store": folder, "version": store.version, "recipes": recipes, "sites": places, "facts": facts}
        show_json({**told, "reports": store.reports})
        return
    head = ("recipe", "model", "data", "images", "layout", "dtype", "complete")
    table(([_word(recipe[name]) for name in head] for recipe in recipes), head, ["images"])
    for line in dict.fromkeys(filter(None, (remark(recipe.model) for recipe in store.recipes))):
        say(line)
    say("")
    table(([name, ", ".join(levels)] for name, levels in places.items()), ["site", "stored under"])
    if facts:
        say("")
        rows = ([name, fact["images"], fact["kind"], _examples(fact)] for name, fact in facts.items())
        table(rows, ["fact", "images", "kind", "values"], ["images"])
    for name in store.reports:
        say(f"{'report':9} {store.place.path(f'reports/{name}')}/report.html")
    say("")
    for line in _next(store, folder, list(places)):
        say(line)


def _recipes(store: Store) -> list[dict[str, Any]]:
    return [
        {"recipe": volume.recipe.digest, "model": _model(volume.recipe.model), "data": volume.recipe.data.get("name"),
         "images": len(volume.table), "layout": volume.recipe.keep["layout"], "dtype": volume.recipe.keep["dtype"],
         "complete": volume.complete}
        for volume in store.volumes
    ]  # fmt: skip


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _model(told: Mapping[str, Any]) -> str:
    twin = ", untrained" if "untrained" in told else ""
    return f"{told.get('name') or told.get('repo') or 'a model'}{twin}"


def _places(store: Store) -> dict[str, list[str]]:
    """Conditions by site, in the order in which they were stored."""
    found: dict[str, dict[str, None]] = {}
    for volume in store.volumes:
        for site in volume.sites:
            found.setdefault(site.name, {}).update(dict.fromkeys(map(str, volume.conditions)))
    return {name: list(found[name]) for name in sorted(found, key=computed)}


def _facts(known_of: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each fact: how many images have it, what it is, and its values where they are words or numbers."""
    known: dict[str, list[Any]] = {}
    for facts in known_of.values():
        for name, value in facts.items():
            known.setdefault(name, []).append(value)
    return {name: _fact(values) for name, values in sorted(known.items())}


def _fact(values: Sequence[Any]) -> dict[str, Any]:
    kinds = {type(value) for value in values}
    if kinds == {str} or kinds == {bool}:
        distinct = sorted({str(value) for value in values})
        return {"images": len(values), "kind": "words", "distinct": len(distinct), "values": distinct[:_EXAMPLES]}
    if kinds <= {int, float}:
        ends = [min(values), max(values)]
        return {"images": len(values), "kind": "numbers", "distinct": len(set(values)), "values": ends}
    return {"images": len(values), "kind": "table" if kinds == {dict} else "list", "distinct": None, "values": []}


def _examples(fact: Mapping[str, Any]) -> str:
    shown = cast("Sequence[Any]", fact["values"])
    if fact["kind"] == "numbers":
        return f"{shown[0]:g} to {shown[1]:g}"
    if fact["kind"] != "words":
        return ""
    if fact["distinct"] == fact["images"]:
        return f"all differ: {shorten(shown[0], _WIDTH)}"
    more = ["..."] * (fact["distinct"] > len(shown))
    return f"{fact['distinct']}: {shorten(', '.join([*shown, *more]), _WIDTH)}"


def _next(store: Store, folder: str, sites: Sequence[str]) -> list[str]:
    """Commands that work on this store."""
    measure = [_probe(store, volume, folder) for volume in store.volumes]
    return [
        *list(filter(None, measure))[:1],
        f"{'tasks':9} denoscope list tasks",
        *[f"{'look':9} denoscope explore {folder}"] * bool(sites),
        *[f"{'older':9} denoscope migrate {folder}   (version {store.version})"] * (store.version < FORMAT),
    ]


def _probe(store: Store, volume: Volume, folder: str) -> str:
    """A probe of one recipe's last site, where a fact of its images could be told by one."""
    facts = _facts(store.facts(volume.recipe))
    classes = [name for name, fact in facts.items() if fact["kind"] == "words" and _classes(fact)]
    if not classes or not volume.sites:
        return ""
    fact = "category" if "category" in classes else classes[0]
    which = f" --recipe {volume.recipe.digest[:8]}" if len(store.volumes) > 1 else ""
    return f"{'measure':9} denoscope evaluate probe {folder} --site {volume.sites[-1].name} --fact {fact}{which}"


def _classes(fact: Mapping[str, Any]) -> bool:
    """Whether a probe could tell its values apart: few, with several images each."""
    return 1 < fact["distinct"] < fact["images"] / 3
