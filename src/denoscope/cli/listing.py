"""`denoscope list`: what is registered."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from tyro.conf import FlagCreatePairsOff, Positional, arg

from denoscope.cli.output import say, show_json, table
from denoscope.core.errors import UnknownName, nearest

__all__ = ["AsJson", "list_things"]

Kind = Literal["models", "tasks", "data", "dictionaries", "measures", "studies"]
What = Annotated[Positional[str], arg(metavar="WHAT", help=f"{', '.join(get_args(Kind))}; or the folder of a store")]
AsJson = Annotated[FlagCreatePairsOff[bool], arg(name="json", help="print JSON for machines instead of a table")]


def list_things(
    kind: What = "models",
    /,
    *,
    preview: str | None = None,
    check: str | None = None,
    out: Path = Path("runs/previews"),
    as_json: AsJson = False,
) -> None:
    """List models, tasks, data sets, dictionaries, measures or studies by name; or what a store holds.

    Args:
        preview: data set to draw a contact sheet of, as in `list data --preview menagerie`.
        check: data set to describe, and to count against what was published: `list data --check spair:/path`.
        out: folder that the contact sheet goes to.
    """
    if preview is not None:
        say(str(_contact_sheet(preview, out)))
        return
    if check is not None:
        from denoscope.cli.checking import check_data

        check_data(check, as_json)
        return
    if kind not in get_args(Kind):
        _list_store(kind, as_json)
        return
    if kind == "studies":
        _list_studies(as_json)
        return
    from denoscope.core import registry

    entries = sorted(getattr(registry, kind), key=lambda entry: entry.name != "embedded")
    if as_json:
        show_json([{"name": e.name, "summary": e.summary, "aliases": e.aliases, **_plain(e.facts)} for e in entries])
        return
    if not entries:
        say(f"no {kind} yet in this version")
        return
    facts = [
        name for name in ("family", "native", "licence", "argument") if any(name in entry.facts for entry in entries)
    ]
    head = ["name", *facts, "what it is"]
    table(([e.name, *(_fact(e.facts.get(name)) for name in facts), e.summary] for e in entries), head, ["native"])


def _list_store(folder: str, as_json: bool) -> None:
    """Sites, noise levels, facts and reports of a store.

    Raises:
        UnknownName: neither a store nor anything that is registered.
    """
    from denoscope.cli.holding import holds_store, show_store

    if not holds_store(folder):
        kinds = get_args(Kind)
        close = f"did you mean {', '.join(found)}? There" if (found := nearest(folder, kinds)) else "there"
        raise UnknownName(f"nothing to list for {folder!r}; {close} are {', '.join(kinds)}, and folders that "
                          "extract filled. See: denoscope list --help")  # fmt: skip
    show_store(folder, as_json)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that JSON can hold."""
    return {name: asdict(cast("Any", value)) if is_dataclass(value) else value for name, value in facts.items()}


def _list_studies(as_json: bool) -> None:
    """Published tables and figures that can be measured again."""
    from denoscope.reproduce import studies

    found = studies()
    if as_json:
        rows = [{"name": name, "summary": one.title, "source": one.source, "models": one.models, "data": one.data}
                for name, one in found.items()]  # fmt: skip
        show_json(rows)
        return
    table(([name, one.title, one.source] for name, one in found.items()), ["name", "what it is", "published in"])


def _fact(value: Any) -> str:
    return "" if value is None else str(value)


def _contact_sheet(spec: str, out: Path) -> Path:
    """Draw the first pictures of a data set; the path of the PNG is returned."""
    from PIL import Image

    from denoscope.data.base import open_data
    from denoscope.data.menagerie import contact_sheet
    from denoscope.explorer.sheet import plain_sheet

    samples = open_data(spec)
    drawn = contact_sheet(samples) if spec.partition(":")[0] == "menagerie" else plain_sheet(samples)
    path = out / f"{''.join(letter if letter.isalnum() else '-' for letter in spec).strip('-')}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn).save(path)
    return path
