"""Gate: `import denoscope` takes under 150 ms of processor time (best of five) and loads nothing heavy."""

import subprocess
import sys

BUDGET_MS = 150
HEAVY = ("torch", "diffusers", "transformers", "numpy", "pyarrow", "matplotlib")
PROBE = f"""
import sys, time
start = time.process_time()
import denoscope
spent = (time.process_time() - start) * 1000
print(spent, *(name for name in {HEAVY!r} if name in sys.modules))
"""


def main() -> int:
    """Print the time; 1 when it is over budget or something heavy came along."""
    runs = [subprocess.check_output([sys.executable, "-c", PROBE], text=True).split() for _ in range(5)]
    best, loaded = min(float(run[0]) for run in runs), runs[0][1:]
    print(
        f"import denoscope: {best:.0f} ms (budget {BUDGET_MS} ms), heavy modules loaded: {', '.join(loaded) or 'none'}"
    )
    return int(best > BUDGET_MS or bool(loaded))


if __name__ == "__main__":
    sys.exit(main())
