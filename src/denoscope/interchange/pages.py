"""Pages of repositories: what a report or a card is, for the Hub."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denoscope.core.report import Report
from denoscope.interchange.stacks import FRAME, Stack
from denoscope.store.hubcard import keep_in_mind, name_of, recipe_part

__all__ = ["NOBODY", "card_page", "converted_page", "header", "report_page"]

NOBODY = "OWNER/NAME"
"""Stands where a repository is not known yet."""
_SCORES = 40


def header(name: str, licence: str, tags: Sequence[str], more: Sequence[str] = ()) -> str:
    """What the Hub reads of a page; no licence is claimed unless one is given."""
    lines = [f"pretty_name: {json.dumps(name)}", *[f"license: {licence}"] * bool(licence)]
    return "\n".join(["---", *lines, "tags:", *(f"- {tag}" for tag in ("denoscope", *tags)), *more, "---"])


def report_page(report: Report, repo: str, licence: str = "") -> str:
    """Scores with intervals and n, what they are to be read beside, notes, and how to make and read it again."""
    rows = [f"| {score.name} | {score.told} | {score.n} {score.over} |" for score in report.scores[:_SCORES]]
    more = len(report.scores) - _SCORES
    table = [
        "| score | value, 95 % interval | over |",
        "|---|---|---|",
        *rows,
        *[f"\n{more} more in `report.json`."] * (more > 0),
    ]
    asked = ", ".join(f"{name} {value}" for name, value in report.parameters.items() if value not in (None, "", ()))
    parts = [
        header(f"Report: {report.task}", licence, ["diffusion", "interpretability"], _viewer(report)),
        f"# {report.task}",
        asked,
        "\n".join(table),
        "\n".join(f"- {note}" for note in report.notes),
        _again(report),
        f"""```python
import denoscope as ds

report = ds.Report.load(ds.pull("hf://datasets/{repo}"))
```

`report.html` is the page with its figures; `report.json` and `table.parquet` hold the numbers.""",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def card_page(folder: Path, licence: str = "") -> str:
    """The Markdown of a representation card under a header of the Hub."""
    told: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    top = header(f"Representation card of {told['model']}", licence, ["diffusion", "representations"])
    text = (folder / "card.md").read_text(encoding="utf-8")
    return f"{top}\n\n{text}\n`card.html` is the page with figures; `card.json` holds every number.\n"


def converted_page(stacks: Mapping[str, Stack], repo: str = NOBODY, licence: str = "") -> str:
    """What a converted store holds, a configuration per stack, and how to read it."""
    volumes = list({stack.volume.recipe.digest: stack.volume for stack in stacks.values()}.values())
    configs = [line for name in stacks for line in (f'- config_name: "{name}"', f"  data_files: data/{name}/*.parquet")]
    first, stack = next(iter(stacks.items()))
    column = f"{stack.tensors[-1].site.name} {stack.conditions[0]}"
    parts = [
        header(name_of(volumes), licence, ["diffusion", "representations"], ["configs:", *configs]),
        f"# {name_of(volumes)}",
        "Internal representations of a diffusion model: a row per image, a column per site and condition "
        "(`SITE CONDITION`), values in fp32. A configuration per recipe and canvas size. `frame` says how the image"
        " lies on the canvas ("
        + ", ".join(FRAME)
        + "); `denoscope.json` names site, condition, axes and grid of every column.",
        f"""```python
from datasets import load_dataset

data = load_dataset("{repo}", "{first}", split="train").with_format("numpy")  # or the folder, in place of the name
data[0]["id"], data[0]["{column}"].shape
```""",
        *(recipe_part(volume) for volume in volumes),
        keep_in_mind(volumes),
    ]
    return "\n\n".join(parts) + "\n"


def _viewer(report: Report) -> list[str]:
    return ["configs:", "- config_name: table", "  data_files: table.parquet"] if report.table else []


def _again(report: Report) -> str:
    lines = "\n".join(report.again)
    return f"Made again by:\n\n```bash\n{lines}\n```" if report.again else ""
