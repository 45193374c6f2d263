"""`denoscope dictionary ...`: what a dictionary is, other packages' files, the Hub, and exports of its atoms."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg

from denoscope.cli.listing import AsJson
from denoscope.cli.output import say, show_json
from denoscope.cli.parsing import deferred, parsed
from denoscope.core.errors import unknown

__all__ = ["ACTIONS", "dictionary", "kept"]

Ours = Annotated[Positional[str], arg(metavar="FOLDER", help="that `learn` saved to, or hf://OWNER/NAME")]
Anyones = Annotated[Positional[str], arg(metavar="FOLDER", help="ours, hf://OWNER/NAME, or another package's files")]
StoreName = Annotated[Positional[str], arg(metavar="STORE", help="folder or URL that `extract` filled")]
Out = Annotated[Positional[Path], arg(metavar="OUT", help="folder to write to")]
_SCORES = 8
"""Scores that are shown; the report has all."""
Format = Annotated[str, arg(help="denoscope, or one that docs/formats.md lists, such as sae_lens")]


def dictionary(action: Annotated[Positional[str], arg(metavar="ACTION")], folder: Anyones, /) -> None:
    """Look at a dictionary, convert it, publish it or export its atoms.

    Args:
        action: info, convert, card, push, export, codes or births; `dictionary ACTION --help` shows its flags.
    """
    kept(["dictionary", action, folder])


def kept(arguments: Sequence[str]) -> bool:
    """Run `dictionary ACTION ...` with the flags of that action.

    Returns:
        Whether the arguments were of that kind; the command without an action is left to the general help.

    Raises:
        UnknownName: there is no such action.
    """
    if len(arguments) < 2 or arguments[0] != "dictionary" or arguments[1].startswith("-"):
        return False
    _, action, *rest = arguments
    if action not in ACTIONS:
        raise unknown("action", action, ACTIONS, "denoscope dictionary --help")
    prog = f"denoscope dictionary {action}"
    parsed(lambda: tyro.cli(deferred(ACTIONS[action]), prog=prog, args=rest or ["--help"]))()
    return True


def info(folder: Anyones, /, *, as_json: AsJson = False) -> None:
    """Say what a dictionary is: kind, size, where it was learned, how good it is; of other packages' files as well."""
    from denoscope.dictionaries.digest import digest_of

    made, origin = _opened(folder)
    about, scores = dict(made.about), made.report.scores if made.report else ()
    told: dict[str, Any] = {
        "dictionary": folder, "format": origin, "kind": made.name, "atoms": len(made.atoms), "reads": made.width,
        "writes": int(made.bias.size), "site": str(made.site or ""), "model": dict(about.get("model") or {}),
        "condition": about.get("condition") or {}, "recipe": about.get("recipe", ""), "weights": digest_of(made),
        "settings": vars(made.settings), "scores": [str(score) for score in scores],
    }  # fmt: skip
    if as_json:
        show_json(told)
        return
    other = "" if told["reads"] == told["writes"] else f", reads {told['reads']}"
    say(f"{made.name}  {told['atoms']} atoms of {told['writes']} channels{other}  ({origin})")
    model = told["model"].get("name") or told["model"].get("repo") or "not told"
    say(f"site  {told['site'] or 'not told'}   model  {model}   weights  {told['weights']}")
    for line in told["scores"][:_SCORES]:
        say(f"  {line}")
    if len(told["scores"]) > _SCORES:
        say(f"  ... and {len(told['scores']) - _SCORES} more: --json")


def convert(
    folder: Anyones,
    out: Out,
    /,
    *,
    to: Format = "denoscope",
    format: Annotated[str | None, arg(help="of FOLDER; told by its files unless given")] = None,
    site: Annotated[str | None, arg(help="where it was learned, which other packages name in their own way")] = None,
    k: Annotated[int | None, arg(help="of TopK, where the files do not say it")] = None,
) -> None:
    """Read a dictionary in any format and write it in any other."""
    from denoscope.dictionaries.formats import FORMATS, write_dictionary

    if to != "denoscope" and to not in FORMATS:
        raise unknown("format", to, ["denoscope", *FORMATS], "docs/formats.md")
    made, origin = _opened(folder, format, site, k)
    if to == "denoscope":
        made.save(out)
    else:
        write_dictionary(made, out, to)
    say(f"{made!r}  {origin} -> {to}")
    say(f"dictionary  {out}")


def card(folder: Ours, /, *, licence: str = "") -> None:
    """Print the model card that `push` writes.

    Args:
        licence: of the weights, as the Hub spells it.
    """
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.dictionaries.card import card_of

    say(card_of(load_dictionary(folder), licence=licence))


