"""The training run's record: one JSON object per line, and checkpoints that are never half written."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import torch

__all__ = ["load_checkpoint", "record", "save_checkpoint"]

_logger = logging.getLogger(__name__)


def record(path: Path, stage: str, **values: Any) -> None:
    """Append one line to the log at `path` and tell the logger."""
    rounded = {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in values.items()}
    line = {"time": time.strftime("%H:%M:%S", time.gmtime()), "stage": stage, **rounded}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    _logger.info("%s %s", stage, rounded)


def save_checkpoint(path: Path, **values: Any) -> None:
    """Write to a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(values, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The last checkpoint, or None."""
    return torch.load(path, weights_only=True) if path.exists() else None
