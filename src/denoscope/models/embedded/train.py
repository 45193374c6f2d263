"""Make the embedded model again: `python -m denoscope.models.embedded.train --out runs/embedded`."""

import logging
import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from denoscope.models.embedded.training.package import LIMIT
from denoscope.models.embedded.training.pipeline import Plan, run, smoke_plan

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Train, package and evaluate; returns the exit status."""
    parser = ArgumentParser(prog="python -m denoscope.models.embedded.train", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/embedded"), help="checkpoints, caches, log, figures")
    parser.add_argument("--weights", type=Path, help="the packaged model; default: OUT/weights")
    parser.add_argument("--smoke", action="store_true", help="tiny budgets: the whole pipeline in under a minute")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    plan = smoke_plan() if chosen.smoke else Plan()
    figures = run(plan, chosen.out, chosen.weights or chosen.out / "weights")
    logging.getLogger(__name__).info("%s", {k: v for k, v in figures.items() if k.startswith("generated/")})
    return 0 if figures["bytes"] < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
