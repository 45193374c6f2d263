"""What a running model adds: planted effects are found, none where there are none, and the wrong model is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import denoscope as ds
from denoscope.core.activations import Activations
from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.core.site import Site
from denoscope.data.menagerie import Menagerie
from denoscope.dictionaries.topk import TopK
from denoscope.interpret import interpret
from denoscope.interpret.acting import Acting, acted, same
from denoscope.interpret.eyes import encoder, eye_of
from denoscope.interpret.patches import pixels
from denoscope.interpret.wording import Scene, worded
from denoscope.models.loading import untrained

SIDE, WIDTH, ATOMS = 6, 8, 5


class Listener:
    """A model whose predicted picture is one direction of its activations, cell by cell, beside noise of its own."""

    def __init__(self, ear: np.ndarray, noise: float = 0.0) -> None:
        self.ear, self.noise = ear, noise
        self._edits: dict[Any, Any] = {}
        self._values: dict[str, np.ndarray] = {}

    def edit(self, edits: Any) -> "Listener":
        """With these."""
        self._edits = dict(edits)
        return self

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: Any) -> None:
        self._edits = {}

    def read(self, samples: Any, site: str, condition: Any, batch_size: int) -> dict[str, Activations]:
        """Activations, or what is predicted from them."""
        values = np.stack([_values(sample.id) for sample in samples])
        for edit in self._edits.values():
            values = edit(values)
        if site == "x0":
            heard = np.einsum("nchw,c->nhw", values, self.ear)[:, None]
            values = heard + self.noise * np.random.default_rng(len(self._edits)).normal(size=heard.shape)
        frames = (Frame(24, 24, 24, 24),) * len(samples)
        names = tuple(sample.id for sample in samples)
        made = Activations(
            Site("mid"), condition, values.astype(np.float32), names, "grid", frames, Grid(SIDE, SIDE, 4.0)
        )
        return {site: made}


def _values(name: str) -> np.ndarray:
    """Each atom is active in four cells of its own."""
    rng = np.random.default_rng(int(name))
    values = 0.05 * rng.normal(size=(WIDTH, SIDE, SIDE))
    for atom, cell in enumerate(rng.permutation(9)[:ATOMS]):
        row, col = divmod(int(cell), 3)
        values[:, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2] += (
            rng.uniform(1, 3) * np.eye(WIDTH)[atom][:, None, None]
        )
    return values


def acting(ear: np.ndarray, noise: float = 0.0) -> Acting:
    """The planted directions at `mid`."""
    made = TopK(atoms=ATOMS, k=1)
    eye = np.eye(WIDTH, dtype=np.float32)[:ATOMS]
    made.weights = {"atoms": eye, "encoder": eye, "bias": np.zeros(WIDTH, np.float32)}
    model: Any = Listener(ear, noise)
    return Acting(model, Site("mid"), ds.Condition(timestep=50), made, made)


def samples(count: int = 6) -> list[ds.Sample]:
    """Grey pictures."""
    return [ds.Sample(str(i), np.full((24, 24, 3), 99, np.uint8), {"caption": "a thing"}) for i in range(count)]


def test_a_planted_effect_lies_where_the_codes_say_and_is_as_large_as_they_say() -> None:
    """The model hears atom 0 alone: its change is inside, in the order of its codes, and larger than by chance."""
    found = acted(acting(np.eye(WIDTH)[0]), {0: samples(), 1: samples()}, np.roll(np.arange(ATOMS), 1), "caption", int)
    heard, deaf = found[0], found[1]
    assert heard.place.min() == 1 and heard.inside.min() > 0.999 and heard.area.max() < 0.25
    assert heard.foretold.min() > 0.95 and heard.foretold_moved.mean() < 0.2
    assert np.median(heard.size) > 1.5 and np.nanmax(deaf.size) < 1e-6
    assert np.isnan(heard.drop).all() and np.isnan(heard.rise).all()


def test_a_change_that_has_nothing_to_do_with_the_atom_is_at_chance() -> None:
    """The picture changes by noise whenever anything is edited: no place, nothing foretold."""
    found = acted(acting(np.zeros(WIDTH), 1.0), {a: samples(8) for a in range(ATOMS)}, np.arange(ATOMS), "caption", int)
    assert np.mean([one.place for one in found.values()]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([one.foretold for one in found.values()]) == pytest.approx(0, abs=0.1)
    assert np.mean([one.inside - one.area for one in found.values()]) == pytest.approx(0, abs=0.04)


def test_the_wrong_model_is_refused() -> None:
    """By what it reads of the first image."""
    values = _values("0")
    same(values, values + 0.01)
    for other in (_values("1"), values[:4]):
        with pytest.raises(InputError, match="does not give the stored activations"):
            same(values, other)


def scene(rng: np.random.Generator, half: int, planted: bool) -> Scene:
    """Heat of `cat` on the atom's cells, or of nothing."""
    codes = np.zeros(36)
    codes[rng.choice(36, 5, replace=False)] = 1
    maps = {word: rng.random(36) for word in ("cat", "beach", "red", "photo")}
    if planted:
        maps["cat"] = maps["cat"] + codes
    return Scene(half, codes, maps)


