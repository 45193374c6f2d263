"""What is released is what is checked: image, workflows and pins agree with one another and with `.ci/run`."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCKER = (ROOT / "Dockerfile").read_text()
STEPS = [line.strip() for line in DOCKER.splitlines() if line.strip() and not line.startswith("#")]
MAKE = (ROOT / "Makefile").read_text()


def pins() -> dict[str, Version]:
    """Versions in constraints.txt."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line and line[0] != "#"]
    return {name: Version(version) for name, version in (line.split("==") for line in lines)}


def target(name: str) -> str:
    """Commands of a target of the Makefile."""
    found = re.search(rf"^{name}:.*\n((?:\t.*\n)+)", MAKE, re.M)
    assert found, f"make {name} is gone"
    return found[1]


def test_every_direct_dependency_is_pinned_within_its_bounds() -> None:
    """Those of the package and of all extras that developers install; a pin below a floor would never be tested."""
    extras, known = PROJECT["project"]["optional-dependencies"], pins()
    for text in [*PROJECT["project"]["dependencies"], *(w for name in ("test", "docs", "dev") for w in extras[name])]:
        wish = Requirement(text)
        if wish.name == "denoscope":  # an extra of its own
            continue
        name = canonicalize_name(wish.name)
        assert name in known, f"{wish.name} is not in constraints.txt; run: make lock"
        assert wish.specifier.contains(known[name], prereleases=True), text


def test_the_image_builds_what_the_release_builds() -> None:
    """Same build tools, same pins; the torch of the tests first; every file that it copies by name exists."""
    build = {Requirement(text).name for text in PROJECT["build-system"]["requires"]}
    assert all(re.search(rf"pip install .*--constraint constraints.txt .*\b{name}\b", DOCKER) for name in build)
    assert "python -m build --wheel --no-isolation" in DOCKER and "$(PY) -m build --no-isolation" in target("release")
    installs = [step for step in STEPS if "pip install" in step]
    assert len(installs) == 3 and all("--constraint" in step and "--no-cache-dir" in step for step in installs)
    assert "grep '^torch=='" in installs[1] and installs[2].find("[all]") > 0 and "torch" in pins()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKER, re.M)
    assert copied == [".", "constraints.txt"] and all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "runs"} <= set(ignored)
    needed = ("pyproject.toml", "README.md", "LICENSE", "src", "constraints.txt")
    assert not any(name in ignored for name in needed)


def test_the_image_runs_the_command_as_nobody_special() -> None:
    """On a Python that the package takes, in a folder that its user may write to."""
    images = re.findall(r"^FROM python:(\d+\.\d+)-slim", DOCKER, re.M)
    assert len(images) == 2 and all(Version(one) in Requirement(f"x{_python()}").specifier for one in images)
    assert "denoscope" in PROJECT["project"]["scripts"] and 'ENTRYPOINT ["denoscope"]' in STEPS
    user = next(step for step in STEPS if step.startswith("USER"))
    assert user == "USER 1000" and STEPS.index(user) < STEPS.index('ENTRYPOINT ["denoscope"]')
    assert re.search(r"useradd --create-home --uid 1000 scope", DOCKER) and "WORKDIR /home/scope" in STEPS


def _python() -> str:
    return PROJECT["project"]["requires-python"]


def test_the_workflows_run_what_any_machine_runs() -> None:
    """`.ci/run` on a bare Debian for every change; `make release` for a tag, and nothing besides is published."""
    ci = (ROOT / ".github/workflows/ci.yml").read_text()
    release = (ROOT / ".github/workflows/release.yml").read_text()
    assert "run: bash .ci/run" in ci and "container: debian:bookworm" in ci and "actions/checkout" in ci
    assert "run: make release" in release and 'tags: ["v*"]' in release and "id-token: write" in release
    assert "password" not in release and "secrets." not in release + ci
    assert re.search(r"permissions:\n  contents: read", ci) and re.search(r"permissions:\n  contents: read", release)
    script = (ROOT / ".ci/run").read_text()
    assert [line for line in script.splitlines() if line.startswith("make ")] == [
        "make test 2>&1 | tee \"$log\"", "make check", "make web-check"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["test", "check", "docs", "release", "web-check", "nightly", "lock"])
def test_targets_that_others_rely_on(name: str) -> None:
    """Each has commands, and help names those that people run."""
    assert target(name).strip()
    assert name == "lock" or f'@echo "make {name} ' in MAKE


def test_the_release_is_checked_and_lists_its_parts() -> None:
    """Metadata by twine, contents as CycloneDX, versions beside; both kinds of archive."""
    steps = target("release")
    assert "twine check --strict dist/*" in steps and "cyclonedx-py environment" in steps and "versions.txt" in steps
    assert "build --no-isolation" in steps and "--wheel" not in steps
