"""Judges: who says in words what pictures of an atom have in common, and whether another picture shows it too.

A language model that sees is asked through an OpenAI-compatible endpoint or runs here; `Colour` needs neither, sees
colours alone, and always says the same, so that what is built on judges can be tested. `Remembered` keeps answers on
disk, so that an interrupted run asks nothing twice.
"""

import base64
import io
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from denoscope.core.errors import InputError
from denoscope.core.optional import require

__all__ = ["Ask", "Colour", "Judge", "Marked", "Remembered", "Speaking", "endpoint", "local"]

Picture = NDArray[np.uint8]
Ask = Callable[[str, Sequence[Picture]], str]
"""A question about some pictures to an answer."""

_OVER = {"red": (238, 51, 119), "blue": (8, 48, 107)}
"""Colours of marks."""
_EXPLAIN = (
    "Each picture has a {colour} overlay where one unit of a neural network is active. Say in at most 12 words what "
    "the marked places of all pictures have in common: an object, part, texture, colour, or place. Answer with these "
    "alone."
)
_SCORE = (
    "The picture has a {colour} overlay where one unit of a neural network is active. Do the marked places show this: "
    "{text}? Be very critical. Answer with one number between 0 (not at all) and 1 (exactly) alone."
)


class Marked(NamedTuple):
    """A picture and how strongly each of its pixels is marked.

    Attributes:
        picture: uint8 RGB `(row, col, 3)`.
        mask: 0 ... 1, `(row, col)`.
        colour: of the marks, `red` or `blue`.
    """

    picture: Picture
    mask: NDArray[np.float64]
    colour: str = "red"

    @property
    def overlaid(self) -> Picture:
        """The picture, redder or bluer where it is marked."""
        opaque = 0.7 * np.sqrt(self.mask)[..., None]
        return (self.picture * (1 - opaque) + np.array(_OVER[self.colour]) * opaque).astype(np.uint8)


class Judge(Protocol):
    """Says what marked places have in common, and how far a marked picture fits a text."""

    @property
    def name(self) -> str:
        """Names the judge and the version of its questions; part of what answers are kept under."""
        ...

    def explain(self, pictures: Sequence[Marked]) -> str:
        """What the marked places of all pictures have in common."""
        ...

    def score(self, picture: Marked, text: str) -> float:
        """How far the marked places of a picture show it, 0 ... 1; NaN where it does not say."""
        ...


@dataclass(frozen=True)
class Speaking:
    """A judge made of a model that answers questions about pictures.

    Attributes:
        ask: puts a question.
        name: of the model.
    """

    ask: Ask
    name: str

    def explain(self, pictures: Sequence[Marked]) -> str:
        """Its answer on one line."""
        question = _EXPLAIN.format(colour=pictures[0].colour if pictures else "red")
        return " ".join(self.ask(question, [one.overlaid for one in pictures]).split())[:300]

    def score(self, picture: Marked, text: str) -> float:
        """The first number of its answer, cut to 0 ... 1; NaN of an answer without one."""
        answer = self.ask(_SCORE.format(text=text, colour=picture.colour), [picture.overlaid])
        found = re.search(r"\d*\.?\d+", answer)
        return float("nan") if found is None else min(1.0, float(found.group()))


@dataclass(frozen=True)
class Colour:
    """The deterministic judge: it names the nearest of eight colours of what is marked, and sees nothing else."""

    name: str = "colour"

    def explain(self, pictures: Sequence[Marked]) -> str:
        """The colour that most pictures' marked places have."""
        found = [self._colour(picture) for picture in pictures]
        return max(sorted(set(found)), key=found.count)

    def score(self, picture: Marked, text: str) -> float:
        """1 where the colour is the one that the text says."""
        return float(self._colour(picture) == text)

    def _colour(self, shown: Marked) -> str:
        mean = (shown.picture * shown.mask[..., None]).sum(axis=(0, 1)) / max(float(shown.mask.sum()), 1e-12)
        return min(_COLOURS, key=lambda name: float(np.square(mean - np.array(_COLOURS[name])).sum()))


_COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (200, 30, 30),
    "green": (40, 150, 60), "blue": (40, 70, 210), "yellow": (230, 210, 60), "brown": (130, 85, 45),
}  # fmt: skip


