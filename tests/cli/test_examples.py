"""Lines that say how a command is used are right themselves, and stand where something is missing."""

import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
import tyro

from denoscope.cli import main
from denoscope.cli.app import COMMANDS
from denoscope.cli.examples import EXAMPLES
from denoscope.cli.parsing import deferred
from denoscope.reproduce.measuring import _asked
from denoscope.reproduce.study import Measurement

OWN_FLAGS = {"evaluate": 2, "learn": 2, "dictionary": 2}
"""Commands whose flags depend on their first word: the words that all of them take."""


def test_only_what_runs_without_arguments_has_no_example() -> None:
    """The others cannot be guessed."""
    assert set(COMMANDS) - set(EXAMPLES) == {"demo", "bench", "doctor"}


@pytest.mark.parametrize("command", EXAMPLES)
def test_an_example_can_be_parsed(command: str) -> None:
    """As the command itself parses it; it is not run."""
    program, name, *words = shlex.split(EXAMPLES[command])
    assert (program, name) == ("denoscope", command)
    if command in OWN_FLAGS:
        words = words[: OWN_FLAGS[command]]
    assert callable(tyro.cli(deferred(COMMANDS[command]), args=words))


@pytest.mark.parametrize(
    "words", ["extract embedded", "steer embedded 'a cat'", "evaluate", "sites", "export runs/first"]
)
def test_what_is_missing_is_told_with_an_example(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with what is missing and the command for help."""
    assert main(shlex.split(words)) == 2
    said = capsys.readouterr().err.strip()
    command = words.split()[0]
    assert "Missing from" in said and EXAMPLES[command] in said.replace("\n", " ") and f"{command} --help" in said


@pytest.mark.parametrize(("words", "said"), [
    ("probe runs/x --site mid", "denoscope evaluate probe runs/x --site mid"),
    ("top-k runs/x", "denoscope learn top-k runs/x"),
    ("evalute probe runs/x", "did you mean evaluate"),
    ("help evalute", "did you mean evaluate"),
    ("noise embedded 50 200", "--timesteps 50 200"),
    ("list nothing", "there are models"),
])  # fmt: skip
def test_likely_slips_are_understood(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A task or dictionary for a command, a level for a model, a word for help."""
    assert main(shlex.split(words)) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_what_is_no_store_is_not_made_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of something else stays as it is."""
    (tmp_path / "config.json").write_text("{}")
    assert main(["migrate", str(tmp_path)]) == 2
    assert "holds nothing that extract wrote" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


def test_a_plan_knows_its_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that does not exist is told before anything is planned."""
    assert main(["mitigate", "toy-sd15", "--tasks", "prob", "--plan"]) == 2
    assert "did you mean probe" in capsys.readouterr().err


def test_no_images_are_not_all_of_them() -> None:
    """`reproduce --limit 0` asks for none, which is refused, and not for the study's own number."""
    assert _asked(Measurement(limit=8), {}, False, 0).limit == 0
    assert _asked(Measurement(limit=8), {}, False, None).limit == 8


@pytest.mark.parametrize("words", ["--version", "version", "-V"])
def test_the_version(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As other programs tell it."""
    with pytest.raises(SystemExit, match="0"):
        main([words])
    assert capsys.readouterr().out.strip() == f"denoscope {version('denoscope')}"


def test_help_is_a_word_too(capsys: pytest.CaptureFixture[str]) -> None:
    """`denoscope help sites` is `denoscope sites --help`."""
    with pytest.raises(SystemExit, match="0"):
        main(["help", "sites"])
    assert "denoscope sites" in capsys.readouterr().out
