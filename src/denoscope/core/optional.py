"""Late imports: a missing package says why it is needed and how to get it."""

from importlib import import_module
from types import ModuleType

from denoscope.core.errors import MissingPackage

__all__ = ["require"]


def require(module: str, why: str, package: str | None = None) -> ModuleType:
    """Import `module`, or raise a one-line error that names the package to install.

    Args:
        module: dotted module name, e.g. `"pyarrow.parquet"`.
        why: what needs it, as the end of "is needed to ...".
        package: what pip installs, when it differs from the first part of `module`.

    Raises:
        MissingPackage: the module cannot be imported.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        name = package or module.split(".")[0]
        raise MissingPackage(f"{name} is needed to {why}; install it with: pip install {name!r}") from None
