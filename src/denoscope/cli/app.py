"""Which commands there are."""

import sys
from collections.abc import Sequence
from importlib.metadata import version

import tyro
from tyro.extras import SubcommandApp

from denoscope.cli.aligning import align
from denoscope.cli.benching import bench
from denoscope.cli.carding import card
from denoscope.cli.converting import convert
from denoscope.cli.demo import demo
from denoscope.cli.dictionaries import dictionary, kept
from denoscope.cli.doctor import doctor
from denoscope.cli.drifting import drift
from denoscope.cli.examples import EXAMPLES
from denoscope.cli.explorer import explore, export
from denoscope.cli.heating import heatmaps
from denoscope.cli.importing import import_features
from denoscope.cli.interpreting import interpret
from denoscope.cli.listing import list_things
from denoscope.cli.migrating import migrate
from denoscope.cli.mitigating import mitigate
from denoscope.cli.noising import noise
from denoscope.cli.output import say
from denoscope.cli.overlapping import overlap
from denoscope.cli.parsing import deferred, parsed
from denoscope.cli.publishing import pull, push
from denoscope.cli.reading import extract, plan, sites
from denoscope.cli.renoising import renoised
from denoscope.cli.reproducing import reproduce
from denoscope.cli.sizing import memory
from denoscope.cli.splicing import faithful
from denoscope.cli.steering import steer
from denoscope.cli.verbs import evaluate, learn, specialise
from denoscope.core.errors import DenoscopeError, InputError, unknown

__all__ = ["run"]

_ABOUT = """A scope for denoisers: read the internal representations of latent diffusion models.

Start with `denoscope demo`. Help on a command: `denoscope COMMAND --help`."""


def run(arguments: Sequence[str] | None = None) -> None:
    """Parse the arguments (those of the process by default) and run the command that they name.

    Raises:
        UnknownName: there is no such command.
        InputError: the command's arguments cannot be read.
    """
    arguments = _usual(list(sys.argv[1:] if arguments is None else arguments))
    if specialise(arguments) or kept(arguments):
        return
    if arguments and not arguments[0].startswith("-"):
        name, *rest = arguments
        if name not in COMMANDS:
            raise _other(name, rest)
        # The command alone is parsed, so that no flag of another one is suggested.
        parsed(
            lambda: tyro.cli(deferred(COMMANDS[name]), prog=f"denoscope {name}", args=rest), EXAMPLES.get(name, "")
        )()
        return
    app = SubcommandApp()
    for name, command in COMMANDS.items():
        app.command(name=name)(deferred(command))
    parsed(lambda: app.cli(prog="denoscope", description=_ABOUT, args=arguments or ["--help"]))()


def _usual(arguments: list[str]) -> list[str]:
    """`help`, `help COMMAND` and `--version` as other programs have them."""
    if arguments[:1] == ["help"]:
        return [*arguments[1:], "--help"]
    if arguments in (["version"], ["--version"], ["-V"]):
        say(f"denoscope {version('denoscope')}")
        raise SystemExit(0)
    return arguments


def _other(name: str, rest: Sequence[str]) -> DenoscopeError:
    """No such command; the name of a task or dictionary is taken for what it is."""
    from denoscope.core.registry import dictionaries, tasks

    for verb, known in (("evaluate", tasks), ("learn", dictionaries)):
        if name in known:
            return InputError(f"{name} is what to {verb}: denoscope {' '.join([verb, name, *rest])}")
    return unknown("command", name, COMMANDS, "denoscope --help")


COMMANDS = {
    "demo": demo,
    "sites": sites,
    "noise": noise,
    "plan": plan,
    "extract": extract,
    "import": import_features,
    "convert": convert,
    "push": push,
    "pull": pull,
    "explore": explore,
    "export": export,
    "evaluate": evaluate,
    "align": align,
    "card": card,
    "mitigate": mitigate,
    "renoised": renoised,
    "learn": learn,
    "interpret": interpret,
    "dictionary": dictionary,
    "faithful": faithful,
    "overlap": overlap,
    "steer": steer,
    "heatmaps": heatmaps,
    "drift": drift,
    "memory": memory,
    "reproduce": reproduce,
    "list": list_things,
    "migrate": migrate,
    "bench": bench,
    "doctor": doctor,
}