def push(
    folder: Ours,
    repo: Annotated[Positional[str], arg(metavar="OWNER/NAME", help="of the repository; made if absent")],
    /,
    *,
    private: bool = False,
    licence: str = "",
    revision: str | None = None,
) -> None:
    """Put a dictionary with its report and a model card on the Hub.

    Args:
        private: make the repository so that only its owner sees it.
        licence: of the weights, as the Hub spells it (`apache-2.0`); none is claimed unless given.
        revision: branch; the main one unless given.
    """
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.dictionaries.hub import push as put

    say(put(load_dictionary(folder), repo, private=private, licence=licence, revision=revision))


def export(
    folder: Ours,
    store: StoreName,
    out: Out,
    /,
    *,
    to: Annotated[Literal["neuronpedia", "delphi"], arg(help="who shall read it")] = "neuronpedia",
    report: Annotated[Path | None, arg(help="folder that `interpret` wrote: its words become explanations")] = None,
    data: Annotated[str | None, arg(help="the images, where the store cannot find them (see `list data`)")] = None,
    examples: Annotated[int, arg(help="images of each atom, the strongest ones, for Neuronpedia")] = 10,
    pictures: Annotated[bool, arg(help="write small pictures beside them")] = True,
    codes: Annotated[Path | None, arg(help="folder of kept codes, or to keep them in")] = None,
    model: Annotated[str, arg(help="what the model is called there; its name in the store unless given")] = "",
    splits: Annotated[int, arg(help="files that the atoms are dealt over, for delphi")] = 1,
    timestep: Annotated[float | None, arg(help="noise level; that of the dictionary unless given")] = None,
    progress: Annotated[bool, arg(help="show a bar with the time left")] = True,
) -> None:
    """Write what the atoms do on a store's images, for Neuronpedia or for delphi."""
    from denoscope.interpret.exporting import export_atoms

    place = export_atoms(
        store, folder, out, to, report=report, data=data, examples=examples, pictures=pictures, cache=codes,
        model=model, splits=splits, timestep=timestep, progress=progress,
    )  # fmt: skip
    say(f"{to}  {place}")


def codes(folder: Ours, store: StoreName, out: Out, /, *, timestep: float | None = None, progress: bool = True) -> None:
    """Encode a store's images once and keep the codes, sparse and in half precision.

    Args:
        timestep: noise level of the store that is read; that of the dictionary unless given.
        progress: show a bar with the time left.
    """
    from denoscope.chosen import made_folder, opened
    from denoscope.dictionaries._directions import read_at
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.interpret.coding import keep_codes, source_of
    from denoscope.progress import progress_bar

    found = load_dictionary(folder)
    source = source_of(opened(store), found, timestep)
    made = read_at(found, float(source.condition.timestep or 0))
    with progress_bar("codes", len(source.names), progress) as advance:
        kept_codes = keep_codes(source, made, made_folder(out), advance)
    say(f"{kept_codes.about['codes']} codes of {len(kept_codes)} images, {kept_codes.bytes / 1e6:.3g} MB")
    say(f"codes  {out}")


def births(
    folder: Annotated[
        Positional[Path], arg(metavar="FOLDER", help="of a dictionary of cells (itda); pictures go there")
    ],
    store: StoreName,
    /,
    *,
    data: Annotated[str | None, arg(help="the images, where the store cannot find them (see `list data`)")] = None,
    side: Annotated[int, arg(help="of each picture, in pixels")] = 64,
) -> None:
    """Draw where each atom of a dictionary of cells was born, and a sheet of them."""
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.interpret.birthplaces import births_sheet, draw_births

    made = load_dictionary(folder)
    count = draw_births(store, made, data=data, side=side)
    made.save(folder)
    (folder / "births.png").write_bytes(births_sheet(made))
    say(f"{count} birthplaces of {len(made.atoms)} atoms")
    say(f"sheet  {folder}/births.png")


ACTIONS: dict[str, Callable[..., None]] = {
    "info": info,
    "convert": convert,
    "card": card,
    "push": push,
    "export": export,
    "codes": codes,
    "births": births,
}
"""What can be done, by name."""


def _opened(folder: str, format: str | None = None, site: str | None = None, k: int | None = None) -> tuple[Any, str]:
    """A dictionary in any format, and the format's name."""
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.dictionaries.formats import format_of, read_dictionary

    own = format is None and (folder.startswith("hf:/") or format_of(folder) is None)
    if not own or (format is not None and format != "denoscope"):
        return read_dictionary(folder, format, k=k, site=site), str(format or format_of(folder))
    made = load_dictionary(folder)
    if site is not None:
        made.about = {**made.about, "site": site}
    return made, "denoscope"
