"""Dictionaries of other packages: their formulas give the codes that ours give, and both ways nothing is lost."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.formats import format_of, read_dictionary, write_dictionary
from denoscope.dictionaries.gated import Gated
from denoscope.dictionaries.hierarchical import Hierarchical
from denoscope.dictionaries.jumprelu import JumpReLU
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.temporal import Temporal
from denoscope.dictionaries.topk import TopK

ATOMS, CHANNELS, K = 24, 10, 4
RNG = np.random.default_rng(0)
W_ENC, W_DEC = RNG.normal(size=(2, ATOMS, CHANNELS))
B_ENC, B_DEC = RNG.normal(size=ATOMS) * 0.2, RNG.normal(size=CHANNELS)
THETA, GAIN = RNG.uniform(0, 2, ATOMS), RNG.normal(size=ATOMS) * 0.3
X = RNG.normal(size=(50, CHANNELS)).astype(np.float32)


def relu(a: np.ndarray) -> np.ndarray:
    """As everyone's."""
    return np.maximum(a, 0)


def largest(a: np.ndarray, k: int = K) -> np.ndarray:
    """The k largest of each row that are positive; 0 elsewhere."""
    kept = np.zeros_like(a)
    rows = np.arange(len(a))[:, None]
    where = np.argsort(-a, axis=1)[:, :k]
    kept[rows, where] = relu(a[rows, where])
    return kept


BEFORE = (X - B_DEC) @ W_ENC.T + B_ENC
LENGTHS = np.linalg.norm(W_DEC, axis=1)


def lens(folder: Path, kind: str, told: dict, **arrays: np.ndarray) -> None:
    """A folder as SAELens writes it."""
    made = {"d_in": CHANNELS, "d_sae": ATOMS, "apply_b_dec_to_input": True, "normalize_activations": "none",
            "architecture": kind, "metadata": {"hook_name": "x"}}  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(made | told))
    weights = {"W_enc": W_ENC.T, "W_dec": W_DEC, "b_dec": B_DEC} | arrays
    made = {name: torch.tensor(np.array(a, order="C"), dtype=torch.float32) for name, a in weights.items()}
    save_file(made, folder / "sae_weights.safetensors")


def learning(folder: Path, kind: str, **arrays: np.ndarray) -> None:
    """A folder as dictionary_learning writes it."""
    (folder / "config.json").write_text(json.dumps({"trainer": {"dict_class": kind}, "buffer": {}}))
    torch.save({name: torch.tensor(np.array(a)) for name, a in arrays.items()}, folder / "ae.pt")


LINEAR = {"encoder.weight": W_ENC, "encoder.bias": B_ENC, "decoder.weight": W_DEC.T}


