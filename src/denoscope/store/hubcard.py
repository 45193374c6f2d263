"""The card of a store on the Hub: what it holds, from which recipe, how to read it with and without denoscope."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from denoscope.core.condition import Condition
from denoscope.core.report import Report
from denoscope.store.facts import parse
from denoscope.store.room import bytes_told
from denoscope.store.volume import Volume

__all__ = ["Shown", "card_of", "keep_in_mind", "name_of", "recipe_part"]

_SITES, _LEVELS, _SCORES, _FACTS = 12, 8, 12, 20
"""How many of each are told; the recipe, the reports and the index have all."""
_ABOUT = (
    "Internal representations of a diffusion model, read at named sites under named noise levels. Each recipe has a "
    "folder of its own, named by the SHA-256 of what was asked; `recipe.json` says it completely."
)
_KEEP = (
    "The images are not part of this repository; the licences of the images and of the model hold for what was made of "
    "them. Values are those of one noise draw per image unless the recipe says otherwise, and belong to the "
    "checkpoint, revision and precision that the recipe names."
)
_PADDING = (
    " Where an image was padded, cells on padding are stored as well; the frame of each sample says which cells lie on "
    "the image."
)


@dataclass(frozen=True)
class Shown:
    """What a card tells of."""

    repo: str
    """OWNER/NAME."""
    licence: str
    """As the Hub spells it; none is claimed when empty."""
    volumes: Sequence[Volume]
    """The recipes that lie there."""
    reports: Mapping[str, Report]
    """Reports by name."""
    size: int
    """Bytes of all files."""


def card_of(shown: Shown) -> str:
    """Markdown with a header of the Hub; nothing is claimed that is not known."""
    parts = [
        _header(shown),
        _title(shown),
        *(recipe_part(volume) for volume in shown.volumes),
        _use(shown),
        _alone(shown),
        _reports(shown.reports),
        keep_in_mind(shown.volumes),
        *(_asked(volume) for volume in shown.volumes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(shown: Shown) -> str:
    lines = [f"pretty_name: {json.dumps(name_of(shown.volumes))}", *[f"license: {shown.licence}"] * bool(shown.licence)]
    lines += ["tags:", "- denoscope", "- diffusion", "- representations", "configs:"]
    for number, volume in enumerate(shown.volumes):
        digest = volume.recipe.digest
        lines += [f'- config_name: "{digest}"', f"  data_files: {digest}/index.parquet"]
        lines += ["  default: true"] * (number == 0)
    return "\n".join(["---", *lines, "---"])


def name_of(volumes: Sequence[Volume]) -> str:
    """Of whose activations, on what."""
    models = dict.fromkeys(_model(volume.recipe.model)[0] for volume in volumes)
    data = dict.fromkeys(str(volume.recipe.data.get("name")) for volume in volumes)
    return f"Activations of {', '.join(models)} on {', '.join(data)}"


def _title(shown: Shown) -> str:
    count = len({name for volume in shown.volumes for name in volume.table.ids})
    return f"# {name_of(shown.volumes)}\n\n{_ABOUT}\n\n{count} samples, {bytes_told(shown.size)}."


def recipe_part(volume: Volume) -> str:
    """What a recipe asked for, as a table."""
    recipe, data = volume.recipe, volume.recipe.data
    name, more = _model(recipe.model)
    keep = ", ".join(f"{key} {value}" for key, value in recipe.keep.items())
    rows = {
        "model": f"{name}{f' ({more})' if more else ''}",
        "data": f"{data.get('name')}: {len(volume.table)} samples, fingerprint `{str(data.get('fingerprint'))[:16]}`",
        "sites": _some([f"`{site}`" for site in volume.sites], _SITES),
        "conditions": _some([str(condition) for condition in volume.conditions], _LEVELS),
        "kept": keep,
        "canvas": ", ".join(f"{key} {value}" for key, value in recipe.canvas.items()),
        "facts": _facts(volume) or "none",
        "left out": f"{len(volume.skipped)} pictures that could not be read" if volume.skipped else "nothing",
    }
    lines = [f"| {key} | {_cell(value)} |" for key, value in rows.items()]
    return "\n".join([f"## Recipe {recipe.digest}", "", "| | |", "|---|---|", *lines])


def keep_in_mind(volumes: Sequence[Volume]) -> str:
    """What a reader needs to read the values rightly."""
    grids = any(volume.recipe.keep["layout"] in ("grid", "tokens") for volume in volumes)
    return f"## What to keep in mind\n\n{_KEEP}{_PADDING if grids else ''}"


def _cell(text: str) -> str:
    """Text that stays in its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _model(recipe: Mapping[str, Any]) -> tuple[str, str]:
    """What a model is called, and what tells it from others."""
    name = str(recipe.get("name") or recipe.get("repo") or "a model") + (", untrained" if "untrained" in recipe else "")
    known = [f"{word} `{recipe[word]}`" for word in ("repo", "revision", "weights", "dtype") if recipe.get(word)]
    return name, ", ".join(known)


