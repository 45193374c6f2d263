"""The index: what its columns say is what the shards say, whatever the facts are."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from denoscope.core.activations import Activations
from denoscope.core.condition import Condition
from denoscope.core.errors import UnknownName
from denoscope.core.frame import Frame
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.core.site import Site
from denoscope.store import Keep, Store, index
from denoscope.store.facts import matches
from denoscope.store.writer import Plan

AT = Condition(timestep=50)
NOTHING = np.zeros((1, 1, 3), dtype=np.uint8)

plain = st.one_of(
    st.sampled_from(["cat", "dog", "", "ü"]), st.booleans(), st.integers(-2, 2), st.floats(-2, 2), st.none(),
    st.just(1 << 70), st.lists(st.integers(0, 3), max_size=2),
)  # fmt: skip
facts = st.dictionaries(st.sampled_from(["a", "b", "c"]), plain, max_size=3)
alike = st.fixed_dictionaries(
    {"a": st.sampled_from(["cat", "dog"]), "b": st.integers(-2, 2)}, optional={"c": st.floats(-2, 2)}
)


def frames(count: int) -> tuple[Frame, ...]:
    """Some that differ, some that do not."""
    return tuple(Frame(16, 16, 16 + 8 * (i % 3 == 0), 16) for i in range(count))


def filled(folder: Path, told: list[dict[str, Any]], size: int = 3) -> Store:
    """A store of one vector per sample, in shards of a few."""
    store = Store(folder, create=True)
    told_of = {"name": "samples", "fingerprint": "x", "count": len(told)}
    recipe = Recipe({"name": "m"}, told_of, {}, ("mid",), (AT.to_dict(),), Keep("pooled", "fp32").to_dict())
    writer = store.writer(recipe, Plan(len(told), size))
    for work in writer.work():
        samples = [Sample(f"s{i}", NOTHING, told[i]) for i in work.indices]
        values = np.array([[i, -i] for i in work.indices], dtype=np.float32)
        laid = tuple(frames(len(told))[i] for i in work.indices)
        work.add([Activations(Site("mid"), AT, values, tuple(s.id for s in samples), "pooled", laid)])
        work.commit(samples, {})
    writer.finish()
    return store.refresh()


@given(st.lists(st.one_of(alike, facts), min_size=1, max_size=9), st.sampled_from(["a", "b", "c"]), plain)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_find_is_the_same_by_columns_and_by_texts(tmp_path_factory: Any, told: Any, name: str, value: Any) -> None:
    """Also where a fact is missing, changes its type in a later shard, or is larger than a column's numbers."""
    store = filled(tmp_path_factory.mktemp("store"), told)
    assert store.volumes[0].table.version == 2
    for wanted in (value, [value, "cat"], lambda found: found == value):
        try:
            right = matches(store.facts(), {name: wanted})
        except UnknownName:
            with pytest.raises(UnknownName):
                store.find(**{name: wanted})
        else:
            assert store.find(**{name: wanted}) == right
    for fact, column in ((f, store.volumes[0].table.fact(f)) for f in ("a", "b", "c")):
        if column is not None:
            codes, values = column
            texts = [found.get(fact, None) for found in store.facts().values()]
            assert [None if code < 0 else values[code] for code in codes] == texts
            assert len({type(v) for v in values}) <= 1


def test_plain_facts_have_columns(tmp_path: Path) -> None:
    """They are read by any Parquet reader; those of several types stay in the texts alone."""
    told = [{"a": "cat", "b": i, "c": 0.5 if i else 1, "d": [i]} for i in range(7)]
    store = filled(tmp_path, told)
    (path,) = tmp_path.glob("*/index.parquet")
    found = parquet.read_table(path)
    assert [name for name in found.column_names if name.startswith("fact.")] == ["fact.a", "fact.b"]
    assert found["fact.b"].to_pylist() == list(range(7)) and found["id"].to_pylist() == list(store.ids)
    assert store.find(a="cat", b=lambda b: b > 4) == ("s5", "s6") and store.find(d=[1]) == ("s1",)


def test_a_fact_that_changes_its_type_in_a_later_group_of_rows(tmp_path: Path, monkeypatch: Any) -> None:
    """The index is begun anew without its column, and is whole."""
    monkeypatch.setattr(index, "_ROWS", 3)
    store = filled(tmp_path, [{"a": i if i < 7 else "seven", "b": i} for i in range(9)])
    table = store.volumes[0].table
    assert table.version == 2 and table.fact("a") is None and table.fact("b") is not None
    assert store.ids == tuple(f"s{i}" for i in range(9)) and store.find(a="seven") == ("s7", "s8")


def test_nothing_is_read_that_is_not_asked_for(tmp_path: Path, monkeypatch: Any) -> None:
    """Opening reads no column; a search reads the facts that it names, and the ids."""
    filled(tmp_path, [{"a": "cat", "b": i} for i in range(9)])
    read: list[str] = []
    column = index._File.column
    monkeypatch.setattr(index._File, "column", lambda self, name: read.append(name) or column(self, name))
    store = Store(tmp_path)
    assert store.complete and len(store.volumes[0].table) == 9 and not read
    store.find(a="cat")
    assert set(read) == {"fact.a", "id"}
    read.clear()
    assert store.get("mid", ids=["s4"]).values.tolist() == [[4, -4]]
    assert "facts" not in read and len(read) == len(set(read))


def test_samples_are_found_few_or_many(tmp_path: Path) -> None:
    """One by one, by a table of all, and by the dictionary that some reader made: in the order asked, or not at all."""
    store = filled(tmp_path, [{} for _ in range(40)], 7)
    for count in (1, 16, 17, 40):
        picks = [f"s{i}" for i in np.random.default_rng(count).permutation(40)[:count]]
        for table in (Store(tmp_path).volumes[0].table, store.volumes[0].table):
            places = table.locate(picks)
            assert table.names(places) == picks == [table.ids[place] for place in places]
            assert [frame.canvas_width for frame in table.laid(places)] == [
                frames(40)[int(name[1:])].canvas_width for name in picks
            ]
            with pytest.raises(UnknownName, match="s99"):
                table.locate([*picks[1:], "s99"])
            _ = table.position
            np.testing.assert_array_equal(table.locate(picks), places)
        found = store.get("mid", ids=picks)
        assert found.ids == tuple(picks) and found.values[:, 0].tolist() == [int(name[1:]) for name in picks]


def test_headers_are_not_kept(tmp_path: Path) -> None:
    """What a shard tells of its samples is read when it is asked for: a million samples are no gigabytes of it."""
    store = filled(tmp_path, [{"a": "x" * 1000} for _ in range(30)], 10)
    store.get("mid")
    for shard in store.volumes[0].shards.values():
        assert "rows" not in shard.metadata and len(shard.rows()) == 10
        assert "xxx" not in repr(vars(shard))
