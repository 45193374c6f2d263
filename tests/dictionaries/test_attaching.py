"""A dictionary is put to use where it was learned, and refused elsewhere."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.core.site import Site
from denoscope.dictionaries.attaching import attach, attached, base_of
from denoscope.dictionaries.edits import ablate, add, by_site, clamp, replace, scale
from denoscope.dictionaries.limits import within
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.splices import splice

LEARNED = {"name": "embedded", "weights": "e558d3ef", "family": "UNet", "dtype": "float32"}


@dataclass
class Denoiser:
    """As much of a model as is looked at."""

    recipe: dict[str, Any] = field(default_factory=lambda: dict(LEARNED))

    def select(self, sites: Any) -> list[Site]:
        """One place, whatever its alias."""
        return [Site.parse(str(sites))]


def learned(**about: Any) -> PCA:
    """Two directions of three channels at `up.1`."""
    made = PCA(atoms=2).fit([np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)])
    made.about = {"site": "up.1", "model": LEARNED} | about
    return made


OTHERS = [
    (
        {**LEARNED, "weights": "0000"},
        r"learned on embedded \(weights e558d3ef\), and this is embedded \(weights 0000\)",
    ),
    ({**LEARNED, "untrained": 0}, "this is the untrained twin of embedded"),
    ({"name": "sd15", "repo": "a/b", "revision": "1"}, "learned on embedded, and this is sd15"),
]


@pytest.mark.parametrize(("recipe", "words"), OTHERS)
def test_another_model_is_refused_unless_forced(recipe, words) -> None:
    """Other weights, a twin, another checkpoint: one line that names both, for every kind of edit."""
    made, other = learned(), Denoiser(recipe)
    edits = [add(made, 0, strength=1.0), clamp(made, 1, value=2.0), scale(made, 0, factor=0.5), ablate(made, 1),
             replace(made, 0, by=made, by_atom=1), splice(made)]  # fmt: skip
    with pytest.raises(InputError, match=words):
        attach(made, other)
    for edit in (*edits, within(edits[0], steps=(0, 2)), *by_site(edits).values()):
        with pytest.raises(InputError, match=words):
            attached([edit], other)
        attached([edit], Denoiser())
        attached([edit], other, force=True)


@pytest.mark.parametrize("change", [{"revision": "2"}, {"repo": "c/d"}])
def test_a_checkpoint_is_its_repository_and_revision(change) -> None:
    """Precision may differ."""
    here = {"name": "sd15", "repo": "a/b", "revision": "1", "dtype": "float32"}
    made = learned(model=here)
    attach(made, Denoiser({**here, "dtype": "bfloat16"}))
    with pytest.raises(InputError, match=next(iter(change))):
        attach(made, Denoiser({**here, **change}))


def test_another_site_is_refused_and_an_alias_is_not() -> None:
    """Directions of one place mean something else at another."""
    made = learned()
    attached([add(made, 0, strength=1.0, site="up_blocks[1]")], Denoiser())
    attach(made, Denoiser(), "up_blocks[1]")
    with pytest.raises(InputError, match=r"learned at up\.1, not at mid"):
        attached([add(made, 0, strength=1.0, site="mid")], Denoiser())
    with pytest.raises(InputError, match="force=True"):
        attach(made, Denoiser(), "mid")
    attach(made, Denoiser(), "mid", force=True)


def test_what_tells_nothing_is_let_pass() -> None:
    """A vector, a dictionary without a record, and one of another package, which names no weights."""
    attached([add(np.ones(3), strength=1.0, site="mid")], Denoiser())
    assert base_of(np.ones(3)) == {}
    attach(learned(model=None), Denoiser({"name": "sd15"}))


def test_the_verbs_refuse_before_anything_runs() -> None:
    """A dictionary of other weights."""
    from denoscope.features.faithful import faithful
    from denoscope.features.sweeps import sweep
    from denoscope.models.loading import load
    from denoscope.steer import steer

    model = load("embedded")
    made = learned(model={**model.recipe, "weights": "0000"})
    edits = [add(made, 0, strength=1.0)]
    for attempt in (lambda: steer(model, "a cat", edits), lambda: sweep(model, ["a cat"], edits),
                    lambda: faithful(model, made)):  # fmt: skip
        with pytest.raises(InputError, match="weights 0000"):
            attempt()
