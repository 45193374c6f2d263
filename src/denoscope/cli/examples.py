"""One line per command that says how it is used, shown where something is missing."""

__all__ = ["EXAMPLES"]

EXAMPLES = {
    "sites": "denoscope sites embedded 'up.*'",
    "noise": "denoscope noise embedded --timesteps 50 200",
    "plan": "denoscope plan embedded menagerie:test --sites mid 'up.?' --timesteps 50 200",
    "extract": "denoscope extract embedded photos --sites mid up.2 --timesteps 50 --out runs/first",
    "import": "denoscope import dift features --data photos --out runs/imported",
    "convert": "denoscope convert runs/first runs/first-zarr --to zarr",
    "push": "denoscope push runs/first OWNER/NAME --private",
    "pull": "denoscope pull hf://datasets/OWNER/NAME runs/pulled",
    "explore": "denoscope explore runs/first",
    "export": "denoscope export runs/first site",
    "evaluate": "denoscope evaluate probe runs/first --site up.2 --fact category",
    "align": "denoscope align runs/people --site mid",
    "card": "denoscope card embedded --quick",
    "mitigate": "denoscope mitigate embedded --plan",
    "renoised": "denoscope renoised embedded menagerie:test --sites mid up.1",
    "learn": "denoscope learn topk runs/first --site up.2 --atoms 256 --k 8",
    "interpret": "denoscope interpret runs/first runs/atoms",
    "dictionary": "denoscope dictionary info runs/atoms",
    "faithful": "denoscope faithful embedded runs/atoms",
    "overlap": "denoscope overlap runs/atoms runs/other-atoms",
    "steer": "denoscope steer embedded --prompt 'a photo of a red cat' --dictionary runs/atoms --atom 17 --strength 40",
    "heatmaps": "denoscope heatmaps embedded --prompt 'a photo of a red cat'",
    "drift": "denoscope drift embedded menagerie:test --sites mid up.2",
    "memory": "denoscope memory flux-dev",
    "reproduce": "denoscope reproduce thesis/fig7",
    "list": "denoscope list models",
    "migrate": "denoscope migrate runs/first --dry-run",
}
