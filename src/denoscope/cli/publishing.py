"""`denoscope push` and `pull`: to the Hugging Face Hub and back."""

from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from denoscope.cli.output import say

__all__ = ["pull", "push"]

Anything = Annotated[
    Positional[str], arg(metavar="FOLDER", help="a store, dictionary, report, card or converted data set")
]
Repo = Annotated[Positional[str], arg(metavar="OWNER/NAME", help="of the repository; made if absent")]
Address = Annotated[
    Positional[str], arg(metavar="ADDRESS", help="hf://datasets/OWNER/NAME, or hf://OWNER/NAME of a dictionary")
]
Out = Annotated[Positional[Path], arg(metavar="DIR", help="folder to write: new, or of an earlier pull")]


def push(
    folder: Anything,
    repo: Repo,
    /,
    *,
    private: FlagCreatePairsOff[bool] = False,
    licence: str = "",
    recipe: Annotated[str | None, arg(help="of a store: digest, or its beginning; all unless given")] = None,
    reports: Annotated[bool, arg(help="of a store: send its reports as well")] = True,
    revision: Annotated[str | None, arg(help="branch, made if absent; the main one unless given")] = None,
) -> None:
    """Put a store, dictionary, report or card on the Hugging Face Hub, with a page that tells what it is.

    Run it again after an interruption. Needs a token that may write: `hf auth login`.

    Args:
        private: make the repository so that only its owner sees it.
        licence: as the Hub spells it (`cc-by-4.0`); none is claimed unless given.
    """
    from denoscope.interchange.publishing import push as verb

    say(verb(folder, repo, private=private, licence=licence, recipe=recipe, reports=reports, revision=revision))


def pull(
    address: Address,
    out: Out,
    /,
    *,
    recipe: Annotated[str | None, arg(help="of a store: beginning of a digest; all recipes unless given")] = None,
) -> None:
    """Fetch what `push` put on the Hub into a folder; run it again after an interruption."""
    from denoscope.interchange.publishing import kind_of
    from denoscope.interchange.publishing import pull as verb

    made = verb(address, out, recipe=recipe)
    say(f"{kind_of(made) or 'files'}  {made}")
