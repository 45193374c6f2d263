"""A page with a card per atom: its name, its images from strong to weak, and how far the name holds."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from denoscope.interpret.drawing import Shown

__all__ = ["Card", "Meter", "atoms_page"]

_SIDE, _SHOWN = 112, 88
"""Pixels along the longer side of a picture on a card, as it is kept and as it is shown."""
_BINS = 14
"""Bars of a card's histogram."""


@dataclass(frozen=True)
class Meter:
    """One score of an atom.

    Attributes:
        name: what is measured.
        value: 0 ... 1.
        chance: what needs no knowledge earns.
        hint: what it says, for the pointer.
    """

    name: str
    value: float
    chance: float
    hint: str


@dataclass(frozen=True, eq=False)
class Card:
    """What the page says of one atom.

    Attributes:
        atom: its number.
        kind: `learned` or `random`.
        title: its word or class; empty where nothing is sure.
        told: one line on the title: where it comes from.
        meters: scores.
        lines: further sentences.
        bands: `strong`, `middle`, `weak` to images of which the atom is so active.
        names: of the images of each band.
        strengths: of the images in which it is active: those that have its word, and the others.
        density: share of the cells in which it is active.
    """

    atom: int
    kind: str
    title: str
    told: str
    meters: tuple[Meter, ...]
    lines: tuple[str, ...]
    bands: Mapping[str, Sequence[Shown]]
    names: Mapping[str, Sequence[str]]
    strengths: tuple[NDArray[Any], NDArray[Any]]
    density: float


def atoms_page(title: str, cards: Sequence[Card], notes: Sequence[str], count: int) -> str:
    """One HTML page that needs no other file; without scripts it shows everything but does not sort.

    Args:
        title: heading.
        cards: of learned atoms, then of random ones.
        notes: sentences above the cards.
        count: atoms of the dictionary.
    """
    thumbs: dict[str, str] = {}
    shown = "".join(_card(card, thumbs) for card in cards)
    names = dict.fromkeys(meter.name for card in cards for meter in card.meters)
    learned = sum(card.kind == "learned" for card in cards)
    return _PAGE.substitute(
        title=html.escape(title),
        notes="".join(f"<p>{html.escape(note)}</p>" for note in notes),
        told=html.escape(f"{learned} of {count} atoms, and {len(cards) - learned} random ones to compare with."),
        orders="".join(f'<option value="{_slug(name)}">{html.escape(name)}</option>' for name in names),
        thumbs="".join(f".{name}{{background-image:url({data})}}" for data, name in thumbs.items()),
        cards=shown,
    )


def _card(card: Card, thumbs: dict[str, str]) -> str:
    top = max((float(one.codes.max()) for some in card.bands.values() for one in some), default=1.0)
    bands = "".join(
        f'<div class="band"><small>{band}</small><div>'
        + "".join(_picture(one, name, top, thumbs) for one, name in zip(some, card.names[band], strict=True))
        + "</div></div>"
        for band, some in card.bands.items()
        if some
    )
    meters = "".join(map(_meter, card.meters))
    told = " ".join(f'data-{_slug(meter.name)}="{meter.value:.4f}"' for meter in card.meters)
    title = html.escape(card.title) if card.title else "<i>no name</i>"
    told_of = f"<p>{html.escape(card.told)}</p>" if card.told else ""
    lines = f'<p class="lines">{html.escape("; ".join(card.lines))}</p>' if card.lines else ""
    text = html.escape(" ".join((card.title, *card.lines)).lower())
    return (
        f'<article class="{card.kind}" id="{card.kind}-{card.atom}" data-atom="{card.atom}" '
        f'data-density="{card.density:.6f}" data-text="{text}"'
        f' {told}><div class="what"><h2>{title}</h2><p class="number">{card.kind} atom {card.atom}, active in '
        f"{_percent(card.density)} of cells</p>{told_of}{_bars(card.strengths)}</div>"
        f'<div class="meters">{meters}</div><div><div class="pictures">{bands}</div>{lines}</div></article>\n'
    )


def _meter(meter: Meter) -> str:
    good = " good" if meter.value > meter.chance else ""
    return (
        f'<div title="{html.escape(meter.hint)}"><span>{html.escape(meter.name)}</span><b>{meter.value:.2f}</b>'
        f'<i class="bar{good}"><u style="width:{100 * min(1.0, max(0.0, meter.value)):.0f}%"></u>'
        f'<s style="left:{100 * min(1.0, max(0.0, meter.chance)):.0f}%"></s></i></div>'
    )


def _bars(strengths: tuple[NDArray[Any], NDArray[Any]]) -> str:
    """How strong the atom is in images with its word (full) and without (pale), over equal steps of strength."""
    both = np.concatenate(strengths).astype(np.float64)
    if not len(both):
        return ""
    edges = np.linspace(0, float(both.max()) or 1.0, _BINS + 1)
    own, rest = (np.histogram(part, edges)[0] for part in strengths)
    tall = max(1, int((own + rest).max()))
    bars = "".join(
        f'<rect class="rest" x="{10 * i}" y="{32 * (1 - (a + b) / tall):.1f}" width="9" height="{32 * b / tall:.1f}"/>'
        f'<rect class="own" x="{10 * i}" y="{32 * (1 - a / tall):.1f}" width="9" height="{32 * a / tall:.1f}"/>'
        for i, (a, b) in enumerate(zip(own.tolist(), rest.tolist(), strict=True))
    )
    said = f"{len(strengths[0])} active images with the word, {len(strengths[1])} without, by strength"
    return f'<svg viewBox="0 0 {10 * _BINS} 33" role="img" aria-label="{said}"><title>{said}</title>{bars}</svg>'


