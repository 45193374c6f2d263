"""The embedded model: a small latent diffusion model trained on the menagerie and shipped inside the wheel.

`weights/` is a diffusers folder; `CARD.md` says what the model can do, with intervals; `training_log.jsonl` is the
record of the run that made it; `python -m denoscope.models.embedded.train` makes it again.
"""

from pathlib import Path

__all__ = ["WEIGHTS"]

WEIGHTS = Path(__file__).parent / "weights"
