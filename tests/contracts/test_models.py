"""Every registered model: told in one line, readable where its card says, and loadable where it needs no download."""

import pytest

from denoscope.core.registry import Entry, models
from denoscope.models.cards import Card
from denoscope.models.loading import load

ENTRIES = list(models)
BUILT = [entry for entry in ENTRIES if isinstance(entry.thing, Card) and entry.thing.build is not None]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_card_is_complete(entry: Entry[Card]) -> None:
    """A summary, a family, a place to get it from or a way to build it, and a licence for what is downloaded."""
    known = entry.thing
    assert entry.summary and (known.build is not None or known.family in {"unet", "mmdit", "flux", "dit"})
    assert known.build is not None or known.repo
    assert known.licence or not known.repo


@pytest.mark.parametrize("entry", BUILT, ids=lambda entry: entry.name)
def test_what_needs_no_download_loads_and_has_its_sites(entry: Entry[Card]) -> None:
    """Within an offline test; the sites that the card recommends exist."""
    model = load(entry.name)
    assert len(model.taps) > 5
    if entry.thing.sites:
        assert model.select(entry.thing.sites)
