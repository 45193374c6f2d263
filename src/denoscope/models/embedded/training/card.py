"""The model card: every measured figure, written from `evaluation.json` and the log so that none is copied by hand."""

import json
from pathlib import Path
from typing import Any

from denoscope.models.embedded.training.package import folder_bytes
from denoscope.models.embedded.training.sites import BLOCKS

__all__ = ["write_card"]

Figures = dict[str, Any]


def _cell(figures: Figures, name: str, digits: int = 3) -> str:
    if name not in figures:
        return ""
    f = figures[name]
    return f"{f['value']:.{digits}f} [{f['low']:.{digits}f}, {f['high']:.{digits}f}]"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _table(head: tuple[str, ...], rows: list[str]) -> str:
    return "\n".join([_row(*head), _row(*["---"] * len(head)), *rows])


def _seeds(figures: Figures, name: str) -> str:
    return ", ".join(f"{v:.3f}" for v in figures[name]["seeds"])


def generation_table(figures: Figures) -> str:
    """Pictures from prompts, next to the judge's ceilings."""
    rows = [
        _row(
            factor, _cell(figures, f"generated/{factor}"), _seeds(figures, f"generated/{factor}"),
            _cell(figures, f"judge/renderings/{factor}"), _cell(figures, f"judge/reconstructions/{factor}"),
        )
        for factor in ("category", "colour", "texture", "background")
    ]  # fmt: skip
    return _table(("asked for", "generated", "per seed", "renderings", "reconstructions"), rows)


def category_table(figures: Figures) -> str:
    """Generated categories, one by one."""
    start = "generated/category/"
    names = sorted(name for name in figures if name.startswith(start))
    return _table(("category", "seen by the judge"), [_row(n.removeprefix(start), _cell(figures, n)) for n in names])


def site_table(figures: Figures, task: str) -> str:
    """One task at every block, trained and random-init."""
    columns = [f"{task}/{owner}" for owner in ("trained", "random-init")]
    rows = [_row(f"`{b}`", *(_cell(figures, f"{c}/{b}") for c in columns)) for b in BLOCKS]
    for name in ("latents", "pixels", "same position", "box-relative"):
        if f"{task}/{name}" in figures:
            rows.append(_row(name, _cell(figures, f"{task}/{name}"), ""))
    return _table(("site", "trained", "random-init U-Net"), rows)


def mirror_table(figures: Figures) -> str:
    """Correspondence when the two objects face the same way and opposite ways."""
    tops = sorted(BLOCKS, key=lambda b: -figures[f"PCK@0.1/trained/{b}"]["value"])[:3]
    names = [f"trained/{b}" for b in tops] + ["pixels", "same position", "box-relative"]
    ways = (" (same way)", " (opposite)")
    return _table(
        ("guess", "same way", "opposite ways"),
        [_row(name, *(_cell(figures, f"PCK@0.1/{name}{way}") for way in ways)) for name in names],
    )


def prompt_table(figures: Figures) -> str:
    """What the prompt is worth, by noise level."""
    times = sorted(int(name.split("=")[1]) for name in figures if name.startswith("prompt gain/"))
    return _table(
        ("timestep", "gain of the true caption", "true beats wrong"),
        [_row(t, _cell(figures, f"prompt gain/t={t}"), _cell(figures, f"true beats wrong/t={t}")) for t in times],
    )


def _best(figures: Figures, task: str, owner: str) -> tuple[str, float]:
    block = max(BLOCKS, key=lambda b: figures[f"{task}/{owner}/{b}"]["value"])
    return block, figures[f"{task}/{owner}/{block}"]["value"]


def asked_table(figures: Figures) -> str:
    """What was asked of the model before it was trained, and what it reached."""
    value = {name: f["value"] for name, f in figures.items() if isinstance(f, dict)}
    site, probe = _best(figures, "masked category", "trained")
    _, probe_control = _best(figures, "masked category", "random-init")
    place, pck = _best(figures, "PCK@0.1", "trained")
    _, pck_control = _best(figures, "PCK@0.1", "random-init")
    pck_floor, pck_pixels = value["PCK@0.1/same position"], value["PCK@0.1/pixels"]
    gains = [value[n] for n in sorted((n for n in value if n.startswith("prompt gain/")), key=lambda n: int(n[14:]))]
    psnr = next(v for n, v in value.items() if n.startswith("vae/psnr"))
    rows = [
        ("category of generated pictures", ">= .90", value["generated/category"], value["generated/category"] >= 0.9),
        ("their colour", ">= .90", value["generated/colour"], value["generated/colour"] >= 0.9),
        ("their background", ">= .97", value["generated/background"], value["generated/background"] >= 0.97),
        ("reconstruction, dB", ">= 28", psnr, psnr >= 28.0),
        (f"masked category, best site (`{site}`)", f">= {probe_control + 0.25:.3f} (random-init + .25)", probe,
         probe >= probe_control + 0.25),
        (f"PCK@0.1, best site (`{place}`)", f">= {6 * pck_floor:.3f} (6 x same position)", pck, pck >= 6 * pck_floor),
        ("", f">= {2 * pck_control:.3f} (2 x random-init)", pck, pck >= 2 * pck_control),
        ("", f"> {pck_pixels:.3f} (pixels)", pck, pck > pck_pixels),
        ("prompt gain at the highest noise", f"> {gains[0]:.3f} (at the lowest)", gains[-1], gains[-1] > gains[0]),
    ]  # fmt: skip
    head = ("what", "asked", "measured", "met")
    return _table(head, [_row(what, asked, f"{got:.3f}", "yes" if met else "**no**") for what, asked, got, met in rows])


def write_card(template: Path, evaluation: Path, card: Path) -> None:
    """Fill the `{{name}}` places of a card's text with tables and figures."""
    figures: Figures = json.loads(evaluation.read_text(encoding="utf-8"))
    psnr = next(name for name in figures if name.startswith("vae/psnr"))
    parts = {
        "generation": generation_table(figures),
        "categories": category_table(figures),
        "probe": site_table(figures, "masked category"),
        "pck": site_table(figures, "PCK@0.1"),
        "mirror": mirror_table(figures),
        "prompt": prompt_table(figures),
        "psnr": _cell(figures, psnr, 2) + " dB",
        "asked": asked_table(figures),
        "bytes": f"{folder_bytes(card.parent / 'weights'):,}",
    }
    text = template.read_text(encoding="utf-8")
    for name, value in parts.items():
        text = text.replace("{{" + name + "}}", value)
    card.write_text(text, encoding="utf-8")
