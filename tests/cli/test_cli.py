"""The command line: what people meet first. Bad input is one line and status 2; machines get JSON."""

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from denoscope.cli import main
from denoscope.cli.app import COMMANDS
from denoscope.cli.reading import Noise
from denoscope.core.condition import Condition
from denoscope.core.errors import InputError

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder; exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str, str]:
        try:
            status = main(arguments)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        said = capsys.readouterr()
        return status, said.out, said.err

    return go


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sites", "embeded"), ("embeded", "embedded", "denoscope list models")),
        (("sites", "toy-sd15", "up.9"), ("up.9", "denoscope sites MODEL")),
        (("extract", "toy-sd15", "photo", "--sites", "mid", "--timesteps", "50", "--out", "s"), ("photo", "list data")),
        (("extract", "toy-sd15", "photos", "--sites", "mid", "--out", "s"), ("no noise level", "--timesteps")),
        (("extract", "toy-sd15", "photos", "--sites", "mid", "--timesteps", "5000", "--out", "s"), ("5000", "999")),
        (("plan", "toy-sd15", "./nothing", "--sites", "mid", "--clean"), ("nothing",)),
        (("evaluate", "prob", "s"), ("prob", "probe", "list tasks")),
        (("evaluate", "probe", "s"), ("no store at 's'",)),
        (("learn", "topp", "s"), ("topp", "topk", "list dictionaries")),
        (("explore", "s"), ("no store at 's'",)),
        (("list", "data", "--preview", "zoo"), ("zoo", "list data")),
        (("list", "cats"), ("cats", "models", "denoscope list --help")),
        (("paint",), ("no command 'paint'", "denoscope --help")),
        (("expor", "s", "site"), ("did you mean export", "denoscope --help")),
        (("evaluate", "s", "probe"), ("the store comes second: denoscope evaluate probe s",)),
        (("learn", "s", "topk"), ("denoscope learn topk s",)),
        (("plan", "toy-sd15", "photos", "--sites", "mid", "--timesteps", "x"), ("--timesteps cannot be x",)),
        (("extract",), ("MODEL", "DATA", "--sites", "--out", "denoscope extract --help")),
        (("sites", "toy-sd15", "--sizes", "3"), ("--sizes", "meant: --size.")),
        (("sites", "toy-sd15", "--size", "0"), ("0", "multiple of 8")),
        (("sites", "./nowhere"), ("no folder './nowhere'",)),
        (("evaluate", "probe", "s", "--folds", "0"), ("folds must be at least 2", "denoscope evaluate probe --help")),
        (("learn", "topk", "s", "--atoms", "8", "--k", "9"), ("k must lie in 1 ... atoms (8)",)),
        (("extract", "toy-sd15", "photos", "--sites", "mid", "--clean", "--seed", "-1", "--out", "s"), ("seed", "-1")),
        (("extract", "toy-sd15", "photos", "--sites", "", "--clean", "--out", "s"), ("no site ''",)),
        (("extract", "toy-sd15", "photos", "--sites", "mid", "--clean", "--out", ""), ("empty name",)),
        (("plan", "toy-sd15", "photos", "--sites", "mid", "--clean", "--batch-size", "0"), ("at least 1",)),
        (("plan", "toy-sd15", "photos", "--sites", "mid", "--clean", "--canvas.size", "9"), ("9", "nearest is 8")),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Status 2, nothing on stdout, one line on stderr that names what was asked and where to look."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err
    assert all(word in err for word in words)


def test_no_flag_of_another_command_is_suggested(run: Run) -> None:
    """`--browser` belongs to `explore`; telling somebody who ran `demo` of it leads nowhere."""
    _, _, err = run("demo", "--no-browser")
    assert "--no-browser" in err and "meant" not in err and "denoscope demo --help" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    """Help ends with status 0 and describes every flag."""
    status, out, _ = run(command, "--help")
    assert status == 0 and f"denoscope {command}" in out


def test_no_arguments_show_the_help(run: Run) -> None:
    """Rather than an error."""
    status, out, _ = run()
    assert status == 0 and all(command in out for command in COMMANDS)


@pytest.mark.parametrize("kind", ["models", "tasks", "data", "dictionaries", "measures"])
def test_lists_are_readable_by_machines(run: Run, kind: str) -> None:
    """Every entry has a name and says what it is, in the table too."""
    status, out, _ = run("list", kind, "--json")
    entries = json.loads(out)
    assert status == 0 and all(entry["name"] and entry["summary"] for entry in entries)
    table = run("list", kind)[1]
    assert all(entry["name"] in table for entry in entries)


def test_sites_as_table_and_json(run: Run) -> None:
    """A glob narrows both down; shapes follow the asked-for size."""
    status, out, _ = run("sites", "toy-sd15", "up.*", "--size", "128", "--json")
    found = json.loads(out)
    assert status == 0 and [site["name"] for site in found][:2] == ["up.0", "up.1"]
    assert found[0]["shape"][1:] == [4, 4]
    assert "up.1" in run("sites", "toy-sd15", "up.*")[1]


def test_plan_counts_without_reading(run: Run) -> None:
    """Two levels of fourteen photographs are 28 rows."""
    status, out, _ = run("plan", "toy-sd15", "photos", "--sites", "mid", "--timesteps", "0", "50", "--json")
    told = json.loads(out)
    assert status == 0 and told["rows"] == 2 * told["images"]