def codes_of(name: str, folder: Path) -> np.ndarray:
    """Write one kind; the codes that its package's formula gives."""
    match name:
        case "sae_lens standard":
            lens(folder, "standard", {}, b_enc=B_ENC)
            return relu(BEFORE)
        case "sae_lens standard, b_dec not taken off":
            lens(folder, "standard", {"apply_b_dec_to_input": False}, b_enc=B_ENC)
            return relu(X @ W_ENC.T + B_ENC)
        case "sae_lens topk":
            lens(folder, "topk", {"k": K}, b_enc=B_ENC)
            return largest(BEFORE)
        case "sae_lens topk, rescaled":
            lens(folder, "topk", {"k": K, "rescale_acts_by_decoder_norm": True}, b_enc=B_ENC)
            return largest(BEFORE * LENGTHS) / LENGTHS
        case "sae_lens jumprelu":
            lens(folder, "jumprelu", {}, b_enc=B_ENC, threshold=THETA)
            return relu(BEFORE) * (BEFORE > THETA)
        case "sae_lens gated":
            lens(folder, "gated", {}, b_gate=B_ENC, b_mag=THETA - 1, r_mag=GAIN)
            p = BEFORE - B_ENC
            return (BEFORE > 0) * relu(p * np.exp(GAIN) + THETA - 1)
        case "dictionary_learning topk":
            learning(folder, "AutoEncoderTopK", **LINEAR, b_dec=B_DEC, k=K, threshold=-1.0)
            return largest(BEFORE)
        case "dictionary_learning batchtopk":
            learning(folder, "BatchTopKSAE", **LINEAR, b_dec=B_DEC, k=K, threshold=0.7)
            return relu(BEFORE) * (BEFORE > 0.7)
        case "dictionary_learning standard":
            learning(folder, "AutoEncoder", **LINEAR, bias=B_DEC)
            return relu(BEFORE)
        case "dictionary_learning jumprelu":
            learning(
                folder, "JumpReluAutoEncoder", W_enc=W_ENC.T, b_enc=B_ENC, W_dec=W_DEC, b_dec=B_DEC, threshold=THETA
            )
            before = X @ W_ENC.T + B_ENC
            return relu(before) * (before > THETA)
        case "dictionary_learning matryoshka":
            learning(folder, "MatryoshkaBatchTopKSAE", W_enc=W_ENC.T, b_enc=B_ENC, W_dec=W_DEC, b_dec=B_DEC, k=K,
                     threshold=0.7, group_sizes=np.array([8, 16]))  # fmt: skip
            return relu(BEFORE) * (BEFORE > 0.7)
        case "dictionary_learning gated":
            learning(folder, "GatedAutoEncoder", **{n: a for n, a in LINEAR.items() if n != "encoder.bias"},
                     decoder_bias=B_DEC, gate_bias=B_ENC, mag_bias=THETA - 1, r_mag=GAIN)  # fmt: skip
            p = BEFORE - B_ENC
            return (BEFORE > 0) * relu(p * np.exp(GAIN) + THETA - 1)
        case "sparsify":
            (folder / "cfg.json").write_text(json.dumps({"num_latents": ATOMS, "k": K, "d_in": CHANNELS}))
            weights = {"encoder.weight": W_ENC, "encoder.bias": B_ENC, "W_dec": W_DEC, "b_dec": B_DEC}
            save_file({n: torch.tensor(a) for n, a in weights.items()}, folder / "sae.safetensors")
            return largest(BEFORE)
        case "openai":
            (folder / "config.json").write_text(json.dumps({"n_dirs_local": ATOMS, "d_model": CHANNELS, "k": K}))
            weights = {"encoder.weight": W_ENC, "latent_bias": B_ENC, "decoder.weight": W_DEC.T, "pre_bias": B_DEC}
            torch.save({"state_dict": {n: torch.tensor(a) for n, a in weights.items()}}, folder / "state_dict.pth")
            return largest(BEFORE)
    raise AssertionError(name)


