"""Gate: sdist and wheel build without Node, are complete and small; the wheel runs and is typed in a clean environment.

The sdist builds the same wheel. A user's project (`.ci/downstream`) passes strict type checks against the wheel.

The clean environment holds nothing but the wheel. Its dependencies (1.5 GB) are borrowed from the environment that
runs this script, through a `.pth` file that puts that environment's packages *behind* its own on the path. A `.pth`
file found there is not followed, so the editable checkout stays invisible: what runs is the wheel.
"""

import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 20 * 2**20
SMOKE = "import denoscope, pathlib; print(pathlib.Path(denoscope.__file__).parent)"


def main() -> int:
    """Build, measure, install, run."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        measure(wheel)
        smoke(wheel, Path(folder) / "clean")
        typed(Path(folder) / "clean")
    return 0


def build(folder: Path) -> Path:
    """The wheel that the sdist of this checkout gives; no isolation, since the build backend is installed already."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


def measure(wheel: Path) -> None:
    """No file over 20 MB, neither in the repository nor as a wheel, and nothing that the package needs left out."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    files = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    for path in [wheel, *files]:
        if path.stat().st_size > LIMIT:
            sys.exit(f"{path.name} has {path.stat().st_size / 2**20:.1f} MB; the limit is {LIMIT / 2**20:.0f} MB")
    packed = set(zipfile.ZipFile(wheel).namelist())
    source = {str(path.relative_to(ROOT / "src")) for path in files if ROOT / "src" in path.parents}
    if missing := sorted(source - packed):
        sys.exit(f"the wheel lacks {', '.join(missing[:5])}")
    print(f"{wheel.name}: {wheel.stat().st_size / 2**20:.1f} MB, {len(packed)} files")


def smoke(wheel: Path, home: Path) -> None:
    """Install the wheel alone, then ask it for help, its version of itself and a health check."""
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    own = Path(site.strip())
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True)
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.check_output([python, "-c", SMOKE], text=True, cwd=home).strip()
    if not Path(where).is_relative_to(own):
        sys.exit(f"the clean environment imports denoscope from {where}, not from the wheel")
    help_text = subprocess.check_output([home / "bin" / "denoscope", "--help"], text=True, cwd=home)
    for command in ("demo", "sites", "extract", "doctor"):
        if command not in help_text:
            sys.exit(f"denoscope --help does not mention {command}")
    subprocess.run([home / "bin" / "denoscope", "doctor"], check=True, cwd=home)


def typed(home: Path) -> None:
    """A user's project against the installed wheel, checked strictly."""
    project = ROOT / ".ci" / "downstream"
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", str(home / "bin" / "python"), "-p", str(project)]
    subprocess.run(command, check=True, cwd=home)


if __name__ == "__main__":
    sys.exit(main())