def _some(words: Sequence[str], most: int) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _facts(volume: Volume) -> str:
    names = dict.fromkeys(name for told in parse(volume.table).values() for name in told)
    return _some([f"`{name}`" for name in names], _FACTS)


def _use(shown: Shown) -> str:
    site, condition = shown.volumes[0].sites[-1], shown.volumes[0].conditions[0]
    which = f', recipe="{shown.volumes[0].recipe.digest}"' if len(shown.volumes) > 1 else ""
    return f"""## With denoscope

```python
import denoscope as ds

store = ds.Store("hf://datasets/{shown.repo}")  # reads over the network what is asked for, and no more
acts = store.get("{site}"{_level(condition)}{which})
```

`denoscope pull hf://datasets/{shown.repo} runs/here` fetches all of it."""


def _level(condition: Condition) -> str:
    """The noise level as an argument."""
    for name in ("timestep", "sigma", "logsnr"):
        if (value := getattr(condition, name)) is not None:
            return f", {name}={value:g}"
    return ", clean=True" if condition.clean else ""


def _alone(shown: Shown) -> str:
    volume = shown.volumes[0]
    digest, site = volume.recipe.digest, volume.sites[-1].name
    extra = "  # times the scales in `...|scales`" if volume.recipe.keep["dtype"] == "int8" else ""
    return f"""## Without denoscope

```python
import json

import pyarrow.parquet as parquet
from huggingface_hub import hf_hub_download
from safetensors import safe_open


def file(name):
    return hf_hub_download("{shown.repo}", f"{digest}/{{name}}", repo_type="dataset")


conditions = json.load(open(file("recipe.json")))["conditions"]  # tensors are named site|number of the condition|group
row = parquet.read_table(file("index.parquet")).slice(0, 1).to_pylist()[0]  # a sample: id, shard, group, row, facts
with safe_open(file(f"shards/{{row['shard']}}.safetensors"), "pt") as shard:
    values = shard.get_slice(f"{site}|0|{{row['group']}}")[row["row"]]{extra}
```"""


def _reports(reports: Mapping[str, Report]) -> str:
    if not reports:
        return ""
    told = [(name, score) for name, report in reports.items() for score in report.scores[:3]][:_SCORES]
    rows = [f"| `{name}` | {_cell(one.name)} {one.told} | {one.n} {_cell(one.over)} |" for name, one in told]
    return "\n".join(["## Reports", "", "| in `reports/` | score, 95 % interval | over |", "|---|---|---|", *rows])


def _asked(volume: Volume) -> str:
    text = json.dumps(json.loads(volume.recipe.to_json()), indent=1, ensure_ascii=False)
    return f"<details><summary>recipe {volume.recipe.digest}</summary>\n\n```json\n{text}\n```\n\n</details>"
