"""Does a dictionary belong to a model? What it was learned on is recorded, and compared where it is put to use."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.dictionaries.base import Learned

__all__ = ["Attachable", "attach", "attached", "base_of", "elsewhere"]


class Attachable(Protocol):
    """What must be known of a model."""

    @property
    def recipe(self) -> Mapping[str, Any]:
        """What identifies its weights."""
        ...

    def select(self, sites: Any) -> list[Site]:
        """Its sites by name or alias."""
        ...


def base_of(source: Any) -> Mapping[str, Any]:
    """What a direction was learned on: `model` as its recipe tells, `site`, `width`; nothing of a plain vector."""
    if not isinstance(source, Learned):
        return {}
    about = {name: source.about[name] for name in ("model", "site") if source.about.get(name)}
    return {**about, "width": int(source.bias.size)} if about else {}


def attach(made: Learned, model: Attachable, site: str | Site | None = None, *, force: bool = False) -> None:
    """Refuse a dictionary of another base model or site.

    Nothing is refused that the dictionary does not tell: other packages' files name no weights.

    Args:
        made: what is to be put to use.
        model: in which.
        site: where; the dictionary's own unless given.
        force: let it pass.

    Raises:
        InputError: weights, repository and revision, or site are others, with what would let it pass.
    """
    if not force:
        _compare(base_of(made), model, made.site if site is None else site)


def attached(edits: Iterable[Any], model: Attachable, *, force: bool = False) -> None:
    """As `attach` for every direction and dictionary in edits, however they are limited, dosed or chained.

    Raises:
        InputError: one of them belongs to another model or site.
    """
    for edit in () if force else edits:
        for base, site in _bases(edit):
            _compare(base, model, site)


def elsewhere(base: Mapping[str, Any], recipe: Mapping[str, Any]) -> str:
    """Which two models differ, as the beginning of a sentence; nothing where they do not, or nothing is told.

    Args:
        base: as `base_of` tells it.
        recipe: of the model at hand, or of that which a store was made with.
    """
    learned = base.get("model")
    differs = _differs(learned, recipe) if learned else ""
    if not learned or not differs:
        return ""
    return f"this dictionary was learned on {_called(learned, differs)}, and this is {_called(recipe, differs)}"


def _bases(edit: Any) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """What an edit, and edits within it, were learned on, and where they act."""
    made = getattr(edit, "dictionary", None)
    base = getattr(edit, "base", None) or (base_of(made) if made is not None else {})
    if base:
        yield base, getattr(edit, "site", None)
    for inner in (*getattr(edit, "edits", ()), *([edit.edit] if hasattr(edit, "edit") else [])):
        yield from _bases(inner)


def _compare(base: Mapping[str, Any], model: Attachable, site: Any) -> None:
    if other := elsewhere(base, model.recipe):
        raise InputError(f"{other}: its directions mean nothing here; --force (force=True) tries all the same")
    own = base.get("site")
    if own and site is not None and str(own) != str(site) and _places(model, own) != _places(model, site):
        raise InputError(f"this dictionary was learned at {own}, not at {site}, where the same directions mean "
                         "something else; --force (force=True) tries all the same")  # fmt: skip


def _differs(learned: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Which word of two recipes says that their weights differ, if one does."""
    for name in ("weights", "repo", "revision", "toy", "seed"):
        if name in learned and name in here and learned[name] != here[name]:
            return name
    if learned.get("untrained") != here.get("untrained"):
        return "untrained"
    told = [{"weights", "repo", "toy"} & set(recipe) for recipe in (learned, here)]
    if told[0] and told[1] and not told[0] & told[1]:
        return "name" if learned.get("name") != here.get("name") else ""
    return ""


def _called(recipe: Mapping[str, Any], differs: str) -> str:
    """A model's name, with what sets it apart."""
    name = recipe.get("name") or recipe.get("repo") or recipe.get("toy") or "a model"
    if differs == "untrained":
        return f"the untrained twin of {name}" if "untrained" in recipe else f"{name} as it was trained"
    value = str(recipe.get(differs, ""))
    return f"{name}" if value == str(name) or not value else f"{name} ({differs} {value[:16]})"


def _places(model: Attachable, site: Any) -> list[str]:
    return sorted(str(found) for found in model.select(str(site)))
