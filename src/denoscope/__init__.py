"""A scope for denoisers: read the internal representations of latent diffusion models.

The front door. Names are imported when they are first used, so that `import denoscope` loads neither torch nor
diffusers nor numpy; `dir(denoscope)` lists them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denoscope.card import card
    from denoscope.core.activations import Activations
    from denoscope.core.condition import Condition
    from denoscope.core.errors import DenoscopeError
    from denoscope.core.frame import Frame, Grid
    from denoscope.core.recipe import Origin, Recipe
    from denoscope.core.report import Report, Score
    from denoscope.core.sample import DataSet, Sample
    from denoscope.core.site import Site, SiteInfo
    from denoscope.data.base import open_data
    from denoscope.dictionaries.base import load_dictionary
    from denoscope.dictionaries.contrasts import contrast
    from denoscope.dictionaries.edits import ablate, add, clamp, replace, scale
    from denoscope.dictionaries.limits import dose, within
    from denoscope.dictionaries.patches import patch
    from denoscope.dictionaries.repairs import matched, remove, silence, tame
    from denoscope.dictionaries.shifts import opposed, shift
    from denoscope.dictionaries.splices import splice
    from denoscope.dictionaries.unlearning import unlearn
    from denoscope.evaluate import evaluate
    from denoscope.explore import explore, export, widget
    from denoscope.extract import extract
    from denoscope.features.causal import causal
    from denoscope.features.faithful import faithful
    from denoscope.features.heatmaps import heatmaps
    from denoscope.features.mitigate import mitigate
    from denoscope.features.renoising import renoised
    from denoscope.features.sweeps import sweep
    from denoscope.interchange.converting import convert
    from denoscope.interchange.importing import import_features
    from denoscope.interchange.publishing import pull, push
    from denoscope.interchange.tracing import bridge
    from denoscope.interpret import interpret
    from denoscope.learn import learn
    from denoscope.models.base import Model
    from denoscope.models.coordinates import Canvas
    from denoscope.models.loading import load
    from denoscope.probe_stream import probe_stream
    from denoscope.reproduce import reproduce
    from denoscope.steer import steer
    from denoscope.store.keep import Keep
    from denoscope.store.store import Store

__all__ = [
    "Activations",
    "Canvas",
    "Condition",
    "DataSet",
    "DenoscopeError",
    "Frame",
    "Grid",
    "Keep",
    "Model",
    "Origin",
    "Recipe",
    "Report",
    "Sample",
    "Score",
    "Site",
    "SiteInfo",
    "Store",
    "ablate",
    "add",
    "bridge",
    "card",
    "causal",
    "clamp",
    "contrast",
    "convert",
    "dose",
    "evaluate",
    "explore",
    "export",
    "extract",
    "faithful",
    "heatmaps",
    "import_features",
    "interpret",
    "learn",
    "load",
    "load_dictionary",
    "matched",
    "mitigate",
    "open_data",
    "opposed",
    "patch",
    "probe_stream",
    "pull",
    "push",
    "remove",
    "renoised",
    "replace",
    "reproduce",
    "scale",
    "shift",
    "silence",
    "splice",
    "steer",
    "sweep",
    "tame",
    "unlearn",
    "widget",
    "within",
]

_HOMES = {
    "card": ("card",),
    "core.activations": ("Activations",),
    "core.condition": ("Condition",),
    "core.errors": ("DenoscopeError",),
    "core.frame": ("Frame", "Grid"),
    "core.recipe": ("Origin", "Recipe"),
    "core.report": ("Report", "Score"),
    "core.sample": ("DataSet", "Sample"),
    "core.site": ("Site", "SiteInfo"),
    "data.base": ("open_data",),
    "dictionaries.base": ("load_dictionary",),
    "dictionaries.contrasts": ("contrast",),
    "dictionaries.edits": ("ablate", "add", "clamp", "replace", "scale"),
    "dictionaries.limits": ("dose", "within"),
    "dictionaries.patches": ("patch",),
    "dictionaries.repairs": ("matched", "remove", "silence", "tame"),
    "dictionaries.shifts": ("opposed", "shift"),
    "dictionaries.splices": ("splice",),
    "dictionaries.unlearning": ("unlearn",),
    "evaluate": ("evaluate",),
    "explore": ("explore", "export", "widget"),
    "extract": ("extract",),
    "features.causal": ("causal",),
    "features.heatmaps": ("heatmaps",),
    "features.faithful": ("faithful",),
    "features.mitigate": ("mitigate",),
    "features.renoising": ("renoised",),
    "features.sweeps": ("sweep",),
    "interchange.converting": ("convert",),
    "interchange.importing": ("import_features",),
    "interchange.tracing": ("bridge",),
    "interchange.publishing": ("pull", "push"),
    "interpret": ("interpret",),
    "learn": ("learn",),
    "models.base": ("Model",),
    "models.coordinates": ("Canvas",),
    "models.loading": ("load",),
    "probe_stream": ("probe_stream",),
    "reproduce": ("reproduce",),
    "steer": ("steer",),
    "store.keep": ("Keep",),
    "store.store": ("Store",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("denoscope")
    if name not in _HOME:
        raise AttributeError(f"module 'denoscope' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f"denoscope.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _FrontDoor(ModuleType):
    """A verb and the module that it lives in share a name, and here the verb has it.

    Importing `denoscope.extract` makes Python bind the module to `denoscope.extract`, where users expect the
    function; the module itself stays reachable by `from denoscope.extract import ...`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _HOME.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor
