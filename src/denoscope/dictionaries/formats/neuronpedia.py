"""Neuronpedia's export: a folder of JSON lines per dictionary, and beside it what it has no word for: pictures.

`MODEL/SOURCE/{release,model,sourceset,source}.jsonl` and gzipped batches of `features`, `activations` and
`explanations`, with the platform's own keys and no others. There a text is a sequence of tokens; here an image is one,
whose tokens name its cells, `r0c3` being row 0 and column 3. `pictures.jsonl.gz` says of each activation which image,
grid and frame it has, and `pictures/` holds small ones; importers leave both alone.
"""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denoscope.core.errors import InputError

__all__ = ["Example", "Feature", "Release", "write_neuronpedia"]

_BATCH = 512
"""Features per file."""
_CREATOR = "denoscope"
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class Example:
    """An image in which an atom is strong.

    Attributes:
        image: its id.
        codes: at every cell of the grid, `(row, col)`; 0 on padding.
        picture: file name in `pictures/`, or empty.
        frame: where the image lies on the canvas, eight numbers.
    """

    image: str
    codes: NDArray[np.float32]
    picture: str = ""
    frame: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Feature:
    """One atom.

    Attributes:
        index: its number.
        vector: its direction, `(channel,)`.
        density: share of the cells in which it is active.
        largest: its largest code.
        heights, values: how often codes of which size occur.
        near: atoms with the largest cosines, and these.
        together: atoms that are active in the same images, and the correlation.
        words: of captions that come with it, and their log odds.
        descriptions: what it stands for, with who says so.
        examples: images, the strongest first.
    """

    index: int
    vector: NDArray[np.float32]
    density: float
    largest: float
    heights: Sequence[float] = ()
    values: Sequence[float] = ()
    near: tuple[Sequence[int], Sequence[float]] = ((), ())
    together: tuple[Sequence[int], Sequence[float]] = ((), ())
    words: tuple[Sequence[str], Sequence[float]] = ((), ())
    descriptions: Sequence[tuple[str, str]] = ()
    examples: Sequence[Example] = field(default_factory=list[Example])


@dataclass(frozen=True)
class Release:
    """What the files are about.

    Attributes:
        model: id of the model, letters, digits and dashes.
        source: id of the dictionary: a number, a dash and a name, as the platform counts layers.
        title: of the release.
        site: where it reads.
        written: time, ISO 8601.
        images: how many were looked at.
        cells: of each, at most.
        dataset: whose images.
    """

    model: str
    source: str
    title: str
    site: str
    written: str
    images: int
    cells: int
    dataset: str = ""

    def __post_init__(self) -> None:
        if not self.source.split("-")[0].isdigit() or "-" not in self.source:
            raise InputError(f"a source of Neuronpedia is called NUMBER-NAME, as in 0-topk, not {self.source!r}")


def write_neuronpedia(release: Release, features: Iterable[Feature], folder: Path) -> Path:
    """Write all files; the folder of the source is returned."""
    place = folder / release.model / release.source
    for name in ("features", "activations", "explanations"):
        (place / name).mkdir(parents=True, exist_ok=True)
    for name, row in _heads(release).items():
        (place / f"{name}.jsonl").write_text(_line(row), encoding="utf-8")
    seen: list[dict[str, Any]] = []
    batch: list[Feature] = []
    count = 0
    for feature in features:
        batch.append(feature)
        if len(batch) == _BATCH:
            seen += _batch(release, batch, place, count)
            batch, count = [], count + 1
    seen += _batch(release, batch, place, count) if batch else []
    _packed(place / "pictures.jsonl.gz", seen)
    return place


def _heads(release: Release) -> dict[str, dict[str, Any]]:
    """The four files that say what it is."""
    number, name = release.source.split("-", 1)
    made = {"creatorId": _CREATOR, "createdAt": release.written}
    return {
        "release": {"name": f"{release.model}-{name}", "description": release.title, "creatorName": _CREATOR,
                    "visibility": "PUBLIC", **made},
        "model": {"id": release.model, "instruct": False, "displayNameShort": release.model,
                  "displayName": release.model, "visibility": "PUBLIC", "layers": int(number) + 1, **made},
        "sourceset": {"modelId": release.model, "name": name, "description": f"{release.title}, at {release.site}",
                      "type": "", "creatorName": _CREATOR, "releaseName": f"{release.model}-{name}",
                      "visibility": "PUBLIC", **made},
        "source": {"id": release.source, "modelId": release.model, "setName": name, "dataset": release.dataset,
                   "num_prompts": release.images, "num_tokens_in_prompt": release.cells, "visibility": "PUBLIC",
                   "notes": f"site {release.site}; tokens are cells of images", **made},
    }  # fmt: skip


