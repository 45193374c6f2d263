"""The verb `learn`: activations x dictionary -> dictionary + report."""

from denoscope.learn.planning import plan
from denoscope.learn.verb import learn

__all__ = ["learn", "plan"]
