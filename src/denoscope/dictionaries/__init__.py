"""Directions with an encoder."""
