"""Whether an earlier demo can be shown as it is, told without loading a model."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from denoscope.bundling import bundle_folder
from denoscope.core.errors import StoreError
from denoscope.explorer.bundle.blobs import Blobs
from denoscope.store.store import Store

__all__ = ["is_warm", "remember"]

_TOLD = "demo.json"


def is_warm(out: Path) -> bool:
    """Whether a folder holds a finished demo of this version, of these weights and of what the demo reads now."""
    if not (out / "report" / "report.html").is_file() or not (out / "store").is_dir():
        return False
    try:
        store = Store(out / "store")
        shown = Blobs(bundle_folder(store)).manifest()
        whole = bool(store.volumes) and store.complete and shown is not None
        return whole and json.loads((out / _TOLD).read_bytes()) == _asked()
    except (StoreError, OSError, ValueError):
        return False


def remember(out: Path) -> None:
    """Note that a demo is finished."""
    (out / _TOLD).write_text(json.dumps(_asked(), indent=1) + "\n", "utf-8")


def _asked() -> dict[str, Any]:
    """What a demo rests on: weights that were changed in place, as in a checkout, make another one."""
    from denoscope.demo import ATOMS, LEARNED_AT, LOOKED_AT, LOOKING, PROMPT, SITES, TIMESTEPS
    from denoscope.models.embedded import WEIGHTS
    from denoscope.models.folder import weight_digest

    read = {"sites": list(SITES), "timesteps": list(TIMESTEPS), "words": [PROMPT, LOOKED_AT, *LOOKING]}
    made = {"read": read, "learned": [LEARNED_AT, ATOMS]}
    return {"denoscope": version("denoscope"), "weights": weight_digest(WEIGHTS), **made}