def _batch(release: Release, features: Sequence[Feature], place: Path, number: int) -> list[dict[str, Any]]:
    """One file of each kind; where the activations come from is returned."""
    rows = [(feature, rank, example) for feature in features for rank, example in enumerate(feature.examples)]
    named = f"batch-{number}.jsonl.gz"
    _packed(place / "features" / named, [_feature(release, feature) for feature in features])
    _packed(place / "activations" / named, [_activation(release, *row) for row in rows])
    said = [_explanation(release, feature, at) for feature in features for at in range(len(feature.descriptions))]
    if said:
        _packed(place / "explanations" / named, said)
    return [{"id": _id(release, feature.index, rank), "index": str(feature.index), "image": example.image,
             "picture": example.picture, "grid": list(example.codes.shape), "frame": list(example.frame)}
            for feature, rank, example in rows]  # fmt: skip


def _feature(release: Release, one: Feature) -> dict[str, Any]:
    size = np.abs(one.vector)
    order = np.argsort(-size, kind="stable")[:3]
    return {
        "modelId": release.model, "layer": release.source, "index": str(one.index), "creatorId": _CREATOR,
        "createdAt": release.written, "maxActApprox": _round(one.largest), "hasVector": True,
        "vector": _rounded(one.vector, 6), "vectorLabel": one.descriptions[0][0] if one.descriptions else None,
        "hookName": release.site, "topkCosSimIndices": list(one.near[0]), "topkCosSimValues": _rounded(one.near[1]),
        "neuron_alignment_indices": order.tolist(), "neuron_alignment_values": _rounded(one.vector[order]),
        "neuron_alignment_l1": _rounded(size[order] / max(float(size.sum()), 1e-12)),
        "correlated_neurons_indices": [], "correlated_neurons_pearson": [], "correlated_neurons_l1": [],
        "correlated_features_indices": list(one.together[0]),
        "correlated_features_pearson": _rounded(one.together[1]), "correlated_features_l1": [],
        "neg_str": [], "neg_values": [], "pos_str": list(one.words[0]), "pos_values": _rounded(one.words[1]),
        "frac_nonzero": _round(one.density, 8), "freq_hist_data_bar_heights": _rounded(one.heights),
        "freq_hist_data_bar_values": _rounded(one.values), "logits_hist_data_bar_heights": [],
        "logits_hist_data_bar_values": [], "decoder_weights_dist": [],
    }  # fmt: skip


def _activation(release: Release, feature: Feature, rank: int, example: Example) -> dict[str, Any]:
    rows, cols = example.codes.shape
    values = _rounded(example.codes.reshape(-1))
    return {
        "id": _id(release, feature.index, rank), "modelId": release.model, "layer": release.source,
        "index": str(feature.index), "tokens": [f"r{row}c{col}" for row in range(rows) for col in range(cols)],
        "values": values, "maxValue": max(values), "maxValueTokenIndex": int(np.argmax(values)),
        "minValue": min(values), "creatorId": _CREATOR, "createdAt": release.written, "dataIndex": example.image,
        "dataSource": release.dataset or None, "dfaValues": [], "dfaTargetIndex": None, "dfaMaxValue": None,
        "lossValues": [], "logitContributions": None, "binMin": None, "binMax": None, "binContains": None,
        "qualifyingTokenIndex": None,
    }  # fmt: skip


def _explanation(release: Release, feature: Feature, at: int) -> dict[str, Any]:
    text, who = feature.descriptions[at]
    return {"id": _id(release, feature.index, f"explained {at}"), "modelId": release.model, "layer": release.source,
            "index": str(feature.index), "description": text, "authorId": _CREATOR, "typeName": "denoscope",
            "explanationModelName": who, "createdAt": release.written}  # fmt: skip


def _id(release: Release, *words: Any) -> str:
    """The same for the same thing, as long as the platform's."""
    return "c" + sha256(" ".join(map(str, (release.model, release.source, *words))).encode()).hexdigest()[:24]


def _packed(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    data = "".join(_line(row) for row in rows).encode()
    path.write_bytes(gzip.compress(data, compresslevel=5, mtime=0))


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(values: Any, digits: int = _DIGITS) -> list[float]:
    return [_round(value, digits) for value in values]


def _round(value: Any, digits: int = _DIGITS) -> float:
    """A number that JSON has: not a number is 0."""
    return round(float(np.nan_to_num(value)), digits)