def _picture(shown: Shown, name: str, top: float, thumbs: dict[str, str]) -> str:
    rows, cols = shown.picture.shape[:2]
    scale = _SIDE / max(rows, cols)
    size = max(1, round(cols * scale)), max(1, round(rows * scale))
    small = Image.fromarray(shown.picture).resize(size, Image.Resampling.LANCZOS)
    kept = thumbs.setdefault(_data(small, "JPEG", quality=82), f"i{len(thumbs)}")
    mask = shown.marked(top).mask
    at = np.ix_(*((np.arange(n) * full // n) for n, full in zip(size[::-1], (rows, cols), strict=True)))
    levels = Image.fromarray(np.rint(15 * np.sqrt(mask[at])).astype(np.uint8), "P")
    levels.putpalette([238, 51, 119] * 16)
    over = _data(levels, "PNG", transparency=bytes(round(12 * level) for level in range(16)), bits=4)
    peak = float(shown.codes.max()) / max(top, 1e-12)
    wide, high = (round(side * _SHOWN / _SIDE) for side in size)
    return (f'<span class="pic {kept}" style="width:{wide}px;height:{high}px" title="{html.escape(name)}, '
            f'{peak:.0%} of the strongest"><img alt="" src="{over}"></span>')  # fmt: skip


def _data(image: Any, kind: str, **options: Any) -> str:
    made = io.BytesIO()
    image.save(made, kind, optimize=True, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(made.getvalue()).decode()}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.2g}"


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>$title</title><style>
:root { color-scheme: light dark; --line: #8884; --own: #4477aa; --rest: #8886; --mark: #cc3311; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 88rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin-bottom: .25rem; } header p { max-width: 60rem; margin: .4rem 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; position: sticky; top: 0; z-index: 2;
  background: Canvas; padding: .6rem 0; border-bottom: 1px solid var(--line); }
article { display: grid; grid-template-columns: 12rem 11rem 1fr; gap: .5rem 1.4rem; padding: .9rem 0;
  border-bottom: 1px solid var(--line); } article[hidden] { display: none; }
article.random { opacity: .85; } article.random h2::before { content: "random: "; font-weight: 400; opacity: .6; }
h2 { font-size: 1.3rem; margin: 0; line-height: 1.2; } h2 i { opacity: .5; font-weight: 400; }
.what p { margin: .15rem 0; font-size: .85rem; } .number { opacity: .65; }
.lines { margin: .5rem 0 0; font-size: .85rem; }
svg { width: 100%; height: 2.2rem; margin-top: .35rem; } .own { fill: var(--own); } .rest { fill: var(--rest); }
.meters div { display: grid; grid-template-columns: 1fr auto; font-size: .82rem; margin-bottom: .28rem; cursor: help; }
.meters b { font-variant-numeric: tabular-nums; }
.bar { grid-column: 1 / 3; position: relative; height: 6px; background: #8883; border-radius: 3px; }
.bar u { position: absolute; inset: 0 auto 0 0; background: var(--rest); border-radius: 3px; }
.bar.good u { background: var(--own); }
.bar s { position: absolute; top: -2px; height: 10px; width: 2px; background: CanvasText; }
.pictures { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-content: start; }
.band small { display: block; opacity: .65; } .band > div { display: flex; flex-wrap: wrap; gap: 3px; }
.pic { display: inline-block; background-size: 100% 100%; position: relative; }
.pic img { width: 100%; height: 100%; image-rendering: pixelated; display: block; }
.pic:hover img, body.plain .pic img { visibility: hidden; }
@media (max-width: 60rem) { article { grid-template-columns: 1fr; } }
$thumbs
</style></head><body><header><h1>$title</h1>$notes<p>$told</p></header>
<form onsubmit="return false"><label>Find <input id="find" type="search" placeholder="word, class, number"></label>
<label>Order <select id="order"><option value="">as found</option>$orders
<option value="density">how often active</option></select></label>
<label><input id="named" type="checkbox"> with a name only</label>
<label><input id="plain" type="checkbox"> without marks</label><a href="report.html">all scores</a></form>
<main>$cards</main>
<script>
const main = document.querySelector("main"), all = [...main.children], $$ = (id) => document.getElementById(id)
function shown() {
  const text = $$("find").value.trim().toLowerCase(), key = $$("order").value
  for (const card of all) {
    const hit = !text || card.dataset.text.includes(text) || card.dataset.atom === text
    card.hidden = !hit || ($$("named").checked && card.querySelector("h2 i") !== null)
  }
  const value = (card) => parseFloat(card.getAttribute("data-" + key) ?? "-1")
  const random = (card) => card.className === "random"
  const sorted = key ? [...all].sort((a, b) => random(a) - random(b) || value(b) - value(a)) : all
  main.append(...sorted)
  document.body.classList.toggle("plain", $$("plain").checked)
}
document.querySelector("form").addEventListener("input", shown)
</script></body></html>
""")
