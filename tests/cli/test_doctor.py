"""What the doctor says of packages, extras, disks and browsers that are not as they should be."""

import tomllib
from pathlib import Path

import pytest

from denoscope.cli import doctor, installed

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEVELOPERS = {"all", "test", "docs", "dev", "release"}


def test_every_extra_is_told() -> None:
    """With what it unlocks; those of developers are not."""
    assert installed.EXTRAS.keys() == PROJECT["optional-dependencies"].keys() - DEVELOPERS


def test_every_package_has_a_floor_and_a_tested_version() -> None:
    """The least version is that of pyproject.toml, the tested one that of constraints.txt."""
    wishes = dict(wish.split(">=") for wish in PROJECT["dependencies"])
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(f"{name}=={installed.tested()[name]}" in pins for name in installed.PACKAGES)
    for name in installed.PACKAGES:
        assert installed.floor_of(name) == wishes[name]
        assert not installed.older(installed.tested()[name], wishes[name])


def test_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent or older than asked for fails with the command that mends it; another than the tested one is only told."""
    versions = {"torch": "2.99.0+cu130", "numpy": "1.26.4", "pyarrow": ""}
    monkeypatch.setattr(doctor, "version_of", versions.get)
    newer, old, absent = (doctor._package(name, "2.13.0") for name in versions)
    assert newer.verdict == "ok" and newer.advice == "the tests ran with 2.13.0"
    assert old.verdict == "fail" and "pip install 'numpy>=2.0'" in old.advice
    assert absent.verdict == "fail" and "pip install 'pyarrow>=17'" in absent.advice
    monkeypatch.setattr(doctor, "version_of", lambda name: "2.13.0+cpu")
    assert doctor._package("torch", "2.13.0").advice == ""


def test_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absent or outdated package of an extra is named, with what it would unlock and how to get it."""
    assert doctor._extra("explorer").verdict == "ok"
    known = installed.version_of
    monkeypatch.setattr(installed, "version_of", lambda name: {"fastapi": "", "uvicorn": "0.1"}.get(name, known(name)))
    found = doctor._extra("explorer")
    assert (found.verdict, found.found) == ("warn", "without fastapi, uvicorn")
    assert "server" in found.advice and "pip install 'denoscope[explorer]'" in found.advice


def test_disks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A full disk is told, here and where checkpoints are kept, also where the folder does not exist yet."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub" / "cache"))
    assert doctor._cache().verdict == "ok" and doctor._cache().found.startswith("0 models")
    monkeypatch.setattr(doctor, "_free", lambda folder: 10**9)
    assert doctor._disk().verdict == "warn" and "denoscope plan" in doctor._disk().advice
    assert doctor._cache().verdict == "warn" and "HF_HOME" in doctor._cache().advice


def test_browser_and_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is no failure, and the advice says what still works."""
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor._browser().verdict == "warn" and "prints its address" in doctor._browser().advice
    assert doctor._compiler().verdict == "warn" and "--compile" in doctor._compiler().advice
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/bin/{name}" if name in ("firefox", "clang++") else None)
    assert doctor._browser().found == "/bin/firefox" and doctor._compiler().found == "/bin/clang++"


def test_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether someone is signed in is told, never the token."""
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_secret")
    assert "hf_secret" not in str(doctor._network()) and doctor._network().found.endswith("signed in")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert doctor._network().found == "offline (HF_HUB_OFFLINE), signed in"


def test_a_look_that_fails_is_a_finding() -> None:
    """The rest is told all the same."""

    def _broken() -> doctor.Finding:
        raise OSError("no such device\nmore")

    assert doctor._guarded(_broken).verdict == "fail" and doctor._guarded(_broken).found == "no such device"
