"""Writes below the pins of `constraints.txt` the exact versions of all else that `.[dev]` brings, as installed here.

    python .ci/lock.py          rewrite the lower part of constraints.txt
    python .ci/lock.py --check  only say what is missing or differs; 1 when something does

The pins above the line are chosen by hand and stay. There are no hashes: pip asks for them for everything or nothing,
and this project itself is installed from its folder.
"""

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

FILE = Path(__file__).resolve().parents[1] / "constraints.txt"
SHIPPED = FILE.parent / "src" / "denoscope" / "cli" / "tested.txt"
"""What `denoscope doctor` compares with."""
LINE = "# Everything else that the tests run with, written by .ci/lock.py; the versions that they were run with last."


def main() -> int:
    """Write or check."""
    chosen = FILE.read_text(encoding="utf-8").split(LINE)[0].rstrip().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in chosen if "==" in line}
    found, absent = closure(list(asked(("dev",))))
    rest = sorted(f"{name}=={version}" for name, version in found.items() if name not in pinned)
    text = "\n".join([*chosen, LINE, *rest, ""])
    if absent:
        print(f"not installed here, and left out: {', '.join(sorted(absent))}")
    if "--check" in sys.argv[1:]:
        stale = sorted(set(text.splitlines()) ^ set(FILE.read_text(encoding="utf-8").splitlines()))
        print("\n".join(stale) or f"constraints.txt holds all {len(rest) + len(pinned)} packages as they are here")
        return int(bool(stale or absent))
    FILE.write_text(text, encoding="utf-8")
    SHIPPED.write_text("".join(f"{line}\n" for line in sorted(text.splitlines()) if "==" in line), encoding="utf-8")
    print(f"{len(pinned)} chosen and {len(rest)} more in constraints.txt")
    return 0


def asked(extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What this project needs with some extras, by pyproject.toml: what is installed may tell of an older one."""
    project = tomllib.loads((FILE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wishes = [*project["dependencies"], *(text for extra in extras for text in project["optional-dependencies"][extra])]
    for wish in map(Requirement, wishes):
        if canonicalize_name(wish.name) == project["name"]:
            yield from asked(tuple(wish.extras))
        else:
            yield canonicalize_name(wish.name), tuple(sorted(wish.extras))


def closure(left: list[tuple[str, tuple[str, ...]]]) -> tuple[dict[str, str], set[str]]:
    """Versions of packages and of all that they need, by canonical name; and what is needed and not installed."""
    found: dict[str, str] = {}
    absent: set[str] = set()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while left:
        package, wanted = left.pop()
        if (package, wanted) in seen:
            continue
        seen.add((package, wanted))
        try:
            version = Version(distribution(package).version)
        except PackageNotFoundError:
            absent.add(package)
            continue
        found[package] = version.public
        left += needed(package, wanted)
    return found, absent


def needed(package: str, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a package with extras needs on this machine."""
    for text in distribution(package).requires or ():
        wish = Requirement(text)
        if wish.marker is None or any(wish.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            yield canonicalize_name(wish.name), tuple(sorted(wish.extras))


if __name__ == "__main__":
    sys.exit(main())
