"""The verb `interpret`: store x dictionary -> what its atoms stand for, without a judge or a key."""

from denoscope.interpret.verb import interpret

__all__ = ["interpret"]