def test_the_word_of_an_atom_is_that_whose_heat_it_lies_under() -> None:
    """Planted: found and sure. By lot: whichever word one half chose is at chance on the other."""
    rng = np.random.default_rng(0)
    found = worded([scene(rng, i % 2, True) for i in range(8)])
    assert (found.word, found.images) == ("cat", 4) and found.agreement == 1 and found.others < 0.7
    lot = [worded([scene(rng, i % 2, False) for i in range(8)]) for _ in range(60)]
    assert np.mean([one.agreement for one in lot]) == pytest.approx(0.5, abs=0.04)
    assert worded([]).word == "" and np.isnan(worded([scene(rng, 0, True)] * 2).agreement)


def test_a_dictionary_of_many_noise_levels_is_run_at_one_of_them(tmp_path: Path) -> None:
    """From a store, with the model that it was made with: every score is there, cards tell it, another model is not
    taken."""
    model, world = ds.load("toy-sd15"), Menagerie(size=64, count=8)
    store = ds.extract(model, world, "up.1", timesteps=[200, 600], out=tmp_path / "s")
    made = ds.learn(store, "temporal", site="up.1", timesteps=[200, 600], atoms=12, k=3, cells=600, held_out=0.3)
    told = interpret(store, made, model=model, timestep=600, data=world, least=2, looked=4, acted=1, acted_images=2,
                     acted_steps=1, cards=3, out=tmp_path / "o", save=False)  # fmt: skip
    assert "600" in told.parameters["condition"]
    names = ["acts where it is active", "acts as foretold", "drop in pictures", "rise in pictures, direction by chance"]
    assert [told[name].n for name in names] == [1] * 4
    words = [word for word in told.table["word of heat"] if word]
    assert set(words) <= {word for sample in world for word in sample.facts["caption"].lower().split()}
    assert (tmp_path / "o" / "atoms.html").read_text().count('<p class="lines">taken out: ') == 1
    with pytest.raises(InputError, match="does not give the stored activations"):
        interpret(store, made, model=untrained(model, 3), timestep=600, data=world, save=False)


def test_a_text_to_image_encoder_can_be_the_eye(tmp_path: Path) -> None:
    """A tiny one with weights by chance: a vector per patch, less their mean; what cannot be loaded is one line."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    CLIPModel(CLIPConfig(text_config=small, vision_config={**small, "image_size": 32, "patch_size": 16},
                         projection_dim=8)).save_pretrained(tmp_path)  # fmt: skip
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    rng = np.random.default_rng(0)
    patches = [rng.integers(0, 255, (9, 9, 3)).astype(np.uint8) for _ in range(40)]
    found = encoder(str(tmp_path))(patches)
    assert found.shape == (40, 8) and np.allclose(found.mean(axis=0), 0, atol=1e-9) and found.std() > 0
    assert eye_of("pixels") is pixels
    with pytest.raises(InputError, match="no image encoder") as caught:
        eye_of(str(tmp_path / "none"))
    assert "\n" not in str(caught.value)


def test_tokens_that_lie_nowhere_are_refused_as_such(tmp_path: Path) -> None:
    """A text stream has no cells: the line says so, and not how to extract it otherwise."""
    store = ds.extract("toy-flux-dev", Menagerie(size=64, count=3), "dit.d.0.txt", timesteps=[300], out=tmp_path / "s")
    made = TopK(atoms=2, k=1)
    width = store.volumes[0].read(Site("dit.d.0.txt"), store.volumes[0].conditions[0], np.arange(1)).tokens().shape[-1]
    eye = np.eye(2, width, dtype=np.float32)
    made.weights = {"atoms": eye, "encoder": eye, "bias": np.zeros(width, np.float32)}
    made.about = {"site": "dit.d.0.txt"}
    with pytest.raises(InputError, match="lie nowhere on the picture"):
        interpret(store, made, data=Menagerie(size=64, count=3), save=False)
