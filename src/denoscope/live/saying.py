"""A run of steering as a program and as a command line, for doing the same again without the page."""

from collections.abc import Sequence
from pathlib import Path
from shlex import join

from denoscope.explorer.server.steershapes import Push, SteerAsk

__all__ = ["as_command", "as_python"]


def as_python(ask: SteerAsk, folders: Sequence[Path], mask: Path | None) -> str:
    """A program that makes the same pictures.

    Args:
        ask: with every number that the model would choose itself.
        folders: of the dictionaries that are pushed, one for each push.
        mask: the picture of the part that was brushed.
    """
    lines = ["import denoscope as ds"]
    if mask is not None:
        lines += [
            "import numpy as np",
            "from PIL import Image",
            "",
            f"mask = np.asarray(Image.open({str(mask)!r})) > 127",
        ]
    lines += ["", f"model = ds.load({ask.model!r})"]
    limits = _limits(ask, mask)
    names: list[str] = []
    for number, (push, folder) in enumerate(zip(ask.pushes, folders, strict=True)):
        names.append(f"push{number}")
        made = _made(push, folder)
        lines.append(f"{names[-1]} = " + (f"ds.within({made}, {limits})" if limits else made))
    told = f"seed={ask.seed}, steps={ask.steps}, guidance={ask.guidance:g}, negative={ask.negative!r}"
    prompts = f"[{ask.prompt!r}] * {ask.pictures}"
    if names:
        lines += [f"pictures = ds.steer(model, {prompts}, [{', '.join(names)}], {told})", 'pictures.save("steered")']
    else:
        lines += [f"pictures = model.generate({prompts}, {told}).images"]
    return "\n".join(lines) + "\n"


def as_command(ask: SteerAsk, folders: Sequence[Path], mask: Path | None) -> str:
    """The same as `denoscope steer`; empty where that takes no such thing: several pushes, or a negative prompt."""
    if len(ask.pushes) != 1 or ask.negative:
        return ""
    push, folder = ask.pushes[0], folders[0]
    words = ["denoscope", "steer", ask.model, "--prompt", *[ask.prompt] * ask.pictures]
    words += ["--dictionary", str(folder), "--atom", str(push.atom), "--edit", push.edit]
    words += [] if push.edit == "ablate" else ["--strength", f"{push.strength:g}"]
    words += ["--unit", "norm"] if push.edit == "add" else []
    words += [] if ask.window is None else ["--window", *map(str, ask.window)]
    words += [] if ask.branch == "both" else ["--branch", ask.branch]
    words += [] if mask is None else ["--mask", str(mask)]
    words += ["--seed", str(ask.seed), "--steps", str(ask.steps), "--guidance", f"{ask.guidance:g}"]
    return join(words)


def _made(push: Push, folder: Path) -> str:
    source = f"{str(folder)!r}"
    if push.edit == "ablate":
        return f"ds.ablate({source}, {push.atom})"
    if push.edit == "codes":
        return f"ds.splice({source}, factors={{{push.atom}: {push.strength!r}}}, keep=1.0)"
    return f'ds.add({source}, {push.atom}, strength={push.strength!r}, unit="norm")'


def _limits(ask: SteerAsk, mask: Path | None) -> str:
    told = [] if ask.window is None else [f"steps=({ask.window[0]}, {ask.window[1]})"]
    told += [] if ask.branch == "both" else [f"branch={ask.branch!r}"]
    return ", ".join(told + ([] if mask is None else ["mask=mask"]))
