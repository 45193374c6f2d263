"""What all autoencoders share: learning by one loop, and codes of rows in the units of the activations."""

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from denoscope.core.optional import require
from denoscope.dictionaries._chained import Chained
from denoscope.dictionaries._normaliser import Floats, Normaliser, Raw, floats, folded, normaliser_of
from denoscope.dictionaries._timed import Timed
from denoscope.dictionaries.base import Learned, like
from denoscope.dictionaries.rows import Rows

if TYPE_CHECKING:
    from denoscope.dictionaries._training.coder import Coder, Start

__all__ = ["Autoencoder", "Thresholded"]


class Autoencoder(Learned):
    """A dictionary whose encoder and atoms are trained on the rows that they shall explain.

    Weights: `atoms`, `bias`, `encoder` `(atom, channel)`, `encoder_bias` `(atom,)`; `lengths` `(atom,)` where the
    normaliser made some codes grow more than others, so that they are compared as they were in training.
    """

    tied: ClassVar[bool] = True
    """Whether rows are explained by themselves."""

    def fit(self, batches: Iterable[Any], keep: str | PathLike[str] | None = None, every: int = 1_000_000) -> Self:
        """Train until `cells` rows were seen or the batches end; equal batches and settings give equal weights.

        Args:
            batches: arrays, tensors or `Rows`, read again and again until there were `cells` rows.
            keep: folder for a log and for checkpoints; training continues, bit by bit as if it had never stopped,
                where such a folder was left with the same settings and rows.
            every: rows between checkpoints.

        Raises:
            InputError: no rows, rows that do not vary, NaN or infinite values, or a checkpoint of something else.
        """
        require("torch", f"train a {self.name} dictionary")
        from denoscope.dictionaries._training.loop import train

        train([self], batches, [None if keep is None else Path(keep)], every)
        return self

    def coder(self, start: "Start") -> "Coder":
        """What learns, in normalised units."""
        raise NotImplementedError

    def normaliser(self, head: Rows) -> Normaliser | Timed | Chained:
        """What is done to rows before it learns from them, estimated on the first ones."""
        return normaliser_of(self.settings.normaliser, head.values)

    def take(self, raw: Raw, extras: Mapping[str, Any], before: Any, after: Any) -> None:
        """Keep what was learned, in the units of the activations; normalisers of what is read and what is explained."""
        weights, lengths = folded(raw, before, after)
        if self.tied:
            del weights["centre"]
        if not after.keeps_angles:
            weights["lengths"] = lengths
        self.weights = floats({**weights, **self.scaled(extras, lengths)})

    def scaled(self, extras: Mapping[str, Any], lengths: Floats) -> Mapping[str, Floats]:
        """Further weights of the method, after codes grew by `lengths`."""
        return {name: np.asarray(array * lengths) for name, array in extras.items()}

    def random(self, mean: NDArray[np.float32]) -> Learned | None:
        """Atoms drawn on the sphere, each its own encoder, of which k are active."""
        from denoscope.dictionaries.topk import TopK

        drawn = np.random.default_rng((self.settings.seed, 3)).normal(size=self.atoms.shape)
        atoms = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
        twin = TopK(atoms=self.settings.atoms, k=self.settings.k, seed=self.settings.seed)
        twin.weights = {"atoms": atoms, "encoder": atoms.copy(), "bias": mean}
        return twin

    def _before(self, x: Any) -> Any:
        """Pre-activations, a tensor `(sample, atom)`, of an array or tensor."""
        torch = require("torch", f"encode with a {self.name} dictionary")
        rows = torch.from_numpy(np.ascontiguousarray(x)) if isinstance(x, np.ndarray) else x
        centre = self.bias if self.tied else self._weight("centre")
        made = (rows - like(centre, rows)) @ like(self._weight("encoder"), rows).T
        return made + like(self.weights["encoder_bias"], rows) if "encoder_bias" in self.weights else made


class Thresholded(Autoencoder):
    """Codes are the pre-activations that exceed the threshold of their atom, `threshold` `(atom,)`; z H(z - theta)."""

    def _encode(self, x: Any) -> Any:
        before = self._before(x)
        codes = before * (before > like(self._weight("threshold"), before).clamp_min(0))
        return codes.numpy() if isinstance(x, np.ndarray) else codes
