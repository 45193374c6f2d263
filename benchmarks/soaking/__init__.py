"""The parts of `soak.py`: long work, large stores, killed writers, many pictures."""
