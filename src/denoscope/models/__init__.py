"""Reading and editing one denoiser: families, sites, hooks, coordinates."""
