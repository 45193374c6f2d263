"""What toys are made of: published configurations, shrunken ones, and weights from a seed."""
