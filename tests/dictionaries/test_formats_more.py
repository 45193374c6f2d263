"""Transcoders, dictionaries of cells and time-conditioned ones in other packages' files: formulas, ways, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from denoscope.core.errors import InputError, StoreError
from denoscope.dictionaries.base import load_dictionary
from denoscope.dictionaries.formats import format_of, read_dictionary, write_dictionary
from denoscope.dictionaries.formats.timed import TimedTranscoder
from denoscope.dictionaries.itda import ITDA
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.temporal import Temporal
from denoscope.dictionaries.transcoder import Transcoder
from denoscope.measures.sparsity import fvu

ATOMS, CHANNELS, OUT, K = 20, 8, 6, 3
RNG = np.random.default_rng(1)
W_ENC, W_DEC = RNG.normal(size=(ATOMS, CHANNELS)), RNG.normal(size=(ATOMS, OUT))
B_ENC, B_DEC = RNG.normal(size=ATOMS) * 0.2, RNG.normal(size=OUT)
W_SKIP, THETA = RNG.normal(size=(OUT, CHANNELS)), RNG.uniform(0, 2, ATOMS)
X = RNG.normal(size=(40, CHANNELS)).astype(np.float32)


def saved(arrays: dict, path: Path) -> None:
    """As single precision in a safetensors file."""
    made = {name: torch.tensor(np.array(a, order="C"), dtype=torch.float32) for name, a in arrays.items()}
    save_file(made, path)


@pytest.mark.parametrize("kind", ["transcoder", "skip_transcoder", "jumprelu_transcoder", "jumprelu_skip_transcoder"])
def test_transcoders_of_saelens(kind, tmp_path) -> None:
    """Codes, what they explain and the linear map are those of its formula, of other widths in and out; both ways."""
    told = {"architecture": kind, "d_in": CHANNELS, "d_sae": ATOMS, "d_out": OUT, "apply_b_dec_to_input": False}
    (tmp_path / "cfg.json").write_text(json.dumps(told))
    arrays = {"W_enc": W_ENC.T, "b_enc": B_ENC, "W_dec": W_DEC, "b_dec": B_DEC}
    arrays |= {"W_skip": W_SKIP} if "skip" in kind else {}
    arrays |= {"threshold": THETA} if "jumprelu" in kind else {}
    saved(arrays, tmp_path / "sae_weights.safetensors")
    before = X @ W_ENC.T + B_ENC
    codes = np.maximum(before, 0) * (before > (THETA if "jumprelu" in kind else 0))
    expected = codes @ W_DEC + B_DEC + (X @ W_SKIP.T if "skip" in kind else 0)
    made = read_dictionary(tmp_path)
    assert isinstance(made, Transcoder) and made.width == CHANNELS
    np.testing.assert_allclose(made.encode(X), codes * np.linalg.norm(W_DEC, axis=1), atol=2e-5)
    np.testing.assert_allclose(made.reconstruct(X), expected, atol=5e-5)
    again = read_dictionary(write_dictionary(made, tmp_path / "again", "sae_lens"))
    np.testing.assert_allclose(again.reconstruct(X), expected, atol=5e-5)
    made.save(tmp_path / "ours")
    np.testing.assert_array_equal(load_dictionary(tmp_path / "ours").reconstruct(X), made.reconstruct(X))
    missing = {name: array for name, array in arrays.items() if name != "b_enc"}
    saved(missing, tmp_path / "sae_weights.safetensors")
    with pytest.raises(StoreError, match="lacks b_enc; it has W_dec"):
        read_dictionary(tmp_path)


@pytest.mark.parametrize("skip", [False, True])
def test_what_transcodes_here_is_written_for_sparsify(skip, tmp_path) -> None:
    """Learned with a mean that is taken off, which sparsify has not: the files say the same without it."""
    made = Transcoder(atoms=ATOMS, k=K, skip=skip)
    wide = RNG.normal(size=(ATOMS, CHANNELS))
    parts = {"atoms": wide / np.linalg.norm(wide, axis=1, keepdims=True), "bias": RNG.normal(size=CHANNELS),
             "encoder": W_ENC, "encoder_bias": B_ENC, "centre": RNG.normal(size=CHANNELS),
             "lengths": RNG.uniform(0.5, 2, ATOMS)}  # fmt: skip
    if skip:
        parts["skip"] = RNG.normal(size=(CHANNELS, CHANNELS))
    made.weights = {name: array.astype(np.float32) for name, array in parts.items()}
    folder = write_dictionary(made, tmp_path / "there", "sparsify")
    told = json.loads((folder / "cfg.json").read_text())
    assert format_of(folder) == "sparsify" and told["transcode"] and told["skip_connection"] == skip
    again = read_dictionary(folder)
    np.testing.assert_allclose(again.encode(X), made.encode(X), atol=2e-5)
    np.testing.assert_allclose(again.reconstruct(X), made.reconstruct(X), atol=5e-5)
    with pytest.raises(InputError, match="write this one as sparsify"):
        write_dictionary(made, tmp_path / "no", "sae_lens")
    with pytest.raises(InputError, match="knows no transcoder"):
        write_dictionary(made, tmp_path / "no", "openai")


def test_an_autoencoder_of_sparsify_with_a_linear_map(tmp_path) -> None:
    """It takes its bias off what it encodes, but not off what the map reads."""
    told = {"num_latents": ATOMS, "k": K, "d_in": CHANNELS, "skip_connection": True}
    (tmp_path / "cfg.json").write_text(json.dumps(told))
    decoder, bias, skip = RNG.normal(size=(ATOMS, CHANNELS)), RNG.normal(size=CHANNELS), RNG.normal(size=(8, 8))
    saved({"encoder.weight": W_ENC, "encoder.bias": B_ENC, "W_dec": decoder, "b_dec": bias, "W_skip": skip},
          tmp_path / "sae.safetensors")  # fmt: skip
    before = np.maximum((X - bias) @ W_ENC.T + B_ENC, 0)
    kept = np.where(before >= np.sort(before, axis=1)[:, [-K]], before, 0)
    np.testing.assert_allclose(read_dictionary(tmp_path).reconstruct(X), kept @ decoder + bias + X @ skip.T, atol=1e-4)


def cells(pursuit: str, signed: bool, bias: float = 0.0) -> ITDA:
    """A dictionary of cells with birthplaces."""
    made = ITDA(atoms=ATOMS, k=K, pursuit=pursuit, signed=signed)
    unit = W_ENC / np.linalg.norm(W_ENC, axis=1, keepdims=True)
    made.weights = {"atoms": unit.astype(np.float32), "bias": np.full(CHANNELS, bias, np.float32),
                    "loss": np.ones(ATOMS, np.float32)}  # fmt: skip
    made.births = {"sample": [f"image-{i // 3}" for i in range(ATOMS)], "cell": list(range(ATOMS)),
                   "timestep": [50.0] * ATOMS}  # fmt: skip
    made.about = {"site": "mid"}
    return made


def matched(x: np.ndarray, atoms: np.ndarray, k: int) -> np.ndarray:
    """Codes as ITDA's authors find them: the atom most like what is left, k times over, of either sign."""
    left, codes = x.astype(np.float64), np.zeros((len(x), len(atoms)))
    for _ in range(k):
        likeness = left @ atoms.T
        best = np.abs(likeness).argmax(axis=1)
        value = likeness[np.arange(len(x)), best]
        np.add.at(codes, (np.arange(len(x)), best), value)
        left -= value[:, None] * atoms[best]
    return codes


def gradient(x: np.ndarray, atoms: np.ndarray, k: int) -> np.ndarray:
    """Codes as the works on Flux find them: gradient pursuit, clipped at zero."""
    w = np.zeros((len(x), len(atoms)))
    for _ in range(k):
        r = x - w @ atoms
        inner = r @ atoms.T
        chosen = w != 0
        chosen[np.arange(len(x)), inner.argmax(axis=1)] = True
        g = chosen * inner
        c = g @ atoms
        step = (c * r).sum(axis=1) / np.maximum(np.square(c).sum(axis=1), 1e-3)
        w = np.maximum(w + step[:, None] * g, 0)
    return w


def test_itda_as_its_authors_keep_it(tmp_path) -> None:
    """Atoms, places and codes; what the format has no word for comes back where we wrote it."""
    made = cells("matching", signed=True)
    folder = write_dictionary(made, tmp_path / "there", "itda")
    assert format_of(folder) == "itda" and torch.load(folder / "atom_indices.pt").tolist()[4] == [1, 4]
    assert yaml.safe_load((folder / "metadata.yaml").read_text())["k"] == K
    again = read_dictionary(folder)
    assert isinstance(again, ITDA) and again.births == made.births and str(again.site) == "mid"
    np.testing.assert_allclose(again.encode(X), made.encode(X), atol=1e-6)
    (folder / "origin.json").unlink()
    foreign = read_dictionary(folder)
    assert isinstance(foreign, ITDA) and foreign.births["sample"][4] == "1" and foreign.births["timestep"][0] is None
    np.testing.assert_allclose(foreign.encode(X), matched(X, made.atoms, K), atol=1e-5)
    foreign.save(tmp_path / "ours")
    np.testing.assert_array_equal(load_dictionary(tmp_path / "ours").encode(X), foreign.encode(X))
    with pytest.raises(InputError, match="write it as itda_flux"):
        write_dictionary(cells("matching", signed=True, bias=1.0), tmp_path / "no", "itda")
    with pytest.raises(InputError, match="codes are pursued"):
        write_dictionary(PCA(atoms=2).fit([X]), tmp_path / "no", "itda")