def test_extract_from_a_folder_and_again(run: Run, tmp_path: Path) -> None:
    """Good pictures lie in the store under what was asked, a broken one stops nothing; a second run adds no recipe."""
    (tmp_path / "pictures").mkdir()
    for index in range(2):
        pixels = np.random.default_rng(index).integers(0, 255, size=(20, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{index}.png")
    (tmp_path / "pictures" / "broken.png").write_bytes(b"not a picture")
    command = ("extract", "toy-sd15", "pictures", "--sites", "mid", "--timesteps", "50", "--keep.layout", "pooled")
    status, out, _ = run(*command, "--out", "store", "--no-progress")
    assert status == 0 and "2 samples" in out
    again = run(*command, "--out", "store", "--no-progress", "--json")
    assert len(json.loads(again[1])["recipes"]) == 1


def test_a_store_says_what_it_holds(run: Run) -> None:
    """Sites, noise levels, facts with their values, reports and the next commands; and it is told from a model."""
    extract = ("extract", "toy-sd15", "menagerie:test", "--sites", "up.1", "mid", "--timesteps", "0", "50")
    _, said, _ = run(*extract, "--limit", "5", "--out", "s", "--keep.layout", "pooled", "--no-progress")
    assert "denoscope list s" in said and "denoscope evaluate TASK s --sites all" in said
    status, out, _ = run("list", "s", "--json")
    told = json.loads(out)
    assert status == 0 and list(told["sites"]) == ["mid", "up.1"]
    assert told["sites"]["mid"] == ["timestep=0", "timestep=50"]
    assert (told["recipes"][0]["images"], told["recipes"][0]["complete"]) == (5, True)
    assert told["facts"]["category"]["images"] == 5 and told["facts"]["scale"]["kind"] == "numbers"
    table = run("list", "s")[1]
    assert all(word in table for word in ("up.1", "category", "yes", "denoscope explore s"))
    status, _, err = run("sites", "s")
    assert status == 2 and "denoscope list s" in err


def test_what_everybody_has_comes_first(run: Run) -> None:
    """The embedded model heads the list of models, and is what a wrong name is pointed to."""
    assert json.loads(run("list", "models", "--json")[1])[0]["name"] == "embedded"
    assert "e.g. embedded, toy-" in run("sites", "qqqqq")[2]


def test_interrupt_is_status_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, no traceback."""

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("denoscope.cli.app.run", interrupted)
    status, _, err = run("doctor")
    assert status == 130 and len(err.strip().splitlines()) == 1


def test_contact_sheets(run: Run, tmp_path: Path) -> None:
    """Of the menagerie and of any other data set; the path is printed and holds a picture."""
    for spec in ("menagerie", "photos"):
        status, out, _ = run("list", "data", "--preview", spec)
        assert status == 0
        with Image.open(tmp_path / out.strip()) as sheet:
            assert min(sheet.size) > 200


def test_doctor_tells_versions_and_advice(run: Run) -> None:
    """Machines get one record per finding."""
    _, out, _ = run("doctor", "--json")
    told = {finding["what"]: finding for finding in json.loads(out)}
    assert told["torch"]["verdict"] == "ok" and "free disk" in told and "embedded model" in told


def test_migrate(run: Run, tmp_path: Path) -> None:
    """Says what it would write, writes it, and has nothing to do the second time; the model tells missing levels."""
    old = Path(shutil.copytree(Path(__file__).parents[1] / "store" / "format1", tmp_path / "old"))
    assert f"denoscope migrate {old}   (version 1)" in run("list", str(old))[1]
    status, told, _ = run("migrate", str(old), "--model", "toy-sd15", "--dry-run")
    assert status == 0 and "would be written" in told and not (old / "store.json").exists()
    status, told, _ = run("migrate", str(old), "--model", "toy-sd15", "--json")
    assert status == 0 and len(json.loads(told)["steps"]) == 6
    plan = json.loads((old / "46e3a8ccdfa09f9b" / "plan.json").read_text())
    assert len(plan["logsnrs"]) == 2 and plan["logsnrs"][0] > plan["logsnrs"][1]
    assert "nothing to do" in run("migrate", str(old))[1] and "denoscope migrate" not in run("list", str(old))[1]


def test_flags_of_noise_are_the_fields_of_a_condition() -> None:
    """Names and defaults agree, so that the command line and Python ask for the same thing."""
    plural = {"timesteps", "sigmas", "logsnrs", "clean"}
    offered = {
        field.name: field.default for field in fields(Noise) if field.name not in plural | {"percents", "prompts"}
    }
    known = {field.name: field.default for field in fields(Condition)}
    assert offered.items() <= known.items()
    assert {name.rstrip("s") for name in plural} | offered.keys() | {"label"} == known.keys()
    assert Noise(timesteps=(50,), seed=3).conditions == [Condition(timestep=50, seed=3)]
    said = Noise(timesteps=(50, 600), prompts=("", "a {label}")).conditions
    assert said == [Condition(timestep=t, prompt=p) for t in (50, 600) for p in ("", "a {label}")]
    with pytest.raises(InputError, match="not both"):
        _ = Noise(clean=True, prompt="a", prompts=("b",)).conditions
