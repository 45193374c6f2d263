"""Two Ray nodes in namespaces of one machine, one of them killed, then the driver: the store is that of one process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs denoscope[ray]; see `make nightly`")
ROOT = Path(__file__).parents[1]
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NEEDED = ("ip", "unshare", "nsenter")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="network namespaces need root")
@pytest.mark.skipif(not all(shutil.which(name, path=PATH) for name in NEEDED), reason=f"needs {', '.join(NEEDED)}")
def test_a_killed_node_and_a_killed_driver_lose_and_double_nothing(tmp_path: Path) -> None:
    """The command of docs/scaling.md, with fewer images."""
    output = tmp_path / "cluster.json"
    command = [sys.executable, "benchmarks/cluster.py", "--images", "384", "--shard", "8", "--no-page"]
    ran = subprocess.run([*command, "--output", output], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(output.read_text())
    assert found["equal"] and found["digests"] > 48 * 3 and found["made_again"] == 0
    assert found["processes_killed"] > 3  # Ray's own and the actor
    assert found["node_killed_at"] < found["driver_killed_at"] < 48
    assert "384/384" in found["bar_at_the_end"] and "left" in found["bar_at_the_end"]
