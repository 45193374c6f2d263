"""`denoscope doctor`: what is here and what is missing."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.text import Text

from denoscope.cli.installed import EXTRAS, PACKAGES, absent_of, floor_of, older, tested, version_of
from denoscope.cli.listing import AsJson
from denoscope.cli.output import show_json, table
from denoscope.core.errors import DenoscopeError, InputError

__all__ = ["Finding", "doctor", "findings"]

Verdict = Literal["ok", "warn", "fail"]
_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_LOW_DISK = 5e9
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "microsoft-edge", "firefox", "open", "explorer.exe")
_COMPILERS = ("g++", "c++", "clang++", "cl")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def doctor(*, as_json: AsJson = False) -> None:
    """Say which versions, processors, caches and models denoscope finds here, and what to do about what is missing."""
    found = list(findings())
    if as_json:
        show_json([asdict(finding) for finding in found])
    else:
        rows = ((Text(f.verdict, _STYLES[f.verdict]), f.what, f.found, f.advice) for f in found)
        table(rows, ["", "what", "found", "advice"])
    if broken := [finding.what for finding in found if finding.verdict == "fail"]:
        raise InputError(f"not in working order: {', '.join(broken)}")


def findings() -> Iterator[Finding]:
    """Everything that is looked at, in the order in which it is told."""
    yield Finding("denoscope", "ok", f"{version_of('denoscope')} on Python {platform.python_version()}, {sys.platform}")
    known = tested()
    yield from (_package(name, known.get(name)) for name in PACKAGES)
    yield from (_extra(name) for name in EXTRAS)
    for look in (_cpu, _memory, _gpu, _precision, _compiler, _disk, _cache, _network, _data, _browser, _embedded):
        yield _guarded(look)


def _guarded(look: Callable[[], Finding]) -> Finding:
    """One look; what fails in it is a finding too."""
    try:
        return look()
    except (DenoscopeError, ImportError, OSError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        return Finding(look.__name__.strip("_"), "fail", reason, "reinstall: pip install --force-reinstall denoscope")


def _package(name: str, known: str | None) -> Finding:
    """A package that nothing works without, against the least version and the one that the tests ran with."""
    found, floor = version_of(name), floor_of(name)
    if not found:
        return Finding(name, "fail", "absent", f"pip install '{name}{floor and f'>={floor}'}'")
    if floor and older(found, floor):
        return Finding(name, "fail", found, f"older than {floor}: pip install '{name}>={floor}'")
    if known and found.partition("+")[0] != known:
        return Finding(name, "ok", found, f"the tests ran with {known}")
    return Finding(name, "ok", found)


def _extra(name: str) -> Finding:
    """An optional part: what it unlocks, and whether its packages are here."""
    use, missing = EXTRAS[name], absent_of(name)
    if not missing:
        return Finding(f"[{name}]", "ok", use)
    return Finding(f"[{name}]", "warn", f"without {', '.join(missing)}", f"{use}: pip install 'denoscope[{name}]'")


def _cpu() -> Finding:
    """Threads and fast 16-bit arithmetic."""
    import torch

    known = Path("/proc/cpuinfo")
    flags = known.read_text().split() if known.exists() else []
    fast = [name for name in ("amx_bf16", "avx512_bf16") if name in flags]
    found = f"{platform.machine()}, {torch.get_num_threads()} threads, {', '.join(fast) or 'no bf16 arithmetic'}"
    return Finding("cpu", "ok", found, "" if fast else "models run in fp32 here, several times slower than bf16")


def _memory() -> Finding:
    """Of the machine, free and all, where it says."""
    known = Path("/proc/meminfo")
    if not known.exists():
        return Finding("memory", "ok", "this system does not say")
    lines = dict(line.split(":", 1) for line in known.read_text().splitlines())
    total, free = (int(lines[name].split()[0]) / 2**20 for name in ("MemTotal", "MemAvailable"))
    low = free < 4
    advice = "Stable Diffusion needs about 4 GiB, SDXL 8, Flux more (`denoscope plan`)" if low else ""
    return Finding("memory", "warn" if low else "ok", f"{free:.0f} of {total:.0f} GiB free", advice)


def _gpu() -> Finding:
    import torch

    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Finding("gpu", "ok", f"{count} x {torch.cuda.get_device_name(0)}, {memory:.0f} GiB")
    if torch.backends.mps.is_available():
        return Finding("gpu", "ok", "Apple GPU")
    return Finding("gpu", "warn", "none", "the embedded model needs none; SDXL, SD3 and Flux are slow without")


def _precision() -> Finding:
    """What models are computed in unless something else is asked for."""
    from denoscope.models.precision import choose_device, choose_dtypes

    device = choose_device(None)
    chosen = {part: str(dtype).removeprefix("torch.") for part, dtype in choose_dtypes(device, None, {}).items()}
    return Finding("precision", "ok", f"on {device}: {', '.join(f'{part} {name}' for part, name in chosen.items())}")


def _compiler() -> Finding:
    """For `torch.compile`, which writes C++ on a processor."""
    found = next((path for name in _COMPILERS if (path := shutil.which(name))), None)
    if found:
        return Finding("compiler", "ok", found)
    return Finding("compiler", "warn", "none", "only --compile needs one (on Debian: apt-get install g++)")


def _cache() -> Finding:
    """Models that the Hub's cache holds."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    count = len(list(folder.glob("models--*")))
    free = _free(folder)
    low = free < _LOW_DISK
    advice = "set HF_HOME to a disk with room for checkpoints" if low else "none is needed for the demo" * (not count)
    return Finding(
        "hub cache", "warn" if low else "ok", f"{count} models in {folder}, {free / 1e9:.0f} GB free", advice
    )


