"""Attention as two matrix products and a softmax: on CPUs its backward pass is faster than the fused kernel's."""

from typing import Any

from torch import Tensor, nn

__all__ = ["ExplicitAttention", "prepare"]


class ExplicitAttention:
    """softmax(Q K^T / sqrt(d)) V, for diffusers' `Attention` modules without masks, on tokens or grids."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """(B, N, C) or (B, C, H, W) to the same shape."""
        if hidden_states.dim() == 4:
            b, c, h, w = hidden_states.shape
            flat = attn.group_norm(hidden_states).flatten(2).transpose(1, 2)
            out = self._attend(attn, flat, flat)
            return (out.transpose(1, 2).view(b, c, h, w) + hidden_states) / attn.rescale_output_factor
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        return self._attend(attn, hidden_states, context)

    @staticmethod
    def _attend(attn: Any, x: Tensor, context: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = (
            project(y).view(b, -1, attn.heads, c // attn.heads).transpose(1, 2)
            for project, y in ((attn.to_q, x), (attn.to_k, context), (attn.to_v, context))
        )
        weights = ((q * (c // attn.heads) ** -0.5) @ k.transpose(-1, -2)).softmax(-1)
        return attn.to_out[0]((weights @ v).transpose(1, 2).reshape(b, n, c))


class RepeatedUpsample(nn.Module):
    """Nearest upsampling by repetition, then the block's convolution.

    The compiler's backward pass of `interpolate` in bf16 returned zeros on CPUs (torch 2.13); this one is a plain sum.
    """

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.conv = block.conv

    def forward(self, hidden_states: Tensor, output_size: int | None = None) -> Tensor:
        """(B, C, H, W) to (B, C, 2 H, 2 W)."""
        b, c, h, w = hidden_states.shape
        rows = hidden_states.permute(0, 2, 3, 1)[:, :, None, :, None].expand(b, h, 2, w, 2, c)
        return self.conv(rows.reshape(b, 2 * h, 2 * w, c).permute(0, 3, 1, 2))


def _replace_upsampling(network: nn.Module) -> None:
    from diffusers.models.upsampling import Upsample2D

    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Upsample2D):
                setattr(module, name, RepeatedUpsample(child))


def prepare(network: nn.Module) -> nn.Module:
    """Set the fast attention, upsampling and channels-last layout on a U-Net or an autoencoder, in place.

    Parameter names stay, so that state dictionaries can be exchanged with unprepared networks.
    """
    from torch import channels_last

    _replace_upsampling(network)
    set_processor: Any = network.set_attn_processor
    set_processor(ExplicitAttention())
    return network.to(memory_format=channels_last)  # pyright: ignore[reportCallIssue]