def test_itda_as_the_works_on_flux_keep_it(tmp_path, caplog) -> None:
    """Padding is left out, the mean taken off; a dictionary that pursues otherwise says so and comes back as it was."""
    made = cells("gradient", signed=False, bias=0.5)
    folder = write_dictionary(made, tmp_path / "there", "itda_flux")
    told = json.loads((folder / "cfg.json").read_text())
    assert format_of(folder) == "itda_flux" and told["dictionary_size"] == ATOMS and not caplog.records
    (folder / "origin.json").unlink()
    again = read_dictionary(folder)
    assert again.atoms.shape == (ATOMS, CHANNELS)
    np.testing.assert_allclose(again.encode(X), gradient(X - 0.5, made.atoms.astype(float), K), atol=1e-4)
    other = cells("orthogonal", signed=True, bias=0.5)
    back = read_dictionary(write_dictionary(other, tmp_path / "other", "itda_flux"))
    assert "non-negative gradient pursuit" in caplog.text
    np.testing.assert_allclose(back.encode(X), other.encode(X), atol=1e-5)
    assert fvu(X, back.reconstruct(X)) < fvu(X, again.reconstruct(X))


@pytest.mark.parametrize(
    ("told", "arrays", "words"),
    [({"skip_connection": True}, {}, "linear map"), ({}, {"ys": 2 * W_ENC}, "xs and ys differ"),
     ({"normalize": True}, {"std_x": np.arange(1, 9)}, "normalize"), ({"dictionary_size": 99}, {}, "99 atoms")],
)  # fmt: skip
def test_pairs_of_atoms_that_cannot_be_read_are_refused(told, arrays, words, tmp_path) -> None:
    """Each with its reason."""
    settings = {"dictionary_size": ATOMS, "target_l0": K, "subtract_mean": True}
    (tmp_path / "cfg.json").write_text(json.dumps(settings | told))
    saved({"xs": W_ENC, "ys": W_ENC, "mean_x": np.zeros(8)} | arrays, tmp_path / "sae.safetensors")
    with pytest.raises((InputError, StoreError), match=words):
        read_dictionary(tmp_path)


