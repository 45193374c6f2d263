"""What the denoiser is told in words: encoded prompts, stacked per row and cached per prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from denoscope.core.errors import InputError

if TYPE_CHECKING:
    import torch

    from denoscope.models.components import TextEncoder

__all__ = ["Text", "TextCache", "clip_states", "token_ids"]


@dataclass(frozen=True)
class Text:
    """Encoded prompts, one row each.

    Attributes:
        context: what cross- or joint attention reads, (row, token, width).
        pooled: one vector per prompt, (row, width); None where the family has none.
        mask: 1 for tokens that may be attended to, (row, token); None for all.
    """

    context: torch.Tensor
    pooled: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.context)

    def rows(self, index: Sequence[int]) -> Text:
        """Some rows, in the order given."""
        chosen = list(index)
        return Text(*(None if part is None else part[chosen] for part in self._parts()))  # pyright: ignore[reportArgumentType]

    @staticmethod
    def cat(texts: Sequence[Text]) -> Text:
        """Rows of several, one after another."""
        import torch

        columns = zip(*(text._parts() for text in texts), strict=True)
        return Text(*(None if column[0] is None else torch.cat(column) for column in columns))  # pyright: ignore[reportArgumentType]

    def _parts(self) -> tuple[Any, ...]:
        return self.context, self.pooled, self.mask


class TextCache:
    """Encodes each prompt once while it is among the last `size` asked for.

    `None` stands for zeros instead of an encoded empty prompt.
    """

    def __init__(self, encode: Callable[[Sequence[str | None]], Text], size: int = 1024) -> None:
        self._encode = encode
        self._size = size
        self._rows: dict[str | None, Text] = {}

    def __call__(self, prompts: Sequence[str | None]) -> Text:
        """The prompts' rows, encoding those that were not met before."""
        wanted = {prompt: self._rows.get(prompt) or self._encode([prompt]) for prompt in dict.fromkeys(prompts)}
        self._rows = {prompt: row for prompt, row in self._rows.items() if prompt not in wanted} | wanted
        for oldest in list(self._rows)[: max(len(self._rows) - self._size, 0)]:
            del self._rows[oldest]
        return Text.cat([wanted[prompt] for prompt in prompts])


def token_ids(encoder: TextEncoder, prompts: Sequence[str], length: int | None = None) -> Any:
    """Token ids and mask of padded, truncated prompts, as the pipelines of diffusers make them."""
    tokenizer = encoder.tokenizer
    count = length or tokenizer.model_max_length
    return tokenizer(list(prompts), padding="max_length", max_length=count, truncation=True, return_tensors="pt")


def clip_states(encoder: TextEncoder, prompts: Sequence[str], device: Any, hidden: bool = True) -> Any:
    """Output of a CLIP text model, with all hidden states where they are asked for."""
    ids = token_ids(encoder, prompts).input_ids.to(device)
    return loaded(encoder)(ids, output_hidden_states=hidden)


def loaded(encoder: TextEncoder) -> Any:
    """The network of a text encoder, read from disk when it is not in memory.

    Raises:
        InputError: it was dropped and cannot be read again.
    """
    if encoder.encoder is None:
        if encoder.load is None:
            raise InputError(f"{encoder.name} was dropped and is not on disk; encode all prompts before drop_text()")
        encoder.encoder = encoder.load()
    return encoder.encoder
