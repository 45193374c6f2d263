"""Codes, losses and gradients are those of SAELens, dictionary_learning and sparsify.

`oracles.json` holds what the packages gave (sae-lens 6.54.12, dictionary-learning 0.1.0, eai-sparsify 1.3.3); where
they are installed they are asked again. `python tests/dictionaries/test_oracles.py` writes it anew.
"""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from denoscope.dictionaries._training.coder import Start
from denoscope.dictionaries._training.gating import GatedCoder, jump, step
from denoscope.dictionaries._training.selecting import TopKCoder
from denoscope.dictionaries.gated import Gated, GatedSettings
from denoscope.dictionaries.jumprelu import JumpReLU
from denoscope.dictionaries.topk import TopK, TopKSettings

ATOMS, CHANNELS, ROWS, K, DEAD = 8, 4, 7, 2, (1, 4, 6)


def made_of(*shape: int, speed: float) -> Tensor:
    """Numbers without a pattern, the same on every machine."""
    return torch.sin(speed * torch.arange(1, math.prod(shape) + 1, dtype=torch.float64) ** 1.5).reshape(shape).float()


X = 2 * made_of(ROWS, CHANNELS, speed=0.7) + 0.5
W: dict[str, Tensor] = {
    "atoms": torch.nn.functional.normalize(made_of(ATOMS, CHANNELS, speed=1.1), dim=1),
    "encoder": made_of(ATOMS, CHANNELS, speed=1.7),
    "bias": 0.3 * made_of(CHANNELS, speed=2.3),
    "encoder_bias": 0.2 * made_of(ATOMS, speed=2.9),
    "gain": made_of(ATOMS, speed=3.1).exp(),
    "magnitude": 0.3 * made_of(ATOMS, speed=3.7),
    "threshold": 0.4 + 0.3 * made_of(ATOMS, speed=4.3),
}


def ours(kind: type, *names: str) -> np.ndarray:
    """Codes of a finished dictionary."""
    made = kind(atoms=ATOMS, k=K)
    made.weights = {name: W[name].numpy() for name in ("atoms", "encoder", "bias", "encoder_bias", *names)}
    return made.encode(X.numpy())


def saelens(architecture: str, **extra: Tensor) -> np.ndarray:
    """Codes by SAELens."""
    import sae_lens

    name = {"topk": "TopK", "gated": "Gated", "jumprelu": "JumpReLU"}[architecture]
    more = {"k": K} if architecture == "topk" else {}
    config = getattr(sae_lens, f"{name}SAEConfig")(d_in=CHANNELS, d_sae=ATOMS, apply_b_dec_to_input=True, **more)
    sae = getattr(sae_lens, f"{name}SAE")(config)
    weights = {"W_enc": W["encoder"].T, "W_dec": W["atoms"], "b_dec": W["bias"], "b_enc": W["encoder_bias"], **extra}
    sae.load_state_dict({part: weights[part].contiguous() for part in sae.state_dict()})
    return sae.encode(X).detach().to_dense().numpy()


def gradients(*weights: Tensor) -> list[float]:
    """A few numbers that depend on every entry."""
    sums = []
    for weight in weights:
        assert weight.grad is not None
        sums.append(float((weight.grad * made_of(*weight.shape, speed=0.9)).sum()))
    return sums


def start() -> Start:
    """Weights as above."""
    return Start(W["atoms"], W["encoder"], W["bias"], X @ W["encoder"].T)


def our_topk() -> list[float]:
    """Loss in units of squared length per row, and gradients, AuxK with its own normaliser taken off."""
    coder = TopKCoder(start(), TopKSettings(atoms=ATOMS, k=K, aux=0.0))
    with torch.no_grad():
        coder.encoder_bias.copy_(W["encoder_bias"])
    made = coder(X, X, torch.tensor([]).long())
    spread = (X - X.mean(dim=0)).square().sum() / ROWS
    (made.loss * spread).backward()
    parts = (coder.encoder, coder.encoder_bias, coder.bias, coder.atoms)
    return [float((made.loss * spread).detach()), *gradients(*parts)]


