"""The loop: gradients of every loss, planted atoms found again, training that stops and goes on, bit by bit."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from denoscope.core.errors import InputError, StoreError, UnknownName
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._autoencoder import Autoencoder
from denoscope.dictionaries._training.starting import geometric_median, start_of
from denoscope.dictionaries._training.trainer import Trainer
from denoscope.dictionaries.pca import PCA
from denoscope.dictionaries.together import fit_together
from denoscope.dictionaries.topk import TopK, TopKSettings
from denoscope.measures.sparsity import fvu, l0, mean_cosine

METHODS = ("topk", "batchtopk", "jumprelu", "gated", "matryoshka", "hierarchical")
QUICK = {"atoms": 12, "k": 3, "cells": 3000, "batch": 100, "device": "cpu"}


def planted(rows: int, atoms: int = 48, channels: int = 32, k: int = 3, skew: float = 0.0, seed: int = 0):
    """Rows that are k of some unit atoms each, with weights of 1/2 to 3/2; skew > 0 makes some atoms rare."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(atoms, channels))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    chance = np.arange(1, atoms + 1) ** -skew
    which = np.argsort(rng.exponential(size=(rows, atoms)) / chance, axis=1)[:, :k]
    codes = np.zeros((rows, atoms))
    np.put_along_axis(codes, which, rng.uniform(0.5, 1.5, (rows, k)), axis=1)
    return (codes @ true).astype(np.float32), true


ROWS = planted(1500, seed=3)[0]


def coder_of(name: str, rows: int = 24, **settings):
    """A small coder in double precision, and rows for it."""
    x = torch.randn(rows, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    made = dictionaries.get(name)(**{**QUICK, "dead_after": 50, **settings})
    return made.coder(start_of(x, x, made.settings, made.tied)).double(), x


@pytest.mark.parametrize("name", ["topk", "batchtopk", "gated", "matryoshka", "hierarchical"])
def test_gradients_of_every_loss_to_every_parameter(name):
    """Numerical differences of the whole loss, AuxK and all, in random directions of each weight.

    What the methods hold fixed on purpose is fixed here as well: what is left, which AuxK explains, and for the gates
    alone the atoms and the bias. Selections do not change within the difference.
    """
    coder, x = coder_of(name)
    coder.eval()
    dead = torch.tensor([2, 5, 7, 11])
    with torch.no_grad():
        for weight in coder.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(5), dtype=weight.dtype)
        fixed = coder(x, x, dead).left
        held = {part: getattr(coder, part).detach().clone() for part in ("atoms", "bias")}

    def loss() -> torch.Tensor:
        """As `Coder.forward`, dense, written out again."""
        w = dict(coder.named_parameters())
        before = (x - w["bias"]) @ w["encoder"].T + w["encoder_bias"]
        spread = (x - x.mean(dim=0)).square().sum()
        codes, extra = dense_codes(name, before, w, coder, x, held, spread)
        misfit = nested_misfit(name, codes, w, x, spread)
        rescue = before[:, dead].relu()
        kept, where = rescue.topk(3, dim=1)
        rescue = torch.zeros_like(rescue).scatter(1, where, kept)
        aux = (fixed - rescue @ w["atoms"][dead]).square().sum() / fixed.square().sum()
        return misfit + extra + coder.settings.aux * aux

    assert float(coder(x, x, dead).loss.detach()) == pytest.approx(float(loss().detach()), rel=1e-9)
    coder(x, x, dead).loss.backward()
    for part, weight in coder.named_parameters():
        assert weight.grad is not None
        assert float(weight.grad.abs().max()) > 0, part
        for seed in range(3):
            along = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed), dtype=weight.dtype)
            slope = _slope(loss, weight, along)
            assert float((weight.grad * along).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-8), part


def dense_codes(name, before, w, coder, x, held, spread):
    """Codes as a matrix, and what the method adds."""
    k = coder.settings.k
    if name == "gated":
        p = before - w["encoder_bias"]
        gates = before.relu()
        alone = (x - gates @ held["atoms"] - held["bias"]).square().sum() / spread
        codes = (p * w["log_gain"].exp() + w["magnitude"]).relu() * (before > 0)
        return codes, coder.log_weight.exp() * gates.sum() / len(x) + alone
    if name in ("batchtopk", "matryoshka"):
        bound = before.flatten().sort(descending=True).values[k * len(x) - 1]
    else:
        bound = before.sort(dim=1, descending=True).values[:, k - 1 : k]
    return before.relu() * (before >= bound), before.new_zeros(())


