"""The words everyone speaks: nouns shared by all floors. Needs only the standard library and numpy."""
