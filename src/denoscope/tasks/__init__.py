"""Evaluations: activations and facts in, report out."""