def nested_misfit(name, codes, w, x, spread):
    """Mean over nested dictionaries or numbers of codes, by masks."""
    masks = [torch.ones_like(codes, dtype=torch.bool)]
    if name == "matryoshka":
        masks = [torch.arange(12).expand_as(codes) < size for size in (1, 2, 3, 6, 12)]
    if name == "hierarchical":
        rank = codes.argsort(dim=1, descending=True).argsort(dim=1)
        masks = [rank < size for size in (1, 2, 3)]
    errors = [(x - (codes * mask) @ w["atoms"] - w["bias"]).square().sum() / spread for mask in masks]
    return torch.stack(errors).mean()


def _slope(loss, weight, along, step=1e-6) -> float:
    with torch.no_grad():
        ends = []
        for sign in (1, -2):
            weight += sign * step * along
            ends.append(float(loss()))
        weight += step * along
    return (ends[0] - ends[1]) / (2 * step)


def test_jumprelu_sends_gradients_everywhere():
    """To the encoder and atoms those of the formula; to the thresholds the estimator's; none to atoms far below."""
    coder, x = coder_of("jumprelu", bandwidth=0.5)
    coder(x, x, torch.tensor([], dtype=torch.int64)).loss.backward()
    w = dict(coder.named_parameters())
    theta = w["log_threshold"].detach().exp()
    before = ((x - w["bias"]) @ w["encoder"].T + w["encoder_bias"]).detach().requires_grad_()
    active = before > theta
    left = x - (before * active) @ w["atoms"].detach() - w["bias"].detach()
    loss = left.square().sum() / (x - x.mean(dim=0)).square().sum()
    (upstream,) = torch.autograd.grad(loss, before)
    assert torch.allclose(w["encoder"].grad, upstream.T @ (x - w["bias"]).detach())
    near = (before - theta).abs() < 0.25
    towards = left.detach() @ w["atoms"].detach().T * -2 / (x - x.mean(dim=0)).square().sum()
    mean = active.sum() / len(x)
    excess = 2 * (mean / 3 - 1) / 3 / len(x)
    expected = -((towards * theta + excess) * near / 0.5).sum(dim=0) * theta
    assert torch.allclose(w["log_threshold"].grad, expected.detach())


FLOORS = {"topk": 0.99, "hierarchical": 0.99, "gated": 0.99, "batchtopk": 0.99, "jumprelu": 0.98, "matryoshka": 0.92}
"""MCC; the first half of a Matryoshka dictionary is made to blend atoms, so it has to find fewer."""


@pytest.fixture(scope="module")
def world():
    """Rows to learn from, others to test on, and the atoms that made them."""
    x, true = planted(20_000)
    return x, planted(4000)[0], true


@pytest.mark.parametrize("name", METHODS)
def test_planted_atoms_are_found_at_twice_the_width(name, world):
    """Each true atom has its own, and fresh rows are explained with about k codes; chance atoms do neither."""
    x, fresh, true = world
    settings = {"atoms": 96, "k": 3, "cells": 100_000, "batch": 256, "lr": 5e-3, "dead_after": 10_000}
    found = dictionaries.get(name)(**settings, device="cpu").fit([x])
    codes = found.encode(fresh)
    assert mean_cosine(found.atoms, true) > FLOORS[name]
    assert (true @ found.atoms.T).max(axis=1).mean() > FLOORS[name]
    assert l0(codes) == pytest.approx(3, rel=0.1)
    assert fvu(fresh, found.decode(codes)) < (0.2 if name == "matryoshka" else 0.1)
    twin = found.random(fresh.mean(axis=0))
    assert mean_cosine(twin.atoms, true) < 0.6 < fvu(fresh, twin.decode(twin.encode(fresh))) + 0.2