def their_topk() -> list[float]:
    """By dictionary_learning."""
    trainer = _trainer()
    loss = trainer.loss(X, step=0)
    loss.backward()
    return [float(loss.detach()), *_gradients_of(trainer.ae)]


def our_rescue() -> list[float]:
    """|e - e_hat|^2 per row and its gradients."""
    settings = TopKSettings(atoms=ATOMS, k=K, aux=1.0, aux_k=2)
    coder = TopKCoder(start(), settings)
    with torch.no_grad():
        coder.encoder_bias.copy_(W["encoder_bias"])
    inner = coder.inner(X, None)
    left = _left()
    made = coder._rescue(inner, coder.before(inner), left, torch.tensor(DEAD)) * left.square().sum() / ROWS
    made.backward()
    return [float(made.detach()), *gradients(coder.encoder, coder.encoder_bias, coder.bias, coder.atoms)]


def their_rescue() -> list[float]:
    """By dictionary_learning."""
    trainer = _trainer()
    trainer.num_tokens_since_fired[list(DEAD)] = 10**9
    before = torch.relu(trainer.ae.encoder(X - trainer.ae.b_dec))
    trainer.get_auxiliary_loss(_left(), before)
    trainer.pre_norm_auxk_loss.backward()
    return [float(trainer.pre_norm_auxk_loss.detach()), *_gradients_of(trainer.ae)]


def our_gates() -> list[float]:
    """Reconstruction, penalty and reconstruction by the gates alone."""
    spread = (X - X.mean(dim=0)).square().sum() / ROWS
    coder = GatedCoder(start(), GatedSettings(atoms=ATOMS, k=K, aux=0.0, sparsity=float(0.1 / spread))).eval()
    with torch.no_grad():
        coder.encoder_bias.copy_(W["encoder_bias"])
        coder.log_gain.copy_(W["gain"].log())
        coder.magnitude.copy_(W["magnitude"])
    loss = coder(X, X, torch.tensor([]).long()).loss * spread
    loss.backward()
    parts = (coder.encoder, coder.encoder_bias, coder.bias, coder.atoms, coder.log_gain, coder.magnitude)
    return [float(loss.detach()), *gradients(*parts)]


def their_gates() -> list[float]:
    """By dictionary_learning."""
    from dictionary_learning.trainers import GatedSAETrainer

    trainer = GatedSAETrainer(
        steps=10, activation_dim=CHANNELS, dict_size=ATOMS, layer=0, lm_name="", l1_penalty=0.1, device="cpu",
        sparsity_warmup_steps=None, warmup_steps=1,
    )  # fmt: skip
    ae = trainer.ae
    for name, value in (("decoder_bias", "bias"), ("gate_bias", "encoder_bias"), ("mag_bias", "magnitude")):
        getattr(ae, name).data = W[value].clone()
    ae.r_mag.data, ae.encoder.weight.data = W["gain"].log(), W["encoder"].clone()
    ae.decoder.weight.data = W["atoms"].T.clone()
    loss = trainer.loss(X, 1)
    loss.backward()
    parts = (ae.encoder.weight, ae.gate_bias, ae.decoder_bias, _turned(ae.decoder.weight), ae.r_mag, ae.mag_bias)
    return [float(loss.detach()), *gradients(*parts)]


def our_thresholds() -> list[float]:
    """Gradients of z H(z - theta) and H(z - theta), weighted."""
    return _thresholds(lambda z, theta: jump(z, theta, 0.6), lambda z, theta: step(z, theta, 0.6))


def their_thresholds() -> list[float]:
    """By dictionary_learning."""
    from dictionary_learning.trainers.jumprelu import JumpReLUFunction, StepFunction

    return _thresholds(
        lambda z, theta: JumpReLUFunction.apply(z, theta, 0.6), lambda z, theta: StepFunction.apply(z, theta, 0.6)
    )


def our_fvu() -> list[float]:
    """Fraction of variance that is left, as it is logged."""
    coder = TopKCoder(start(), TopKSettings(atoms=ATOMS, k=K))
    with torch.no_grad():
        coder.encoder_bias.copy_(W["encoder_bias"])
    return [float(coder(X, X, torch.tensor([]).long()).parts["fvu"])]


