"""Which columns of the context spell a word of a prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from denoscope.core.errors import InputError, unknown

__all__ = ["TextPart", "columns_of", "words_in"]


@dataclass(frozen=True)
class TextPart:
    """Columns of the context that one tokenizer fills.

    Attributes:
        tokenizer: of transformers.
        first: column of its first token.
        length: tokens that it fills or cuts a prompt to.
        lower: whether the prompt is lower-cased and stripped before it is read.
    """

    tokenizer: Any
    first: int
    length: int
    lower: bool = False


def words_in(text: str) -> tuple[str, ...]:
    """The words of a prompt without punctuation around them, each once, in the order in which they first occur."""
    bare = (re.sub(r"^\W+|\W+$", "", word) for word in text.split())
    return tuple(dict.fromkeys(word for word in bare if word))


def columns_of(parts: Sequence[TextPart], text: str, word: str) -> tuple[int, ...]:
    """The columns of the tokens that spell a word or phrase, wherever it stands in the prompt, of every text encoder.

    Places are told by the tokenizer's own offsets, so that neighbours cannot change how a word is cut.

    Args:
        parts: what fills the context.
        text: the whole prompt.
        word: a word or several in a row; the case of letters does not matter.

    Raises:
        UnknownName: the prompt does not hold it.
        InputError: the prompt was cut before it, or no tokenizer knows it.
    """
    if not word.strip() or not _places(text, word):
        raise unknown("word of the prompt", word, words_in(text), f"the prompt itself: {text!r}")
    found = [column for part in parts for column in _of_part(part, text, word)]
    if not found:
        longest = max((part.length for part in parts), default=0)
        raise InputError(
            f"no token of its own stands for {word!r} in {text!r}: "
            f"the tokenizer does not know the word, or it lies beyond the {longest} tokens that are read"
        )
    return tuple(found)


def _places(text: str, word: str) -> list[tuple[int, int]]:
    """Where the word stands, from and to which letter; parts of longer words do not count."""
    pattern = r"\s+".join(re.escape(piece) for piece in word.split())
    return [found.span() for found in re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)]


def _of_part(part: TextPart, text: str, word: str) -> list[int]:
    read = text.lower().strip() if part.lower else text
    told = part.tokenizer(
        read, truncation=True, max_length=part.length, return_offsets_mapping=True, return_special_tokens_mask=True
    )
    spans = _places(read, word)
    nothing = getattr(part.tokenizer, "unk_token_id", None)
    tokens = zip(told.input_ids, told.offset_mapping, told.special_tokens_mask, strict=True)
    return [
        part.first + index
        for index, (token, (start, end), special) in enumerate(tokens)
        if not special and token != nothing and any(_overlaps(read, start, end, span) for span in spans)
    ]


def _overlaps(text: str, start: int, end: int, span: tuple[int, int]) -> bool:
    """Whether a token and a word share a letter; a space before a word belongs to neither."""
    return bool(text[max(start, span[0]) : min(end, span[1])].strip())
