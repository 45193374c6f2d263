"""What is known of activations that another program read."""

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["imported_from", "remark"]


def imported_from(model: Mapping[str, Any]) -> str | None:
    """The program whose files were imported, from `Recipe.model`; None for what denoscope read itself."""
    told: Any = model.get("imported")
    return str(cast("Mapping[str, Any]", told).get("format")) if isinstance(told, Mapping) else None


def remark(model: Mapping[str, Any]) -> str | None:
    """One sentence on where imported activations come from, what was assumed of them and what nobody knows."""
    program = imported_from(model)
    if program is None:
        return None
    assumed: Mapping[str, Any] = model.get("assumed") or {}
    parts = [f"Features were imported from files of {program}"]
    if assumed:
        parts.append("assumed: " + ", ".join(f"{name} {_short(value)}" for name, value in assumed.items()))
    if unknown := model.get("unknown"):
        parts.append(f"unknown: {', '.join(unknown)}")
    return "; ".join(parts) + "."


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " x ".join(map(str, cast("list[Any]", value)))
    return repr(value) if value == "" else str(value)
