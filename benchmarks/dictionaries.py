"""Training speed of autoencoders beside the recipes of other packages: same rows, weights' size, dtype, k, in one run.

Run: python benchmarks/dictionaries.py --methods all --out benchmarks/results/dictionaries-cpu.json (some minutes)
     python benchmarks/dictionaries.py --device cuda --out benchmarks/results/dictionaries-cuda.json
     python benchmarks/dictionaries.py --tiny (seconds)
Every contestant takes one step on the same batch in each round, and ratios are taken within rounds. The others are the
packages themselves where they are installed (`pip install -e ".[oracles]"`), and their recipe in plain torch otherwise.
`floor` is the product with the encoder alone, which no exact method can go without.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from contenders.training import lines
from torch import Tensor

import denoscope as ds
from denoscope.core.registry import dictionaries
from denoscope.dictionaries._training.starting import start_of
from denoscope.dictionaries._training.trainer import Trainer

Step = Callable[[Tensor], Any]
OURS = ("topk", "batchtopk", "jumprelu", "gated", "matryoshka", "hierarchical")


@dataclass(frozen=True)
class Size:
    """Of the problem."""

    channels: int = 1280
    """Width of a row."""
    atoms: int = 20_480
    """Directions: 16 times as many."""
    k: int = 32
    """Codes per row."""
    batch: int = 4096
    """Rows per step."""
    rounds: int = 3
    """Steps of each contestant that are timed, after one that is not."""


def rows_of(size: Size, count: int, device: str) -> list[Tensor]:
    """Batches of sparse sums of directions, with a little noise, of mean squared length 1."""
    chance = torch.Generator().manual_seed(0)
    true = torch.randn(2 * size.channels, size.channels, generator=chance) / size.channels**0.5
    made = []
    for _ in range(count):
        codes = (torch.rand(size.batch, len(true), generator=chance) < size.k / len(true)).float()
        noise = torch.randn(size.batch, size.channels, generator=chance) / size.channels**0.5
        made.append((codes @ true / size.k**0.5 + 0.1 * noise).to(device))
    return made


def ours(name: str, size: Size, x: Tensor, precision: str = "fp32") -> Step:
    """A method of denoscope."""
    told = {"atoms": size.atoms, "k": size.k, "batch": size.batch, "cells": 10**9, "device": str(x.device)}
    made = dictionaries.get(name)(**told, precision=precision, warmup=0.0, schedule="constant")
    trainer = Trainer(made.coder(start_of(x, x, made.settings, True)), made.settings)
    return lambda rows: trainer.step(rows, rows)


def floor(size: Size, x: Tensor, precision: str = "fp32") -> Step:
    """The encoder's product."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    weights = torch.randn(size.atoms, size.channels, device=x.device).to(kind)
    return lambda rows: rows.to(kind) @ weights.T


class Dense(torch.nn.Module):
    """A TopK autoencoder in plain torch, as most packages write it."""

    def __init__(self, size: Size, device: torch.device) -> None:
        super().__init__()
        weights = torch.nn.functional.normalize(torch.randn(size.atoms, size.channels, device=device), dim=1)
        self.encoder, self.atoms = torch.nn.Parameter(weights.clone()), torch.nn.Parameter(weights.clone())
        self.bias = torch.nn.Parameter(torch.zeros(size.channels, device=device))
        self.encoder_bias = torch.nn.Parameter(torch.zeros(size.atoms, device=device))
        self.k = size.k

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruction by matrix products."""
        before = ((x - self.bias) @ self.encoder.T + self.encoder_bias).relu()
        values, where = before.topk(self.k, dim=1, sorted=False)
        return torch.zeros_like(before).scatter(1, where, values) @ self.atoms + self.bias


def plain(size: Size, x: Tensor, unit: bool) -> Step:
    """Dense products, Adam, clip; with `unit`, atoms of length one and no gradient along them."""
    model = Dense(size, x.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-4)

    def step(rows: Tensor) -> None:
        optimiser.zero_grad()
        (rows - model(rows)).square().sum(dim=1).mean().backward()
        with torch.no_grad():
            if unit and model.atoms.grad is not None:
                model.atoms.grad -= (model.atoms.grad * model.atoms).sum(dim=1, keepdim=True) * model.atoms
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            if unit:
                model.atoms /= model.atoms.norm(dim=1, keepdim=True)

    return step


def saelens(size: Size, x: Tensor) -> Step:
    """SAELens' TopK training step: dense products, Adam, clip 1."""
    if find_spec("sae_lens") is None:
        return plain(size, x, unit=False)
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.saes.sae import TrainStepInput

    told = {"d_in": size.channels, "d_sae": size.atoms, "k": size.k, "device": str(x.device)}
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(**told))
    optimiser = torch.optim.Adam(sae.parameters(), lr=3e-4)

    def step(rows: Tensor) -> None:
        given = {"sae_in": rows, "coefficients": {}, "dead_neuron_mask": None, "n_training_steps": 0}
        made = sae.training_forward_pass(TrainStepInput(**given, is_logging_step=False))
        made.loss.backward()
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return step


def dictionary_learning(size: Size, x: Tensor) -> Step:
    """dictionary_learning's TopK trainer, after its first step."""
    if find_spec("dictionary_learning") is None:
        return plain(size, x, unit=True)
    from dictionary_learning.trainers import TopKTrainer

    told = {"activation_dim": size.channels, "dict_size": size.atoms, "k": size.k, "device": str(x.device)}
    trainer = TopKTrainer(steps=10**6, layer=0, lm_name="", **told)
    return lambda rows: trainer.update(1, rows)


