"""Errors say in one line what was asked, what exists and how to list it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import DenoscopeError, InputError, MissingPackage, StoreError, UnknownName, nearest, unknown
from denoscope.core.optional import require

NAMES = ["up.0", "up.1", "mid", "down.0.attn.1"]


def test_every_error_is_ours() -> None:
    """One `except DenoscopeError` catches whatever denoscope raises on purpose."""
    for kind in (InputError, UnknownName, MissingPackage, StoreError):
        assert issubclass(kind, DenoscopeError)


def test_unknown_names_the_nearest_and_the_listing() -> None:
    """A misspelt name is answered with the right one and with where to look."""
    message = str(unknown("site", "up1", NAMES, "denoscope sites MODEL"))
    assert "no site 'up1'" in message and "up.1" in message and "denoscope sites MODEL" in message


def test_unknown_without_anything_near_gives_examples() -> None:
    """A name unlike all others is answered with how many there are and the first of them."""
    assert "4 exist, e.g. up.0, up.1, mid" in str(unknown("site", "zzzzzz", NAMES, "x"))
    assert "none exists here" in str(unknown("site", "up.1", [], "x"))


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8, unique=True))
def test_nearest_only_names_what_exists(asked: str, known: list[str]) -> None:
    """A suggestion is always something that would be accepted, and never the same thing twice."""
    found = nearest(asked, known)
    assert len(found) <= 3 and len(set(found)) == len(found) and set(found) <= set(known)


def test_a_missing_package_says_what_to_install() -> None:
    """A lazy import that fails names the package and what needs it, in one line."""
    with pytest.raises(MissingPackage, match="pip install 'nothing-such'") as caught:
        require("nothing_such.inner", "draw", "nothing-such")
    assert "\n" not in str(caught.value) and "needed to draw" in str(caught.value)
