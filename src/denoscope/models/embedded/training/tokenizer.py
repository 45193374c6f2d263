"""A byte-pair tokenizer in CLIP's format whose merges spell every word of a closed vocabulary as one token."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

__all__ = ["LENGTH", "build_tokenizer"]

LENGTH = 28
_END = "</w>"
_START_OF_TEXT, _END_OF_TEXT = "<|startoftext|>", "<|endoftext|>"
Pair = tuple[str, str]


def _spell(word: str) -> list[str]:
    return [*word[:-1], word[-1] + _END]


def _merge(pieces: list[str], pair: Pair) -> list[str]:
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _apply(pieces: list[str], rank: dict[Pair, int]) -> list[str]:
    while found := [pair for pair in pairwise(pieces) if pair in rank]:
        pieces = _merge(pieces, min(found, key=rank.__getitem__))
    return pieces


def spelling_merges(words: Iterable[str]) -> list[Pair]:
    """Merges that join each word into one token.

    A word's missing merges go to the end of the list, so they never come before those that an earlier word relies on.
    """
    rank: dict[Pair, int] = {}
    for word in words:
        pieces = _apply(_spell(word), rank)
        while len(pieces) > 1:
            rank[pieces[0], pieces[1]] = len(rank)
            pieces = _apply(_spell(word), rank)
    return list(rank)


def build_tokenizer(vocabulary: Iterable[str], length: int = LENGTH) -> Any:
    """A `CLIPTokenizer` over `vocabulary`: one token per word, padded with the end token as Stable Diffusion does.

    The token ids depend on the vocabulary alone (words are sorted first).
    """
    from transformers import CLIPTokenizer

    words = sorted({part.lower() for word in vocabulary for part in word.split()})
    merges = spelling_merges(words)
    letters = sorted({piece for word in words for piece in _spell(word)})
    tokens = dict.fromkeys([*letters, *(a + b for a, b in merges), _START_OF_TEXT, _END_OF_TEXT])
    return CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges, model_max_length=length)
