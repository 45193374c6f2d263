"""Who is timed against whom: full-size random weights, sdhelper, a plain diffusers loop, bare sub-module calls."""
