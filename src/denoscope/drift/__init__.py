"""The verb `drift`: what lower precision and quantised weights do to activations and to a task's score."""

from denoscope.drift.verb import drift

__all__ = ["drift"]
