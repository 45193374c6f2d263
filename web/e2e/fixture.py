"""A real store and its static export, for the browser tests. Prints where they are.

Two models (the embedded one, and the same with random weights), several sites and noise levels, attention to the words
of a prompt, reports, and two dictionaries of one site.

python web/e2e/fixture.py FOLDER
"""

import json
import sys
from pathlib import Path

import denoscope as ds
from denoscope.explore import export

DATA, SCENES, SHOWN = "menagerie:test", 48, 6
DICTIONARIES = ("topk", "itda")
LOOKING = ("up.2.attn.2.blk.0.cross.map", "up.3.attn.0.blk.0.cross.map")


def main(folder: Path) -> None:
    """Fill `folder/store` and `folder/site`; what is there already is kept."""
    place = folder / "store"
    store = ds.extract("embedded", DATA, ("mid", "up.1", "up.2"), (50, 200), out=place, limit=SCENES, progress=False)
    if not store.reports:
        ds.evaluate(store, "probe", site="mid", fact="superclass", folds=2)
        for kind in DICTIONARIES:
            made = ds.learn(store, kind, site="up.1", timestep=50, out=folder / kind, atoms=64, k=6, cells=6000,
                            baselines=[], progress=False)  # fmt: skip
            if kind == "topk":
                ds.interpret(store, made, looked=8)
    ds.extract("untrained:embedded", DATA, "up.1", 50, out=place, limit=SHOWN, progress=False)
    ds.extract("embedded", DATA, LOOKING, 50, out=place, limit=SHOWN, prompt="a photo of a {category}", progress=False)
    export(place, folder / "site", images=SHOWN, dictionaries=[folder / kind for kind in DICTIONARIES])
    sys.stdout.write(json.dumps({"store": str(place), "site": str(folder / "site")}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
