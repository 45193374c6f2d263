"""What files of features do not say, as the user says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from denoscope.core.errors import InputError

__all__ = ["UNKNOWN", "Settled", "Told"]

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the files do not say; what nobody says either is recorded as unknown."""

    model: str = ""
    """Checkpoint that the features are of, such as sd21; recorded, never loaded."""
    site: str = ""
    """Where they were read, as in up.1 or dift:1; `unknown` where nobody knows, and the format names none."""
    timestep: float | Literal["unknown"] | None = None
    """Noise level, 0 to 999; `unknown` where nobody knows it."""
    prompt: str | None = None
    """Text that the denoiser read."""
    draws: int | None = None
    """Noises that were averaged."""
    seed: int | None = None
    """Seed of the other program; it names other noise than `Condition(seed=...)` does."""
    size: tuple[int, ...] = ()
    """Side, or width and height, to which pictures were brought, px; 0 where they kept their own. For thingsvision
    the side after scaling and that after cropping."""
    laid: Literal["stretch", "pad", "crop", "native"] | None = None
    """How pictures were brought to that size, where it is not the format's usual way."""
    usual: bool = False
    """Take what the other program does unless told otherwise for what is not said; recorded as assumed."""
    flipped: bool = False
    """Take the features of mirrored pictures (sd-dino); their cells are mapped to the pictures as they are."""
    drop_tokens: int = 0
    """First tokens that are no cells, such as a class token; the others fill a square grid."""
    ordered: bool = False
    """Rows without names are in the order of the pictures."""

    def __post_init__(self) -> None:
        if any(side < 0 for side in self.size) or len(self.size) > 2:
            raise InputError(f"size is one side in px, or two; not {' '.join(map(str, self.size))}")
        if self.drop_tokens < 0:
            raise InputError(f"drop_tokens counts tokens; it cannot be {self.drop_tokens}")


class Settled:
    """What is said, what is assumed from the other program's usual ways, and what stays unknown.

    Args:
        told: by the user.
        program: whose files they are, for messages.
        usual: what the program does unless told otherwise, by field of `Told`.
    """

    def __init__(self, told: Told, program: str, usual: Mapping[str, Any]) -> None:
        self.told = told
        self.unknown: list[str] = []
        self.assumed: dict[str, Any] = {}
        self._program, self._usual = program, usual

    def need(self, name: str) -> Any:
        """A field that has to be said, were it as `unknown`.

        Raises:
            InputError: it was not said, and the program's usual way is not asked for.
        """
        value: Any = getattr(self.told, name)
        if value not in (None, "", UNKNOWN):
            return value
        if value == UNKNOWN:
            self.unknown.append(name)
            return None
        if self.told.usual and name in self._usual:
            return self.assume(name, self._usual[name])
        script = f", or usual=True for its script's default, {self._usual[name]}" if name in self._usual else ""
        raise InputError(
            f"files of {self._program} do not tell the {name}; give {name}=... (--{name}){script}, or {name}='unknown'"
        )

    def ask(self, name: str) -> Any:
        """A field that may stay unknown: as said, else as usual where that is asked for, else None."""
        value: Any = getattr(self.told, name)
        if value not in (None, ""):
            return value
        if self.told.usual and name in self._usual:
            return self.assume(name, self._usual[name])
        self.unknown.append(name)
        return None

    @property
    def usual_size(self) -> tuple[int, ...]:
        """To which the program brings pictures unless told otherwise."""
        return self._usual["size"]

    def assume(self, name: str, value: Any) -> Any:
        """Take a value that nobody said, and record it."""
        self.assumed[name] = value
        return value
