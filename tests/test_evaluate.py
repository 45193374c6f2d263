"""`evaluate` hands a task what is stored, and keeps its report."""

import pytest

from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.evaluate import evaluate
from denoscope.store.store import Store
from denoscope.tasks.probe import Probe
from planted import planted_store

QUICK = {"C": (0.1,), "shuffles": 2, "folds": 3}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """A code at `mid` under timestep 50, noise elsewhere."""
    return planted_store(tmp_path_factory.mktemp("store") / "planted")


def test_the_planted_code_is_found_where_it_is_and_nowhere_else(store):
    """The default noise level is that nearest to 50; another level and another site hold nothing."""
    report = evaluate(store, "probe", site="mid", **QUICK)
    assert report["accuracy"].value == 1.0
    assert "timestep=50" in report.parameters["condition"]
    for other in ({"site": "mid", "timestep": 200}, {"site": "up.1"}):
        score = evaluate(store, "probe", **other, **QUICK)["accuracy"]
        assert score.low <= 1 / 3 <= score.high


def test_the_report_is_kept_and_names_its_input(store):
    """By the recipe's digest; a folder and a task object will do as well."""
    report = evaluate(store.place.url, Probe(**QUICK), site="h")
    assert report.inputs["recipe"] == store.recipes[0].digest
    kept = [store.report(name) for name in store.reports]
    assert any(found.inputs == report.inputs and found.scores == report.scores for found in kept)
    before = len(store.reports)
    evaluate(store, "probe", site="mid", save=False, seed=9, **QUICK)
    assert len(store.reports) == before


def test_bad_input_is_refused_with_the_nearest_name(store, tmp_path):
    """Unknown task, parameter, site, fact, condition; a store that is empty or absent."""
    for asked, words in (
        ({"task": "prob"}, "did you mean probe"),
        ({"task": "probe", "fold": 3}, "did you mean folds"),
        ({"task": "probe", "site": "midd"}, "did you mean mid"),
        ({"task": "probe", "site": "mid", "fact": "categori"}, "did you mean category"),
    ):
        with pytest.raises(UnknownName, match=words):
            evaluate(store, **asked)
    with pytest.raises(InputError, match="not stored under"):
        evaluate(store, "probe", site="mid", timestep=51)
    with pytest.raises(InputError, match="say which site"):
        evaluate(store, "probe")
    with pytest.raises(StoreError, match="no store"):
        evaluate(tmp_path / "absent", "probe")
    with pytest.raises(StoreError, match="no activations yet"):
        evaluate(Store(tmp_path, create=True), "probe", site="mid")