def _network() -> Finding:
    """Whether the Hub may be asked, and as whom; nothing is sent to find out."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import HF_HUB_OFFLINE

    said = "signed in" if get_token() else "not signed in"
    advice = "" if get_token() else "gated checkpoints (SD3, Flux-dev) need: hf auth login"
    if HF_HUB_OFFLINE:
        return Finding("hub", "ok", f"offline (HF_HUB_OFFLINE), {said}", "only what the cache holds can be loaded")
    return Finding("hub", "ok", said, advice)


def _data() -> Finding:
    """Published data sets below the folder that the environment names."""
    from denoscope.core.registry import data
    from denoscope.data.check import ROOT

    cards = {entry.name: entry.facts["card"] for entry in data if "card" in entry.facts}
    found = [name for name, card in cards.items() if card.here() is not None]
    advice = f"set {ROOT} to the folder that holds yours; `denoscope list data` names them" if not found else ""
    return Finding("data sets", "ok", f"{len(found)} of {len(cards)}: {', '.join(found)}" if found else "none", advice)


def _disk() -> Finding:
    free = _free(Path.cwd())
    advice = "activations are large; `denoscope plan` tells how large" if free < _LOW_DISK else ""
    return Finding("free disk", "warn" if free < _LOW_DISK else "ok", f"{free / 1e9:.0f} GB here", advice)


def _free(folder: Path) -> int:
    """Free bytes of the disk that a folder lies on, or would."""
    return shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.exists())).free


def _browser() -> Finding:
    """What `denoscope explore` would open, and whether the page is in the package."""
    page = find_spec("denoscope.explorer")
    home = Path(page.origin).parent if page and page.origin else Path()
    if not (home / "static" / "index.html").exists():
        return Finding("explorer", "fail", "its page is missing", "reinstall: pip install --force-reinstall denoscope")
    named = [os.environ["BROWSER"]] if os.environ.get("BROWSER") else []
    found = next((path for name in (*named, *_BROWSERS) if (path := shutil.which(name))), None)
    if found:
        return Finding("browser", "ok", found)
    return Finding("browser", "warn", "none", "denoscope explore prints its address: open it where there is a browser")


def _embedded() -> Finding:
    """Whether the model in the package loads."""
    from denoscope.models.loading import load

    started = time.perf_counter()
    model = load("embedded")
    seconds = time.perf_counter() - started
    return Finding("embedded model", "ok", f"loads in {seconds:.1f} s, {len(model.taps)} sites")
