"""Text encoders of a few channels, with tokenizers made from code: one token per byte, so that any prompt differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from denoscope.models._toys.small import TEXT_LENGTH
from denoscope.models.components import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["encoders"]

_START, _END = "<|startoftext|>", "<|endoftext|>"


def _clip_tokenizer(pad: str) -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(letter + "</w>" for letter in letters), _START, _END]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], pad_token=pad, model_max_length=77)


def _clip(width: int, heads: int, activation: str, projection: bool, pad: str = _END) -> tuple[Any, Any]:
    """A CLIP text encoder as wide as its heads ask; `projection` adds the pooled projection."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = _clip_tokenizer(pad)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=heads,
        hidden_act=activation,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return tokenizer, (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)


def _t5(width: int) -> tuple[Any, Any]:
    """A T5 v1.1 encoder over printable ASCII; other letters are unknown."""
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    pieces = ["<pad>", "</s>", "<unk>", "▁", *map(chr, range(33, 127))]
    scores = [(piece, -2.0 if index > 2 else 0.0) for index, piece in enumerate(pieces)]
    tokenizer = T5Tokenizer(vocab=scores, extra_ids=0, model_max_length=TEXT_LENGTH)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=width,
        d_kv=width // 2,
        d_ff=2 * width,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        is_decoder=False,
        use_cache=False,
    )
    return tokenizer, T5EncoderModel(config)


Pair = tuple[Any, Any]

_SETS: dict[str, Callable[[], list[Pair]]] = {
    "sd15": lambda: [_clip(32, 2, "quick_gelu", projection=False)],
    "sd21": lambda: [_clip(32, 2, "gelu", projection=False, pad="!")],
    "sd-turbo": lambda: [_clip(32, 2, "gelu", projection=False, pad="!")],
    "sdxl": lambda: [
        _clip(16, 2, "quick_gelu", projection=False),
        _clip(24, 2, "gelu", projection=True, pad="!"),
    ],
    "sd3": lambda: [
        _clip(16, 2, "quick_gelu", projection=True),
        _clip(24, 2, "gelu", projection=True, pad="!"),
        _t5(48),
    ],
    "flux-dev": lambda: [_clip(16, 2, "quick_gelu", projection=False), _t5(32)],
    "pixart": lambda: [_t5(32)],
    "dit-xl": list,
}
_SETS["sd35"] = _SETS["sd3"]
_SETS["flux-schnell"] = _SETS["flux-dev"]
_SETS["pixart-sigma"] = _SETS["pixart"]


def encoders(name: str) -> list[TextEncoder]:
    """The tokenizers and untrained encoders of one blueprint, in its pipeline's order and with its padding."""
    names = ("text_encoder", "text_encoder_2", "text_encoder_3")
    return [TextEncoder(slot, *pair) for slot, pair in zip(names, _SETS[name](), strict=False)]