def sparsify(size: Size, x: Tensor) -> Step:
    """sparsify's coder, whose encoder has a sparse backward pass, with its default optimiser."""
    if find_spec("sparsify") is None:
        return _sparsify_plain(size, x)
    os.environ.setdefault("SPARSIFY_DISABLE_TRITON", "0" if x.is_cuda else "1")
    from schedulefree import ScheduleFreeWrapper
    from sparsify import SparseCoder, SparseCoderConfig
    from sparsify.sign_sgd import SignSGD

    told = SparseCoderConfig(num_latents=size.atoms, k=size.k)
    coder = SparseCoder(size.channels, told, device=x.device, dtype=torch.float32)
    optimiser = ScheduleFreeWrapper(SignSGD(coder.parameters(), lr=5e-3 / (size.atoms / 2**14) ** 0.5), momentum=0.95)
    optimiser.train()

    def step(rows: Tensor) -> None:
        coder.set_decoder_norm_to_unit_norm()
        coder(rows).fvu.backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        torch.nn.utils.clip_grad_norm_(coder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return step


def _sparsify_plain(size: Size, x: Tensor) -> Step:
    """The same recipe: products of the active atoms alone, gradients of the encoder row by row, signs of gradients."""
    model = Dense(size, x.device)

    def step(rows: Tensor) -> None:
        before = torch.relu((rows - model.bias.detach()) @ model.encoder.detach().T + model.encoder_bias.detach())
        values, where = before.topk(size.k, dim=1, sorted=False)
        values.requires_grad_()
        bag = torch.nn.functional.embedding_bag(where, model.atoms, per_sample_weights=values, mode="sum")
        ((rows - bag - model.bias).square().sum() / (rows - rows.mean(dim=0)).square().sum()).backward()
        assert values.grad is not None
        each = (values.grad[:, :, None] * (rows - model.bias.detach())[:, None]).flatten(0, 1)
        model.encoder.grad = torch.zeros_like(model.encoder).index_add_(0, where.flatten(), each)
        with torch.no_grad():
            for weight in (model.encoder, model.atoms, model.bias):
                if weight.grad is not None:
                    weight -= 1e-4 * weight.grad.sign()
                weight.grad = None
            model.atoms /= model.atoms.norm(dim=1, keepdim=True)

    return step


def timed(steps: dict[str, Step], batches: list[Tensor], rounds: int) -> dict[str, list[float]]:
    """Seconds of each in each round, by turns; the first round does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            _wait(batches[0])
            began = time.perf_counter()
            step(batches[turn % len(batches)])
            _wait(batches[0])
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def _wait(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize()


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--tiny", action="store_true", help="a size that shows that it runs")
    ask.add_argument("--device", default="cpu")
    ask.add_argument("--methods", nargs="+", default=["topk"], help=f"of denoscope: {', '.join(OURS)}, or all")
    ask.add_argument("--only", nargs="+", default=[], help="contestants by name; all unless given")
    for name, usual in Size.__dataclass_fields__.items():
        ask.add_argument(f"--{name}", type=int, default=usual.default)
    ask.add_argument("--out", type=Path)
    told = ask.parse_args()
    asked = {name: getattr(told, name) for name in Size.__dataclass_fields__}
    size = Size(64, 512, 8, 256, 2) if told.tiny else Size(**asked)
    batches = rows_of(size, 2, told.device)
    steps = contestants(size, batches[0], OURS if told.methods == ["all"] else told.methods, told.only)
    seconds = timed(steps, batches, size.rounds)
    report(size, seconds, told)


def contestants(size: Size, x: Tensor, methods: Any, only: list[str]) -> dict[str, Step]:
    """Those that take part, by name."""
    makers: dict[str, Callable[[], Step]] = {"floor": lambda: floor(size, x)}
    makers |= {f"denoscope {name}": lambda name=name: ours(name, size, x) for name in methods}
    if x.is_cuda:
        makers |= {
            "floor bf16": lambda: floor(size, x, "bf16"),
            "denoscope topk bf16": lambda: ours("topk", size, x, "bf16"),
        }
    others = {"sae_lens": saelens, "dictionary_learning": dictionary_learning, "sparsify": sparsify}
    for name, maker in others.items():
        shown = f"{name} {'package' if find_spec(name) else 'recipe'}"
        makers[shown] = lambda maker=maker: maker(size, x)
    return {name: make() for name, make in makers.items() if not only or any(word in name for word in only)}


def report(size: Size, seconds: dict[str, list[float]], told: argparse.Namespace) -> None:
    """A line each, and a file."""
    device = torch.cuda.get_device_name() if told.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    versions = {name: _version(name) for name in ("torch", "sae-lens", "dictionary-learning", "eai-sparsify")}
    found = {
        "size": asdict(size),
        "device": f"{device} ({_processor()})",
        "versions": {"denoscope": ds.__version__, **versions},
        "seconds": seconds,
    }
    print("\n".join(lines(found)))
    if told.out:
        told.out.parent.mkdir(parents=True, exist_ok=True)
        told.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    names = [line for line in told.read_text().splitlines() if "model name" in line] if told.exists() else []
    return names[0].split(":")[1].strip() if names else platform.machine()


if __name__ == "__main__":
    main()