class Published(nn.Module):
    """DifFRACT's module as its paper and model card describe it."""

    def __init__(self, width: int, atoms: int, waves: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(waves, waves), nn.SiLU(), nn.Linear(waves, waves), nn.SiLU())
        self.mod_linear = nn.Linear(waves, 2 * width)
        self.encoder, self.decoder = nn.Linear(width, atoms), nn.Linear(atoms, width)
        self.waves = waves

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What it explains, and its codes."""
        from diffusers.models.embeddings import get_timestep_embedding

        scale, shift = self.mod_linear(self.time_mlp(get_timestep_embedding(t, self.waves))).chunk(2, dim=-1)
        codes = torch.relu(self.encoder(x * (1 + scale) + shift))
        return self.decoder(codes), codes


def test_diffract_is_read_at_every_noise_level(tmp_path) -> None:
    """Its module gives what ours gives at t = 1000 sigma; it is kept in our format and written back."""
    torch.manual_seed(0)
    theirs = Published(CHANNELS, ATOMS, 6)
    path = tmp_path / "transcoder_txt_3.pt"
    torch.save(theirs.state_dict(), path)
    made = read_dictionary(tmp_path)
    assert isinstance(made, TimedTranscoder) and str(made.site) == "dit.d.3.txt.mlp.raw"
    lengths = np.linalg.norm(theirs.decoder.weight.detach().numpy(), axis=0)
    made.save(tmp_path / "ours")
    for one in (made, load_dictionary(tmp_path / "ours")):
        assert isinstance(one, TimedTranscoder)
        for timestep in (250.0, 600.0, 1000.0):
            there, codes = theirs(torch.from_numpy(X), torch.full((1,), timestep / 1000))
            np.testing.assert_allclose(one.encode(X, timestep), codes.detach() * lengths, atol=2e-5)
            np.testing.assert_allclose(one.at(timestep).reconstruct(X), there.detach(), atol=2e-5)
    write_dictionary(made, tmp_path / "back", "diffract")
    again = read_dictionary(tmp_path / "back" / "transcoder_txt_3.pt")
    np.testing.assert_allclose(again.at(500).reconstruct(X), made.at(500).reconstruct(X), atol=1e-5)  # pyright: ignore
    with pytest.raises(InputError, match="say at which timestep"):
        made.encode(X)
    with pytest.raises(InputError, match="not learned here"):
        made.fit([X])


def test_diffract_files_that_do_not_do(tmp_path) -> None:
    """Several in a folder, a tensor that is missing or of another shape, and dictionaries of other kinds."""
    state = Published(CHANNELS, ATOMS, 6).state_dict()
    for block in (1, 2):
        torch.save(state, tmp_path / f"transcoder_img_{block}.pt")
    assert format_of(tmp_path) == "diffract" == format_of(tmp_path / "transcoder_img_1.pt")
    with pytest.raises(InputError, match=r"holds 2 files of dictionaries .*; name one"):
        read_dictionary(tmp_path)
    (tmp_path / "one").mkdir()
    torch.save({**state, "mod_linear.bias": torch.ones(3)}, tmp_path / "one" / "sae_img_2.pt")
    with pytest.raises(StoreError, match="film_bias"):
        read_dictionary(tmp_path / "one")
    torch.save({name: a for name, a in state.items() if name != "encoder.bias"}, tmp_path / "one" / "sae_img_2.pt")
    with pytest.raises(StoreError, match=r"lacks encoder\.bias"):
        read_dictionary(tmp_path / "one")
    with pytest.raises(InputError, match="at one level"):
        write_dictionary(Temporal(atoms=4, k=2), tmp_path / "no", "diffract")
