"""What holds for the whole suite."""

from hypothesis import settings

settings.register_profile("denoscope", max_examples=25, deadline=None)
settings.load_profile("denoscope")
