"""Memory by arithmetic is that of networks that are really there."""

import json
from typing import Any

import pytest
import torch

import denoscope as ds
from denoscope.cli import main
from denoscope.core.errors import InputError
from denoscope.models.memory import choices, loaded_networks, networks, weight_bytes
from denoscope.models.peaks import peak
from denoscope.models.quantising import QUANTISATIONS


def bytes_of(tensor: Any) -> int:
    """Of a tensor, or of those that one of torchao's is made of."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return tensor.numel() * tensor.element_size()
    return sum(bytes_of(getattr(tensor, name)) for name in tensor.__tensor_flatten__()[0])


def test_published_sizes() -> None:
    """FLUX.1 dev has 11.9 thousand million parameters, its T5 4.76, CLIP-L 123 million and the VAE 83.8 million."""
    parts = {part.name: sum(weight.numel() for weight in part.module.parameters()) for part in networks("flux-dev")}
    assert list(parts) == ["denoiser", "vae", "text_encoder", "text_encoder_2"]
    assert list(parts.values()) == pytest.approx([11.90e9, 83.8e6, 123.06e6, 4.762e9], rel=1e-3)


def test_weights_are_counted_as_they_lie() -> None:
    """Plain, in any precision."""
    for width, dtype in ((4, torch.float32), (2, torch.bfloat16)):
        network = ds.load("toy-flux-dev", dtype="fp32" if width == 4 else "bf16").parts.denoiser
        assert {weight.dtype for weight in network.parameters()} == {dtype}
        assert weight_bytes(network, width) == sum(map(bytes_of, network.parameters()))


@pytest.mark.parametrize("name", ["int8", "fp8"])
def test_quantised_weights_are_counted_as_they_lie(name: str) -> None:
    """To the byte, as torchao keeps them."""
    pytest.importorskip(QUANTISATIONS[name].package)
    plain, found = ds.load("toy-flux-dev").parts.denoiser, ds.load("toy-flux-dev", quantise=name).parts.denoiser
    assert weight_bytes(plain, 4, name) == sum(map(bytes_of, found.parameters()))


def test_less_on_the_card_with_each_step() -> None:
    """Offloading and fewer bits never take more; what waits is all weights; a batch adds activations alone."""
    parts = loaded_networks(ds.load("toy-sd15"))
    found = {(one.weights, one.offload): one for one in choices(parts)}
    ways = [found["bf16", way].card for way in ("", "model", "group", "sequential")]
    assert ways == sorted(ways, reverse=True) and ways[0] > ways[1] > ways[2]
    assert found["bf16", ""].card > found["bf16+int8", ""].card > found["bf16+nf4", ""].card
    whole = sum(weight.numel() for part in parts for weight in part.module.parameters()) * 2
    assert {one.host for (weights, way), one in found.items() if weights == "bf16" and way} == {whole}
    twice = {(one.weights, one.offload): one for one in choices(parts, batch=2)}
    assert twice["bf16", ""].card - found["bf16", ""].card == found["bf16", ""].card - whole


def test_peak_of_a_chain() -> None:
    """Two tensors of a chain exist at a time; views take nothing; attention holds no map."""

    def chain() -> Any:
        x = torch.empty(1000, device="meta")
        for _ in range(5):
            x = x.view(10, 100) + 1
        return x

    assert peak(chain) == 2 * 4000
    q = torch.empty(1, 2, 500, 8, device="meta")
    assert peak(lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q)) == q.numel() * 4


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A table for people, JSON for machines, one line on nonsense."""
    assert main(["memory", "toy-sd15", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 10 and all(row["fits"] for row in rows)
    assert main(["memory", "toy-sd15", "--card", "0"]) == 2
    with pytest.raises(InputError, match="quantised"):
        model = ds.load("toy-sd15")
        model.parts.denoiser.is_quantized = True  # pyright: ignore[reportAttributeAccessIssue]
        loaded_networks(model)