def test_hierarchical_serves_smaller_numbers_of_codes(world):
    """With one code of three it explains fresh rows better than TopK does that learned with three."""
    x, fresh, _ = world
    settings = {"atoms": 48, "k": 3, "cells": 30_000, "batch": 256, "lr": 5e-3, "device": "cpu"}
    left = {}
    for name in ("topk", "hierarchical"):
        found = dictionaries.get(name)(**settings).fit([x])
        codes = found.encode(fresh)
        codes[codes < codes.max(axis=1, keepdims=True)] = 0
        left[name] = fvu(fresh, found.decode(codes))
    assert left["hierarchical"] < left["topk"]


def test_matryoshka_puts_what_is_general_first(world):
    """Its first eighth of atoms explains fresh rows better than that of BatchTopK."""
    x, fresh, _ = world
    left = {}
    for name in ("batchtopk", "matryoshka"):
        settings = {"atoms": 48, "k": 3, "cells": 30_000, "batch": 256, "lr": 5e-3, "device": "cpu"}
        found = dictionaries.get(name)(**settings).fit([x])
        codes = found.encode(fresh)
        codes[:, 6:] = 0
        left[name] = fvu(fresh, found.decode(codes))
    assert left["matryoshka"] < left["batchtopk"]


@pytest.mark.parametrize(("aux", "moved"), [(0.0, False), (1 / 32, True)])
def test_only_auxk_reaches_dead_atoms(aux, moved):
    """Atoms that no row picks get no gradient from the reconstruction; AuxK lets them explain what is left."""
    settings = TopKSettings(atoms=20, k=1, aux=aux, dead_after=100, device="cpu")
    noise = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    coder = TopK(settings).coder(start_of(noise, noise, settings, True))
    trainer = Trainer(coder, settings)
    with torch.no_grad():
        coder.encoder[10:] *= 1e-3
        trainer._silent[10:] = 100
    before = coder.atoms.detach().clone()
    trainer.step(*[before[:10].repeat(4, 1) + 0.1 * noise] * 2)
    after = coder.atoms.detach()
    assert not torch.allclose(after[:10], before[:10])
    assert (not torch.allclose(after[10:], before[10:])) is moved


@pytest.mark.parametrize("help_", [{"resample": 6000}, {"aux": 1 / 32}])
def test_atoms_that_died_come_back_with_help(help_):
    """Where three quarters of all atoms are hardly ever active, resampling and AuxK put them to use, and it pays."""
    rows = torch.from_numpy(planted(30_000)[0])
    used, left = [], []
    for more in ({}, help_):
        settings = replace(TopKSettings(**QUICK), atoms=64, cells=30_000, batch=200, dead_after=2000, aux=0.0)
        settings = replace(settings, lr=5e-3, **more)
        coder = TopK(settings).coder(start_of(rows, rows, settings, True))
        trainer = Trainer(coder, settings)
        with torch.no_grad():
            coder.encoder[16:] *= 0.01
        told = {}
        for start in range(0, 30_000, 200):
            told = trainer.step(*[rows[start:][:200]] * 2)
        used.append(64 - int(told["dead"]))
        left.append(float(told["fvu"]))
    assert used[0] < 0.6 * used[1]
    assert left[1] < 0.8 * left[0]


@pytest.mark.parametrize("name", METHODS)
def test_training_that_stopped_goes_on_as_if_it_had_not(name, tmp_path):
    """After a stop between two checkpoints, weights and log are those of a run that was not stopped, bit by bit."""
    settings = {**QUICK, "ema": 0.9, "resample": 800, "dead_after": 300, "schedule": "cosine"}

    class Stop(Exception):
        """The power went."""

    def until(rows):
        for start in range(0, 5 * rows, 250):
            if start >= rows:
                raise Stop
            yield ROWS[start % 1500 : start % 1500 + 250]

    whole = dictionaries.get(name)(**settings).fit([ROWS], keep=tmp_path / "whole", every=700)
    with pytest.raises(Stop):
        dictionaries.get(name)(**settings).fit(until(2000), keep=tmp_path / "cut", every=700)
    again = dictionaries.get(name)(**settings).fit([ROWS], keep=tmp_path / "cut", every=700)
    assert all((again.weights[part] == whole.weights[part]).all() for part in whole.weights)
    logs = [(tmp_path / place / "training.jsonl").read_text() for place in ("whole", "cut")]
    assert logs[0] == logs[1]
    assert [json.loads(line)["seen"] for line in logs[0].splitlines()] == list(range(100, 3001, 100))


