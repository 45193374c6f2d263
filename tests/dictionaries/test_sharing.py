"""A batch in parts, one after the other or in several processes, teaches what it teaches whole."""

import os
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed

from denoscope.core.registry import dictionaries
from denoscope.dictionaries._training.sharing import Share, share_of
from denoscope.dictionaries._training.starting import start_of
from denoscope.dictionaries._training.trainer import Trainer
from denoscope.dictionaries.topk import TopK

SHARED = ("topk", "batchtopk", "jumprelu", "gated")
CHANNELS, ROWS, STEPS = 10, 41, 6


def rows() -> torch.Tensor:
    """In double precision, so that the order of additions does not count."""
    return torch.randn(STEPS * ROWS, CHANNELS, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def trained(name: str, share: Share | None = None, **settings) -> dict[str, torch.Tensor]:
    """Weights after some steps, of rows of which this process sees its part; atoms die and are started again."""
    x, share = rows(), share or Share()
    told = {"atoms": 30, "k": 2, "cells": len(x), "batch": ROWS, "dead_after": 50, "lr": 5e-3, "device": "cpu"}
    made = dictionaries.get(name)(**told | {"resample": 3 * ROWS, "ema": 0.5} | settings)
    trainer = Trainer(made.coder(start_of(x, x, made.settings, True)).double(), made.settings, share)
    for start in range(0, len(x), ROWS):
        part = x[start : start + ROWS][share.slice(ROWS)]
        trainer.step(part, part, torch.arange(ROWS).double()[share.slice(ROWS)])
    state = trainer.state()
    return state["coder"] | {"silent": state["silent"]}


def work(rank: int, place: Path) -> None:
    """What each of two processes does, as `accelerate launch` starts them."""
    torch.set_num_threads(1)
    told = {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1"}
    os.environ |= told | {"MASTER_PORT": (place / "port").read_text()}
    share = share_of("cpu")
    torch.save({name: trained(name, share) for name in SHARED}, place / f"{rank}.pt")
    x = rows().float().numpy()
    made = TopK(atoms=30, k=2, cells=len(x), batch=ROWS, device="cpu").fit([x], place / "kept", every=100)
    np.save(place / f"atoms{rank}.npy", made.atoms)
    distributed.destroy_process_group()


@pytest.mark.skipif(not distributed.is_available() or not distributed.is_gloo_available(), reason="needs gloo")
def test_two_processes_give_the_weights_of_one(tmp_path):
    """To 1e-6, dead atoms and new starts with them; the first process alone keeps log and checkpoint."""
    server = distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    port = server.port
    del server
    (tmp_path / "port").write_text(str(port))
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch._dynamo", "denoscope.dictionaries._training.loop", "accelerate"])
    started = [context.Process(target=work, args=(rank, tmp_path)) for rank in range(2)]
    for one in started:
        one.start()
    for one in started:
        one.join(120)
        one.kill()
        one.join()
    assert [one.exitcode for one in started] == [0, 0]
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    for name in SHARED:
        alone = trained(name)
        for part in alone:
            assert torch.equal(found[0][name][part], found[1][name][part]), (name, part)
            assert torch.allclose(found[0][name][part], alone[part], rtol=1e-6, atol=1e-6), (name, part)
    x = rows().float().numpy()
    whole = TopK(atoms=30, k=2, cells=len(x), batch=ROWS, device="cpu").fit([x], tmp_path / "alone", every=100)
    assert np.load(tmp_path / "atoms0.npy") == pytest.approx(whole.atoms, abs=1e-3)
    logs = [(tmp_path / place / "training.jsonl").read_text().splitlines() for place in ("kept", "alone")]
    assert len(logs[0]) == len(logs[1]) == STEPS


@pytest.mark.parametrize("name", ["topk", "hierarchical", "temporal"])
def test_parts_of_a_batch_add_up(name):
    """Where codes are chosen row by row, gradients of four parts are those of the batch; without AuxK, exactly."""
    whole, parts = trained(name, aux=0.0), trained(name, aux=0.0, accumulate=4)
    assert all(torch.allclose(whole[part], parts[part], rtol=1e-6, atol=1e-9) for part in whole)


@pytest.mark.parametrize("name", SHARED)
def test_parts_of_a_batch_are_nearly_the_batch(name):
    """Where codes are chosen over the batch, or dead atoms explain what is left, weights stay close."""
    whole, parts, other = trained(name), trained(name, accumulate=4), trained(name, seed=1)
    gap, far = (float((whole["encoder"] - one["encoder"]).norm()) for one in (parts, other))
    assert gap < 0.3 * far
