"""Any data set of objects with words to say about each picture: the right ones, wrong ones, and ones that say nothing.

`worded:@people:test` is `people:test` with facts that prompts may name, as in `"a photo of a {wrong_label}"`:

- `label`: what the object is called; underscores are spaces, digits are dropped: chicken1 and chicken2 share one.
- `wrong_label`: what another object is called, drawn anew for each picture.
- `shuffled_label`: what another object is called, the same for all pictures of an object; every object lends its label
  to one other. `shuffled_object` is the name of that other.
- `random_tokens`: as many words as the label has, none of them its own, drawn from the labels of all objects.

Each depends on the seed and on the objects that are there, not on the order of pictures. The label's form is that of
Linhardt et al. 2024, who prompt with `"a photo of a {label}"`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from denoscope.core.decode import BrokenSample
from denoscope.core.errors import InputError, unknown
from denoscope.core.registry import data
from denoscope.core.sample import DataSet, Sample, fingerprint
from denoscope.data._pictures import Shots
from denoscope.data.base import open_data

__all__ = ["PROMPTS", "Worded", "label_of", "worded"]

PROMPTS: Mapping[str, str] = {
    "unconditional": "",
    "label": "a photo of a {label}",
    "caption": "{caption}",
    "wrong label": "a photo of a {wrong_label}",
    "shuffled label": "a photo of a {shuffled_label}",
    "random tokens": "a photo of a {random_tokens}",
}
"""What is said to a model, to the prompt that says it; captions are the data set's own, where it has any."""

_USUAL = "people:test"
_VERSION = 1
"""Of the drawing by lot; a new one is another data set."""


@dataclass(frozen=True, eq=False)
class Worded:
    """Samples of another data set with words about their objects (fact `object`, or `category` where there is none).

    Attributes:
        samples: of the other data set.
        seed: of what is drawn by lot.
    """

    samples: DataSet | Sequence[Sample]
    seed: int = 0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int, /) -> Sample:
        """The other data set's sample with the words.

        Raises:
            InputError: no other object is called otherwise.
        """
        sample = self.samples[index]
        name = _object(sample.facts)
        return (
            sample if name is None else Sample(sample.id, sample.image, {**sample.facts, **self._words(sample, name)})
        )

    @property
    def parallel(self) -> bool:
        """Whether pictures may be read by several threads."""
        return bool(getattr(self.samples, "parallel", False))

    @property
    def ids(self) -> tuple[str, ...]:
        """Those of the other data set; empty where it does not know them in advance."""
        return tuple(getattr(self.samples, "ids", ()))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the other data set's, and the seed."""
        return sha256(f"{fingerprint(self.samples)}|words {self.seed}|{_VERSION}".encode()).hexdigest()

    @cached_property
    def objects(self) -> tuple[str, ...]:
        """Names of all objects, in order."""
        told = getattr(self.samples, "labels", None)
        return tuple(dict.fromkeys(told if told is not None else self._found()))

    @cached_property
    def shuffled(self) -> Mapping[str, str]:
        """Object to the one whose label it is given: a permutation that leaves nobody its own label.

        Objects of one label are put side by side, in an order drawn by lot, and every one takes the name of whoever
        stands as far behind as the largest group of one label is large.

        Raises:
            InputError: more than half of the objects share a label.
        """
        order = np.random.default_rng((self.seed, 11)).permutation(len(self.objects))
        groups: dict[str, list[str]] = {}
        for place in order.tolist():
            groups.setdefault(label_of(self.objects[place]), []).append(self.objects[place])
        line = [name for group in groups.values() for name in group]
        by = max(map(len, groups.values()), default=0)
        if 2 * by > len(line):
            most = max(groups, key=lambda label: len(groups[label]))
            raise InputError(f"{by} of {len(line)} objects are called {most!r}: no wrong label can be given to each; "
                             "take more objects")  # fmt: skip
        return {name: line[(place + by) % len(line)] for place, name in enumerate(line)}

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every word of every label, in alphabetical order."""
        return tuple(sorted({word for name in self.objects for word in label_of(name).split()}))

    def _words(self, sample: Sample, name: str) -> dict[str, str]:
        label, other = label_of(name), self.shuffled[name]
        wrong = [label_of(object_) for object_ in self.objects if label_of(object_) != label]
        own = label.split()
        pool = [word for word in self.vocabulary if word not in own] or list(self.vocabulary)
        return {
            "label": label,
            "wrong_label": str(self._chance("wrong", sample.id).choice(wrong)),
            "shuffled_label": label_of(other),
            "shuffled_object": other,
            "random_tokens": " ".join(self._chance("random", name).choice(pool, len(own))),
        }

    def _found(self) -> list[str]:
        """Object of each sample that has one, by looking at all of them."""
        names: list[str] = []
        for place in range(len(self.samples)):
            try:
                facts = self.samples.facts(place) if isinstance(self.samples, Shots) else self.samples[place].facts
            except BrokenSample:
                continue
            if (name := _object(facts)) is not None:
                names.append(name)
        if not names:
            raise InputError("words are said about objects, but no sample has a fact 'object' or 'category'")
        return names

    def _chance(self, *of: str) -> np.random.Generator:
        text = "\0".join([str(self.seed), *of])
        return np.random.default_rng(int.from_bytes(sha256(text.encode()).digest()[:8], "little"))


def label_of(name: str) -> str:
    """What an object is called: underscores are spaces, and digits, which tell namesakes apart, are dropped."""
    return " ".join(re.sub(r"\d", "", name.replace("_", " ")).split())


def _object(facts: Mapping[str, Any]) -> str | None:
    name = facts.get("object") or facts.get("category")
    return None if name is None else str(name)


def worded(argument: str = "", limit: int | None = None) -> Worded:
    """The data set that a spec means.

    Args:
        argument: `seed=NUMBER@DATA`, either of which may be left out; simulated people unless given.
        limit: at most about so many samples.

    Raises:
        UnknownName: no such option or data set.
        InputError: a seed that is no number.
    """
    words, at, spec = argument.partition("@")
    if not at and words and not words.startswith("seed"):
        words, spec = "", words
    key, equals, value = words.partition("=")
    if key not in ("", "seed"):
        raise unknown("option of worded", key, ("seed",), "denoscope.data.worded.worded")
    if key and not (equals and value.isdecimal()):
        raise InputError(f"the seed of worded is a number, as in worded:seed=1@{_USUAL}, not {words!r}")
    return Worded(open_data(spec or _USUAL, limit), int(value or 0))


@data("worded", argument="seed=NUMBER@DATA", of=True)
def _open(argument: str | None = None, limit: int | None = None) -> Worded:
    """Objects with right, wrong and random words to prompt with: `worded:@people:test`, `"a photo of a {label}"`."""
    return worded(argument or "", limit)
