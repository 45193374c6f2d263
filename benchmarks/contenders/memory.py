"""Peak memory of one extraction into a store, in a process of its own: `python memory.py MODEL IMAGES`."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["peak"]


def peak(model: str, images: int) -> float:
    """Peak resident memory in MB of extracting so many generated scenes at three sites."""
    command = [sys.executable, str(Path(__file__)), model, str(images)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def _extract(model: str, images: int) -> None:
    import denoscope as ds

    sites, sizes = ["mid", "up.0", "up.1"], {"shard_size": 4, "batch_size": 4}
    with tempfile.TemporaryDirectory() as folder:
        ds.extract(model, "menagerie:test", sites, [50], out=folder, limit=images, progress=False, **sizes)


if __name__ == "__main__":
    _extract(sys.argv[1], int(sys.argv[2]))
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.write(f"{kilobytes / 1024:.1f}\n")