@dataclass(frozen=True)
class Remembered:
    """A judge whose answers are kept in a folder by what was asked: pictures, text, and the judge's name.

    Attributes:
        judge: that is asked what is not known yet.
        folder: for the answers, one small file each, written whole or not at all.
    """

    judge: Judge
    folder: Path

    @property
    def name(self) -> str:
        """Of the judge."""
        return self.judge.name

    def explain(self, pictures: Sequence[Marked]) -> str:
        """As the judge."""
        return str(self._answer("explain", pictures, "", lambda: self.judge.explain(pictures)))

    def score(self, picture: Marked, text: str) -> float:
        """As the judge."""
        return float(self._answer("score", [picture], text, lambda: self.judge.score(picture, text)))

    def _answer(self, kind: str, pictures: Sequence[Marked], text: str, ask: Callable[[], Any]) -> Any:
        digest = sha256(
            json.dumps([kind, self.name, text, [[one.picture.shape, one.colour] for one in pictures]]).encode()
        )
        for one in pictures:
            digest.update(np.ascontiguousarray(one.picture).tobytes())
            digest.update(np.round(one.mask * 255).astype(np.uint8).tobytes())
        key = digest.hexdigest()
        place = self.folder / key[:2] / f"{key}.json"
        if place.exists():
            return json.loads(place.read_text(encoding="utf-8"))["answer"]
        answer = ask()
        place.parent.mkdir(parents=True, exist_ok=True)
        written = place.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps({"judge": self.name, "kind": kind, "text": text, "answer": answer}))
        written.replace(place)
        return answer


@dataclass(frozen=True)
class _Endpoint:
    url: str
    model: str
    key: str = field(repr=False)
    seconds: float
    tries: int

    def __call__(self, question: str, pictures: Sequence[Picture]) -> str:
        shown = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_png(picture)}"}}
                 for picture in pictures]  # fmt: skip
        told = {"model": self.model, "temperature": 0, "max_tokens": 60,
                "messages": [{"role": "user", "content": [{"type": "text", "text": question}, *shown]}]}  # fmt: skip
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        asked = urllib.request.Request(f"{self.url}/chat/completions", json.dumps(told).encode(), headers)
        reason = ""
        for attempt in range(self.tries):
            try:
                with urllib.request.urlopen(asked, timeout=self.seconds) as answer:
                    return str(json.load(answer)["choices"][0]["message"]["content"])
            except urllib.error.HTTPError as error:
                reason = f"{error.code} {error.reason}"
                if error.code not in _AGAIN:
                    break
            except (OSError, ValueError, LookupError, TypeError) as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
            time.sleep(min(20.0, 0.5 * 2**attempt) if attempt + 1 < self.tries else 0)
        raise InputError(f"the judge at {self.url} gave no answer ({reason}); answers so far are kept, and the same "
                         "command goes on from there")  # fmt: skip


_AGAIN = (408, 409, 429, 500, 502, 503, 504)
"""Answers of a server that may be another one in a moment."""


def endpoint(url: str, model: str, key: str = "OPENAI_API_KEY", seconds: float = 60.0, tries: int = 4) -> Speaking:
    """A judge behind an OpenAI-compatible endpoint.

    Args:
        url: up to before `/chat/completions`, such as `http://localhost:8000/v1`.
        model: as the endpoint calls it.
        key: environment variable that holds the key; none is sent where it is not set.
        seconds: to wait for an answer.
        tries: before it counts as unreachable.

    Raises:
        InputError: an address that is not of http or https.
    """
    if not re.match(r"https?://", url):
        raise InputError(f"a judge's address begins with http:// or https://, not {url!r}")
    return Speaking(_Endpoint(url.rstrip("/"), model, os.environ.get(key, ""), seconds, max(1, tries)), model)


def local(model: str, **options: Any) -> Speaking:
    """A judge that runs here: a vision-language model of the Hub or of a folder, through transformers.

    Args:
        model: Hub id or folder.
        options: of `transformers.pipeline`, such as `device` and `dtype`.

    Raises:
        InputError: nothing that sees and speaks can be loaded from there.
    """
    parts: Any = require("transformers", "ask a local judge")
    try:
        pipe: Any = parts.pipeline("image-text-to-text", model=model, **options)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"no vision-language model can be loaded from {model!r} ({str(error).splitlines()[0][:160]}); "
                         "a judge is `colour`, an address (http...), or such a model") from None  # fmt: skip

    def ask(question: str, pictures: Sequence[Picture]) -> str:
        shown = [{"type": "image", "image": Image.fromarray(picture)} for picture in pictures]
        told = [{"role": "user", "content": [*shown, {"type": "text", "text": question}]}]
        found = pipe(text=told, max_new_tokens=60, return_full_text=False, generate_kwargs={"do_sample": False})
        return str(found[0]["generated_text"])

    return Speaking(ask, model)


def _png(picture: Picture) -> str:
    made = io.BytesIO()
    Image.fromarray(picture).save(made, format="PNG")
    return base64.b64encode(made.getvalue()).decode()
