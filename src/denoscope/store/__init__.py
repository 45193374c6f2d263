"""Activations on disk, addressed by the digest of their recipe."""
