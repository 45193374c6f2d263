"""Codes that are kept are those of the dictionary; what is exported for other tools says what they need."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.core.recipe import Origin
from denoscope.core.report import Report
from denoscope.dictionaries.formats.delphi import write_delphi
from denoscope.dictionaries.formats.neuronpedia import Release
from denoscope.interpret import interpret
from denoscope.interpret.coding import CodeCache, keep_codes, source_of
from denoscope.interpret.exporting import export_atoms
from squares import CHANNELS, THINGS, dictionary, samples, stored

ACTIVATION = {
    "id", "tokens", "index", "layer", "modelId", "maxValue", "maxValueTokenIndex", "minValue", "values", "creatorId",
    "dataSource", "dataIndex", "dfaValues", "dfaTargetIndex", "dfaMaxValue", "createdAt", "lossValues",
    "logitContributions", "binMin", "binMax", "binContains", "qualifyingTokenIndex", "zIndices", "zValues",
}  # fmt: skip
"""All that Neuronpedia's importer takes; it refuses any other key."""
FEATURE = {
    "modelId", "layer", "index", "creatorId", "createdAt", "maxActApprox", "hasVector", "vector", "vectorLabel",
    "vectorDefaultSteerStrength", "hookName", "topkCosSimIndices", "topkCosSimValues", "neuron_alignment_indices",
    "neuron_alignment_values", "neuron_alignment_l1", "correlated_neurons_indices", "correlated_neurons_pearson",
    "correlated_neurons_l1", "correlated_features_indices", "correlated_features_pearson", "correlated_features_l1",
    "neg_str", "neg_values", "pos_str", "pos_values", "frac_nonzero", "freq_hist_data_bar_heights",
    "freq_hist_data_bar_values", "logits_hist_data_bar_heights", "logits_hist_data_bar_values", "decoder_weights_dist",
    "sourceSetName",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Any:
    """Of planted squares."""
    return stored(tmp_path_factory.mktemp("planted") / "s", 3.0)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a gzipped file."""
    yield from (json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines())


def test_kept_codes_are_the_dictionarys_in_half_precision(store, tmp_path) -> None:
    """Image by image, over several files, at a fraction of the room; another dictionary's are refused."""
    made, source = dictionary(), source_of(store, dictionary())
    kept = keep_codes(source, made, tmp_path / "codes", shard=400)
    assert kept.about["shards"] > 2 and kept.names == source.names
    for one, image in zip(kept.coded(made), source.coded(made), strict=True):
        assert (one.number, one.name, one.frame, one.grid) == (image.number, image.name, image.frame, image.grid)
        np.testing.assert_array_equal(one.codes, image.codes.astype(np.float16))
        np.testing.assert_array_equal(one.where, image.where)
    again = CodeCache(tmp_path / "codes")
    first = next(iter(again))
    np.testing.assert_array_equal(first.of(1), first.dense(again.atoms)[:, 1])
    other = dictionary()
    other.weights = {**other.weights, "bias": other.bias + 1}
    with pytest.raises(InputError, match="of another dictionary"):
        next(again.coded(other))
    (tmp_path / "codes" / "codes-00001.safetensors").write_bytes(b"half")
    with pytest.raises(StoreError, match=r"codes-00001\.safetensors is damaged"):
        list(again)
    with pytest.raises(StoreError, match="no kept codes"):
        CodeCache(tmp_path)


def test_neuronpedia_gets_its_own_keys_and_pictures_beside_them(store, tmp_path) -> None:
    """Every row can be imported; its values are the codes; words, neighbours and frequencies are those of the atoms."""
    made = dictionary()
    report = interpret(store, made, data=samples(), looked=12, save=False)
    place = export_atoms(store, made, tmp_path, report=report, data=samples(), examples=3, model="My Model")
    assert place == tmp_path / "my-model" / "0-topk"
    heads = {name: json.loads((place / f"{name}.jsonl").read_text())
             for name in ("release", "model", "sourceset", "source")}  # fmt: skip
    assert heads["source"]["id"] == "0-topk" and heads["source"]["modelId"] == heads["model"]["id"] == "my-model"
    features = list(lines(place / "features" / "batch-0.jsonl.gz"))
    activations = list(lines(place / "activations" / "batch-0.jsonl.gz"))
    pictures = {row["id"]: row for row in lines(place / "pictures.jsonl.gz")}
    assert len(features) == CHANNELS and not {key for row in features for key in row} - FEATURE
    assert not {key for row in activations for key in row} - ACTIVATION and len(pictures) == len(activations)
    said = list(lines(place / "explanations" / "batch-0.jsonl.gz"))
    assert next(row["description"] for row in said if row["index"] == "0") == next(iter(THINGS))
    coded = {image.name: image for image in source_of(store, made).coded(made)}
    for row in activations[:20]:
        there = pictures[row["id"]]
        codes = coded[there["image"]].codes[:, int(row["index"])]
        np.testing.assert_allclose(row["values"], codes.astype(np.float16), atol=1e-4)
        assert len(row["tokens"]) == len(row["values"]) == np.prod(there["grid"])
        assert row["values"][row["maxValueTokenIndex"]] == row["maxValue"] == max(row["values"])
        assert (place / "pictures" / there["picture"]).exists()
    peaks = np.stack([image.codes.max(axis=0) for image in coded.values()])
    assert features[1]["maxActApprox"] == pytest.approx(peaks[:, 1].max(), rel=1e-3)
    assert features[1]["frac_nonzero"] == pytest.approx(
        np.mean([image.codes[:, 1] > 0 for image in coded.values()]), abs=1e-6
    )
    assert sum(features[1]["freq_hist_data_bar_heights"]) == sum(int((i.codes[:, 1] > 0).sum()) for i in coded.values())
    cosines = np.delete(made.atoms @ made.atoms[1], 1)
    assert features[1]["topkCosSimValues"] == pytest.approx(np.sort(cosines)[::-1][:10], abs=1e-4)
    correlation = np.corrcoef(peaks.T)[1]
    best = features[1]["correlated_features_indices"][0]
    assert correlation[best] == pytest.approx(features[1]["correlated_features_pearson"][0], abs=1e-2)


def test_delphi_gets_triples_that_are_the_codes(store, tmp_path) -> None:
    """Read as its loader does: file names tell the first latent; kept codes need no second reading."""
    made = dictionary()
    place = export_atoms(store, made, tmp_path, "delphi", splits=3, cache=tmp_path / "codes")
    assert CodeCache(tmp_path / "codes").atoms == CHANNELS
    told = json.loads((place / "config.json").read_text())
    names = json.loads((place / "images.json").read_text())
    found = np.zeros((len(names), told["cache_ctx_len"], CHANNELS), dtype=np.float32)
    for path in place.glob("*_*.safetensors"):
        first, last = map(int, path.stem.split("_"))
        data = load_file(path)
        located = data["locations"].astype(np.int64) + np.array([0, 0, first])
        assert data["locations"].dtype == np.uint16 and data["activations"].dtype == np.float16
        assert located[:, 2].max() <= last and data["tokens"].shape == found.shape[:2]
        found[tuple(located.T)] = data["activations"]
    for image in source_of(store, made).coded(made):
        codes = image.codes.astype(np.float16)
        expected = np.where(np.abs(codes.astype(np.float32)) > 1e-5, codes, 0)
        np.testing.assert_array_equal(found[image.number, : len(codes)], expected)
    again = export_atoms(store, made, tmp_path / "again", "delphi", splits=3, cache=tmp_path / "codes")
    for path in place.glob("*.safetensors"):
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_a_store_of_another_model_is_told(store, caplog) -> None:
    """What its atoms do on the activations of another model says little about them."""
    made = dictionary()
    made.about = {**made.about, "model": {"name": "other", "weights": "0"}}
    source_of(store, made)
    assert not caplog.records  # the store tells no weights
    made.about = {**made.about, "model": {"name": "planted", "untrained": 0}}
    source_of(store, made)
    assert "learned on the untrained twin of planted" in caplog.text


def test_what_cannot_be_exported_is_refused_in_one_line(store, tmp_path) -> None:
    """Another platform, pictures that are nowhere, a report on something else, codes of something else."""
    made = dictionary()
    with pytest.raises(UnknownName, match="did you mean delphi"):
        export_atoms(store, made, tmp_path, "delfi")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="pictures=False leaves them out"):
        export_atoms(store, made, tmp_path)
    told = {"atom": list(range(CHANNELS))}
    report = Report("interpret-topk", {}, (), {"recipe": "0"}, Origin.now(0.0), table=told)
    short = type(made)(atoms=4, k=2)
    short.weights = {name: array[:4] if name != "bias" else array for name, array in made.weights.items()}
    short.about = made.about
    with pytest.raises(InputError, match=f"tells of {CHANNELS} atoms, and this dictionary has 4"):
        export_atoms(store, short, tmp_path, report=report, pictures=False)
    with pytest.raises(InputError, match="1 to 4 files, not 9"):
        export_atoms(store, short, tmp_path, "delphi", splits=9)
    with pytest.raises(InputError, match="no atom is active"):
        write_delphi([], 3, tmp_path, module="mid", names=["a"])
    with pytest.raises(InputError, match="NUMBER-NAME"):
        Release("m", "topk", "", "", "", 1, 1)
