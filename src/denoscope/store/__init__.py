"""Activations on disk: written once, resumable, readable without denoscope."""

from denoscope.store.keep import Keep
from denoscope.store.store import Store

__all__ = ["Keep", "Store"]