def test_checkpoints_of_something_else_are_refused(tmp_path):
    """Other settings, other rows, half a file: one line each, and nothing is overwritten."""
    TopK(**QUICK).fit([ROWS], keep=tmp_path)
    with pytest.raises(InputError, match="k 3, not 2"):
        TopK(**{**QUICK, "k": 2}).fit([ROWS], keep=tmp_path)
    with pytest.raises(InputError, match="first rows"):
        TopK(**QUICK).fit([ROWS + 1], keep=tmp_path)
    place = tmp_path / "checkpoint.pt"
    place.write_bytes(place.read_bytes()[:500])
    with pytest.raises(StoreError, match="remove it to begin anew"):
        TopK(**QUICK).fit([ROWS], keep=tmp_path)


def test_the_log_goes_wherever_it_is_wanted(tmp_path, monkeypatch):
    """To a tracker of one's own, line by line, which changes neither weights nor what a checkpoint fits to."""
    told = []

    class Mine:
        """Remembers."""

        def __init__(self, folder, name, settings):
            told.append((folder, name, settings["atoms"]))

        def log(self, numbers, seen):
            told.append({"seen": seen} | dict(numbers))

        def close(self):
            told.append("closed")

    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(Mine=Mine))
    plain = TopK(**QUICK).fit([ROWS])
    found = TopK(**QUICK, track="mine:Mine").fit([ROWS], tmp_path)
    assert (found.atoms == plain.atoms).all()
    lines = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert told == [(tmp_path, "topk", 12), *lines, "closed"] and len(lines) == 30
    TopK(**QUICK).fit([ROWS], tmp_path)
    with pytest.raises(UnknownName, match="tensorboard"):
        TopK(**QUICK, track="tensorbord").fit([ROWS])
    with pytest.raises(InputError, match=r"package\.module:maker"):
        TopK(**QUICK, track="mine:Yours").fit([ROWS])
    with pytest.raises(InputError, match="with keep"):
        TopK(**QUICK, track="tensorboard").fit([ROWS])


