"""Plain functions on arrays: similarity, geometry, statistics."""