def their_fvu() -> list[float]:
    """By sparsify."""
    os.environ["SPARSIFY_DISABLE_TRITON"] = "1"
    from sparsify import SparseCoder, SparseCoderConfig

    coder = SparseCoder(CHANNELS, SparseCoderConfig(num_latents=ATOMS, k=K), device="cpu", dtype=torch.float32)
    coder.encoder.weight.data, coder.encoder.bias.data = W["encoder"].clone(), W["encoder_bias"].clone()
    coder.W_dec.data, coder.b_dec.data = W["atoms"].clone(), W["bias"].clone()
    return [float(coder(X).fvu.detach())]


def _thresholds(first: Callable[[Tensor, Tensor], Tensor], second: Callable[[Tensor, Tensor], Tensor]) -> list[float]:
    z, theta = made_of(ROWS, ATOMS, speed=5.1).requires_grad_(), W["threshold"].clone().requires_grad_()
    weights = made_of(ROWS, ATOMS, speed=5.3)
    limit = theta.expand(ROWS, ATOMS)
    ((first(z, limit) + 2 * second(z, limit)) * weights).sum().backward()
    return gradients(z, theta)


def _left() -> Tensor:
    return X - 0.5 * made_of(ROWS, CHANNELS, speed=6.1)


def _trainer():
    from dictionary_learning.trainers import TopKTrainer

    sizes = {"activation_dim": CHANNELS, "dict_size": ATOMS, "k": K}
    made = TopKTrainer(steps=10, warmup_steps=1, layer=0, lm_name="", device="cpu", **sizes)
    made.auxk_alpha, made.top_k_aux = 0.0, 2
    made.ae.encoder.weight.data, made.ae.encoder.bias.data = W["encoder"].clone(), W["encoder_bias"].clone()
    made.ae.decoder.weight.data, made.ae.b_dec.data = W["atoms"].T.clone(), W["bias"].clone()
    return made


def _gradients_of(ae) -> list[float]:
    return gradients(ae.encoder.weight, ae.encoder.bias, ae.b_dec, _turned(ae.decoder.weight))


def _turned(weight: Tensor) -> Tensor:
    made = weight.detach().T.clone()
    made.grad = None if weight.grad is None else weight.grad.T
    return made


CASES: dict[str, tuple[str, Callable[[], object], Callable[[], object]]] = {
    "topk codes": ("sae_lens", lambda: ours(TopK), lambda: saelens("topk")),
    "jumprelu codes": (
        "sae_lens", lambda: ours(JumpReLU, "threshold"), lambda: saelens("jumprelu", threshold=W["threshold"]),
    ),
    "gated codes": (
        "sae_lens", lambda: ours(Gated, "gain", "magnitude"),
        lambda: saelens("gated", b_gate=W["encoder_bias"], b_mag=W["magnitude"], r_mag=W["gain"].log()),
    ),
    "topk loss": ("dictionary_learning", our_topk, their_topk),
    "rescue": ("dictionary_learning", our_rescue, their_rescue),
    "gates": ("dictionary_learning", our_gates, their_gates),
    "thresholds": ("dictionary_learning", our_thresholds, their_thresholds),
    "fvu": ("sparsify", our_fvu, their_fvu),
}  # fmt: skip

EXPECTED: dict[str, list[float]] = json.loads(Path(__file__).with_name("oracles.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_that_the_packages_gave(name: str) -> None:
    """Also where they are not installed."""
    assert np.ravel(CASES[name][1]()) == pytest.approx(np.array(EXPECTED[name]), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_that_the_packages_give(name: str) -> None:
    """Asked now."""
    package, mine, theirs = CASES[name]
    pytest.importorskip(package)
    assert np.ravel(mine()) == pytest.approx(np.ravel(theirs()), rel=1e-4, abs=1e-5)


if __name__ == "__main__":
    told = {case: [round(float(value), 6) for value in np.ravel(asked())] for case, (_, _, asked) in CASES.items()}
    lines = [f'"{case}": {json.dumps(numbers)}' for case, numbers in told.items()]
    Path(__file__).with_name("oracles.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