KINDS = (
    "sae_lens standard", "sae_lens standard, b_dec not taken off", "sae_lens topk", "sae_lens topk, rescaled",
    "sae_lens jumprelu", "sae_lens gated", "dictionary_learning topk", "dictionary_learning batchtopk",
    "dictionary_learning standard", "dictionary_learning jumprelu", "dictionary_learning matryoshka",
    "dictionary_learning gated", "sparsify", "openai",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_codes_and_reconstructions_are_those_of_the_package(name, tmp_path) -> None:
    """Codes in units of the activations are theirs times the lengths of the atoms; what is told is recognised."""
    codes = codes_of(name, tmp_path)
    made = read_dictionary(tmp_path, site="mid")
    assert format_of(tmp_path) == name.split()[0].rstrip(",") == made.about["format"]
    np.testing.assert_allclose(made.encode(X), codes * LENGTHS, atol=2e-5)
    np.testing.assert_allclose(made.decode(made.encode(X)), codes @ W_DEC + B_DEC, atol=5e-5)
    np.testing.assert_allclose(np.linalg.norm(made.atoms, axis=1), 1, atol=1e-6)
    assert str(made.site) == "mid"
    made.save(tmp_path / "ours")
    np.testing.assert_array_equal(load_dictionary(tmp_path / "ours").encode(X), made.encode(X))


def test_overcomplete_is_read_with_and_without_k(tmp_path) -> None:
    """No bias, atoms brought to length one, one scale for all."""
    weights = {"encoder.final_block.0.weight": W_ENC, "encoder.final_block.0.bias": B_ENC, "dictionary._weights": W_DEC,
               "dictionary.multiplier": np.array(2.0)}  # fmt: skip
    torch.save({name: torch.tensor(a) for name, a in weights.items()}, tmp_path / "sae.pt")
    before = X @ W_ENC.T + B_ENC
    atoms = 2 * W_DEC / LENGTHS[:, None]
    for made, codes in ((read_dictionary(tmp_path), relu(before)), (read_dictionary(tmp_path, k=K), largest(before))):
        np.testing.assert_allclose(made.decode(made.encode(X)), codes @ atoms, atol=5e-5)


def ours(kind: type, **settings: int) -> TopK | JumpReLU | Gated:
    """A dictionary of ours with weights of any size."""
    made = kind(atoms=ATOMS, k=K, **settings)
    atoms = W_DEC / LENGTHS[:, None]
    weights = {"atoms": atoms, "bias": B_DEC, "encoder": W_ENC, "encoder_bias": B_ENC}
    if kind is TopK:
        weights["lengths"] = RNG.uniform(0.5, 2, ATOMS)
    if kind is JumpReLU:
        weights["threshold"] = THETA
    if kind is Gated:
        weights |= {"gain": np.exp(GAIN), "magnitude": THETA - 1}
    made.weights = {name: array.astype(np.float32) for name, array in weights.items()}
    made.about = {"site": "mid"}
    return made


@pytest.mark.parametrize(
    ("kind", "format"),
    [(TopK, "sae_lens"), (JumpReLU, "sae_lens"), (Gated, "sae_lens"), (TopK, "dictionary_learning"),
     (JumpReLU, "dictionary_learning"), (Gated, "dictionary_learning"), (TopK, "sparsify"), (TopK, "openai")],
)  # fmt: skip
def test_what_is_written_is_read_back(kind, format, tmp_path) -> None:
    """Equal codes after a way through another package's files."""
    made = ours(kind)
    again = read_dictionary(write_dictionary(made, tmp_path / "there", format))
    assert format_of(tmp_path / "there") == format
    np.testing.assert_allclose(again.encode(X), made.encode(X), atol=2e-5)
    np.testing.assert_allclose(again.decode(again.encode(X)), made.decode(made.encode(X)), atol=5e-5)


def test_a_dictionary_for_every_k_is_written_with_its_own(tmp_path) -> None:
    """Its codes are those of TopK; one that knows the noise level is refused, and what to do is told."""
    every = Hierarchical(atoms=ATOMS, k=K)
    every.weights = ours(TopK).weights
    again = read_dictionary(write_dictionary(every, tmp_path / "h", "sae_lens"))
    np.testing.assert_allclose(again.encode(X), every.encode(X), atol=2e-5)
    with pytest.raises(InputError, match=r"made\.at\(50\)"):
        write_dictionary(Temporal(atoms=4, k=2), tmp_path / "t", "sae_lens")


def test_what_cannot_be_said_is_refused_with_the_reason(tmp_path) -> None:
    """Rows that change their length, other architectures, missing and damaged tensors, no k, no files."""
    lens(tmp_path, "standard", {"normalize_activations": "layer_norm"}, b_enc=B_ENC)
    with pytest.raises(InputError, match="own length"):
        read_dictionary(tmp_path)
    lens(tmp_path, "matching_pursuit", {}, b_enc=B_ENC)
    with pytest.raises(InputError, match=r"gated, transcoder, .* can"):
        read_dictionary(tmp_path)
    lens(tmp_path, "topk", {"k": 0}, b_enc=B_ENC)
    with pytest.raises(StoreError, match="needs k in 1"):
        read_dictionary(tmp_path)
    (tmp_path / "sae_weights.safetensors").write_bytes(b"half")
    with pytest.raises(StoreError, match="damaged"):
        read_dictionary(tmp_path)
    save_file({"W_enc": torch.ones(2, 3)}, tmp_path / "sae_weights.safetensors")
    with pytest.raises(StoreError, match=r"lacks W_dec \(decoder\)"):
        read_dictionary(tmp_path)
    with pytest.raises(UnknownName, match="sae_lens"):
        read_dictionary(tmp_path, "saelens")
    with pytest.raises(StoreError, match="known format"):
        read_dictionary(tmp_path / "nothing")
    with pytest.raises(InputError, match="TopK alone"):
        write_dictionary(ours(JumpReLU), tmp_path / "s", "sparsify")
    with pytest.raises(InputError, match="pca"):
        write_dictionary(PCA(atoms=2), tmp_path / "s", "sae_lens")


def test_a_pickle_that_would_run_something_is_not_run(tmp_path) -> None:
    """It is refused as damaged."""

    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "ran").touch, ())

    torch.save({"encoder.weight": Evil()}, tmp_path / "ae.pt")
    with pytest.raises(StoreError, match="damaged"):
        read_dictionary(tmp_path)
    assert not (tmp_path / "ran").exists()