def test_training_that_goes_astray_says_so(tmp_path):
    """In one line, without a checkpoint of it."""
    with pytest.raises(InputError, match="no longer finite; lower lr"):
        TopK(**{**QUICK, "lr": 1e30, "clip": 0.0}).fit([ROWS * 1e3], tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_loud_values_are_cut_in_training_only():
    """A few cells a thousand times as loud spoil a dictionary; cut, they do not; all are reconstructed as they are."""
    loud = ROWS.copy()
    loud[::100] *= 1000
    settings = {**QUICK, "atoms": 96, "cells": 15_000, "lr": 5e-3, "normaliser": "mean"}
    left = []
    for cut in (0.0, 0.1):
        found = TopK(**settings, cut=cut).fit([loud])
        left.append(fvu(ROWS, found.reconstruct(ROWS)))
    assert left[1] < 0.7 * left[0]
    with pytest.raises(InputError, match="cut must not be negative"):
        TopK(cut=-1.0)


def test_several_learn_from_one_stream_as_each_alone(tmp_path):
    """Of other methods, sizes and lengths of training."""

    def fresh() -> list[Autoencoder]:
        return [
            dictionaries.get(name)(**{**QUICK, **more})
            for name, more in (("topk", {}), ("gated", {"atoms": 20}), ("topk", {"cells": 950, "normaliser": "whiten"}))
        ]

    together, alone = fresh(), [one.fit([ROWS]) for one in fresh()]
    reads = []

    class Counted:
        """Rows that know how often they were read."""

        def __iter__(self):
            reads.append(1)
            return iter([ROWS])

    fit_together(together, Counted(), tmp_path)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["0-topk", "1-gated", "2-topk"]
    assert len(reads) == 2
    for one, other in zip(together, alone, strict=True):
        assert all((one.weights[part] == other.weights[part]).all() for part in one.weights)
    with pytest.raises(InputError, match="one batch size"):
        fit_together([TopK(**QUICK), TopK(**{**QUICK, "batch": 50})], [ROWS])
    for wrong, words in (([], "give the dictionaries"), ([PCA()], "only autoencoders")):
        with pytest.raises(InputError, match=words):
            fit_together(wrong, [ROWS])


def test_the_running_average_is_the_average():
    """With a decay close to 1, the mean of the weights after each step."""
    settings = TopKSettings(**QUICK, ema=1 - 1e-7)
    x = torch.from_numpy(ROWS)
    trainer = Trainer(TopK(settings).coder(start_of(x, x, settings, True)), settings)
    steps = []
    for start in range(0, 1000, 100):
        trainer.step(*[x[start : start + 100]] * 2)
        steps.append(trainer.coder.encoder.detach().clone())
    assert torch.allclose(trainer.finish().encoder, torch.stack(steps).mean(dim=0), atol=1e-5)


def test_gradients_are_clipped_and_atoms_stay_on_the_sphere():
    """No step sees a longer gradient than `clip`, and none of it points along an atom."""
    settings = TopKSettings(**QUICK, clip=1e-3)
    x = torch.from_numpy(ROWS)
    trainer = Trainer(TopK(settings).coder(start_of(x, x, settings, True)), settings)
    told = trainer.step(x[:100], x[:100])
    grads = [weight.grad for weight in trainer.coder.parameters()]
    assert float(told["gradient"]) > 1e-3
    assert float(torch.cat([grad.flatten() for grad in grads if grad is not None]).norm()) < 1.001e-3
    coder, rows = coder_of("topk")
    coder.tidy()
    coder(rows, rows, torch.tensor([], dtype=torch.int64)).loss.backward()
    coder.untangle()
    assert float((coder.atoms.grad * coder.atoms.detach()).sum(dim=1).abs().max()) < 1e-12
    assert torch.allclose(trainer.coder.atoms.norm(dim=1), torch.ones(12))


SHAPES = [("constant", 1, 1), ("linear", 0.55, 0.1), ("cosine", 0.55, 0.1), ("trapezoid", 1, 0.1)]


@pytest.mark.parametrize(("schedule", "half", "end"), SHAPES)
def test_schedules(schedule, half, end):
    """Warm-up from nearly nothing, then each in its shape."""
    settings = replace(TopKSettings(**QUICK), cells=100_000, schedule=schedule, warmup=0.1)
    x = torch.from_numpy(ROWS)
    trainer = Trainer(TopK(settings).coder(start_of(x, x, settings, True)), settings)
    found = []
    for trainer.seen in (0, 5000, 55_000, 100_000):
        found.append(trainer.share())
    assert found == pytest.approx([0.01, 0.51, half, end], abs=0.001)


def test_the_geometric_median_is_one():
    """No point near it has a smaller sum of distances, and outliers do not move it far."""
    rows = torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows[:50] += 100
    found = geometric_median(rows)
    near = found + 1e-3 * torch.randn(200, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert float((rows - found).norm(dim=1).sum()) <= float((rows[:, None] - near).norm(dim=2).sum(dim=0).min())
    assert float(found.norm()) < 0.5 < float(rows.mean(dim=0).norm())


def test_half_precision_finds_the_same_atoms(world):
    """bf16 in the encoder's product, fp32 in the weights: as good to a hundredth."""
    x, fresh, _ = world
    settings = {"atoms": 96, "k": 3, "cells": 30_000, "batch": 256, "lr": 5e-3, "device": "cpu"}
    left = []
    for precision in ("fp32", "bf16"):
        found = TopK(**settings, precision=precision).fit([x])
        assert found.atoms.dtype == np.float32
        left.append(fvu(fresh, found.decode(found.encode(fresh))))
    assert left[1] == pytest.approx(left[0], abs=0.02)


def test_starts_other_than_chance(world):
    """Atoms from rows and a median bias learn as well."""
    x, fresh, true = world
    settings = {"atoms": 96, "k": 3, "cells": 30_000, "batch": 256, "lr": 5e-3, "device": "cpu"}
    found = TopK(**settings, start="data", centre="median").fit([x])
    assert fvu(fresh, found.decode(found.encode(fresh))) < 0.2
    assert mean_cosine(found.atoms, true) > 0.9
