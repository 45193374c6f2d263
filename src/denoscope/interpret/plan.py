"""How atoms are interpreted."""

from dataclasses import dataclass

from denoscope.core.errors import InputError

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Parameters of `interpret`."""

    facts: tuple[str, ...] = ()
    """Factors of the images, as in `category colour`; all facts with few classes unless given."""
    caption: str = "caption"
    """Fact whose words are tried as names."""
    top: int = 24
    """Strongest images that are kept per atom, in each half."""
    least: int = 8
    """Images in which an atom must be active to be interpreted at all."""
    looked: int = 48
    """Atoms whose patches are looked at, those active in the most images."""
    patch: float = 0.25
    """Side of a patch, as a share of the picture's shorter side."""
    cards: int = 60
    """Atoms that get a card on the page `atoms.html`: those with a word first, then those active in the most images."""
    acted: int = 8
    """Atoms that are changed while the model runs, where there is a model: those that get the first cards."""
    acted_images: int = 6
    """Images of each, from either half."""
    acted_steps: int = 0
    """Denoising steps of pictures that are sampled with and without the atom, which takes long; none if 0."""
    asked: int = 24
    """Atoms that a judge is asked about, by lot, where there is a judge."""
    shown: int = 5
    """Images of an atom that a judge explains, and as many others that it scores."""
    compat: bool = False
    """Ask the judge for the score of the paper on Flux's dictionaries (2025) as well, as its code has it."""
    compat_above: float = 5.0
    """Code that a cell must exceed to count there, in the dictionary's own units; 5 as published for SAEs, 1 for
    neurons."""
    seed: int = 0
    """Of halves within facts, shuffles and draws."""

    def __post_init__(self) -> None:
        for name in ("top", "least", "looked", "cards", "shown", "acted", "acted_images"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.acted_steps < 0:
            raise InputError(f"acted_steps must be at least 0, not {self.acted_steps}")
        if self.asked < 2 or self.seed < 0:
            raise InputError(f"asked must be at least 2 and seed at least 0, not {self.asked} and {self.seed}")
        if not 0 < self.patch <= 1:
            raise InputError(f"a patch is a share of the picture, above 0 and up to 1, not {self.patch:g}")
