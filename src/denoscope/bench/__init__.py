"""The verb `bench`: how fast denoscope is on this machine, beside recorded runs and what the machine can do at best."""

from denoscope.bench.record import Bench, Timing, bench, recorded

__all__ = ["Bench", "Timing", "bench", "recorded"]
