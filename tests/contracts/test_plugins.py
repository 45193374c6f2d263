"""Every registered task and dictionary: told in one line, made without arguments, and of its protocol."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from denoscope.core.dictionary import Dictionary
from denoscope.core.registry import Entry, Registry, dictionaries, tasks
from denoscope.core.task import Task

PLUGINS = [(registry, entry) for registry in (tasks, dictionaries) for entry in registry]


@pytest.mark.parametrize(("registry", "entry"), PLUGINS, ids=[entry.name for _, entry in PLUGINS])
def test_told_and_found_again(registry: Registry[Any], entry: Entry[Any]) -> None:
    """A summary that ends like a sentence, and a name that leads back to it in any spelling."""
    assert entry.summary.endswith(".")
    assert registry.get(entry.name.upper()) is entry.thing


@pytest.mark.parametrize("entry", tasks, ids=lambda entry: entry.name)
def test_tasks_are_frozen_dataclasses_of_their_parameters(entry: Entry[Any]) -> None:
    """Usable with defaults alone, hashable, and a Task."""
    made = entry.thing()
    assert is_dataclass(made) and isinstance(made, Task) and hash(made) == hash(entry.thing())
    assert fields(made)


@pytest.mark.parametrize("entry", dictionaries, ids=lambda entry: entry.name)
def test_dictionaries_keep_their_protocol(entry: Entry[Any]) -> None:
    """The methods of a Dictionary, and settings with defaults."""
    assert all(hasattr(entry.thing, name) for name in ("atoms", "encode", "decode", "fit", "save", "load"))
    assert entry.thing.Settings() == entry.thing.Settings()
    assert Dictionary.__doc__
