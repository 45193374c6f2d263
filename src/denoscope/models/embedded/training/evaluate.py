"""The evaluation of a trained embedded model: every figure with n, a 95 % interval and one value per seed."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from denoscope.models.embedded.training import generation, matching, oracle, probing, prompting, sites
from denoscope.models.embedded.training.intervals import Figure, mean_figure, proportion, ratio_figure
from denoscope.models.embedded.training.latents import encode, to_pixels
from denoscope.models.embedded.training.networks import Networks

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Sizes of the evaluation."""

    seeds: tuple[int, ...] = (101, 102, 103, 104)
    """seeds of test scenes, noise, splits and pairs"""
    prompts: int = 10
    """generated pictures per category and seed"""
    guidance: float = 4.0
    """classifier-free guidance, chosen on other prompts"""
    steps: int = 20
    """DDIM steps; the U-Net samples in bf16"""
    scenes: int = 700
    """scenes per seed for probes and pairs"""
    pairs: int = 400
    """keypoint pairs per seed"""
    timestep: int = 50
    """noise level of the readings"""
    prompt_scenes: int = 48
    """scenes per seed for the prompt's worth"""
    prompt_timesteps: tuple[int, ...] = (50, 200, 400, 600, 800, 980)
    """noise levels of the prompt's worth"""
    judge: oracle.OracleRun = field(default_factory=oracle.OracleRun)
    """training of the classifier that judges generated pictures"""


Figures = dict[str, Figure]


def trained_judge(of: Evaluation, folder: Path) -> oracle.Oracle:
    """The classifier, trained on renderings of training scenes; kept in `judge.pt` of the folder."""
    kept = folder / "judge.pt"
    if kept.exists():
        judge = oracle.Oracle()
        judge.load_state_dict(torch.load(kept, weights_only=True))
        return judge.eval()
    images, scenes = oracle.single_object_scenes("train", of.judge.size, of.judge.scenes, of.judge.seed + 77)
    judge = oracle.train_oracle(of.judge, images, oracle.labels(scenes))
    torch.save(judge.state_dict(), kept)
    return judge


def judge_figures(judge: oracle.Oracle, networks: Networks, of: Evaluation) -> Figures:
    """The judge on held-out renderings and on their reconstructions: the ceilings; and the reconstruction's PSNR."""
    right: dict[str, list[NDArray[np.bool_]]] = {}
    psnr: list[NDArray[np.float64]] = []
    for seed in of.seeds:
        images, scenes = oracle.single_object_scenes("test", of.judge.size, 12 * of.prompts, seed)
        pixels, truth = to_pixels(images), oracle.labels(scenes)
        again = torch.cat(
            [generation.decode(networks, encode(networks.vae, images[i : i + 16])) for i in range(0, len(images), 16)]
        )
        psnr.append((10 * torch.log10(4 / (again - pixels).square().mean((1, 2, 3)))).double().numpy())
        for source, x in (("renderings", pixels), ("reconstructions", again)):
            for factor, hit in oracle.score(judge, x, truth).items():
                right.setdefault(f"judge/{source}/{factor}", []).append(hit.numpy())
    figures = {name: proportion(parts) for name, parts in right.items()}
    return figures | {f"vae/psnr@{of.judge.size}px": mean_figure(psnr, "dB")}


def generation_figures(judge: oracle.Oracle, networks: Networks, of: Evaluation) -> Figures:
    """How often generated pictures show the asked-for factors."""
    networks = networks._replace(unet=copy.deepcopy(networks.unet).to(torch.bfloat16))
    right: dict[str, list[NDArray[np.bool_]]] = {}
    for seed in of.seeds:
        prompts, scenes = generation.balanced_prompts(of.prompts, seed)
        cells = of.judge.size // 4
        pixels = generation.generate(networks, prompts, seed, of.guidance, of.steps, cells)
        truth = oracle.labels(scenes)
        for factor, hit in oracle.score(judge, pixels, truth).items():
            right.setdefault(f"generated/{factor}", []).append(hit.numpy())
        for name in sorted({s.things[0].category for s in scenes}):
            of_name = np.array([s.things[0].category == name for s in scenes])
            hit = oracle.score(judge, pixels, truth)["category"].numpy()[of_name]
            right.setdefault(f"generated/category/{name}", []).append(hit)
    return {name: proportion(parts) for name, parts in right.items()}


def reading_figures(trained: Networks, control: Callable[[int], Networks], of: Evaluation) -> Figures:
    """Masked-category probes and keypoint correspondence at every block, trained and random-init, with baselines."""
    probes: dict[str, list[NDArray[np.bool_]]] = {}
    points: dict[str, list[NDArray[np.bool_]]] = {}
    for seed in of.seeds:
        scenes = sites.draw_scenes(trained, of.scenes, seed, of.judge.size)
        pairs = matching.draw_pairs(scenes, of.pairs, seed)
        classes = [str(f["category"]) for f in scenes.facts]
        for owner, networks in (("trained", trained), ("random-init", control(seed))):
            for block, grid in sites.block_grids(networks, scenes, of.timestep, seed).items():
                key = f"{owner}/{block}"
                probes.setdefault(key, []).append(probing.probe(probing.masked_means(grid, scenes), classes, seed))
                guesses = matching.by_features(grid, pairs, of.judge.size)
                _add_points(points, key, pairs, matching.hits(pairs, guesses))
        for key, grid in (("latents", scenes.latents), ("pixels", sites.patches(scenes))):
            probes.setdefault(key, []).append(probing.probe(probing.masked_means(grid, scenes), classes, seed))
            _add_points(points, key, pairs, matching.hits(pairs, matching.by_features(grid, pairs, of.judge.size)))
        _add_points(points, "same position", pairs, matching.hits(pairs, matching.same_position(pairs)))
        _add_points(points, "box-relative", pairs, matching.hits(pairs, matching.box_relative(pairs, scenes)))
    figures = {f"masked category/{name}": proportion(parts) for name, parts in probes.items()}
    return figures | {f"PCK@0.1/{name}": proportion(parts) for name, parts in points.items()}


def _add_points(
    points: dict[str, list[NDArray[np.bool_]]], key: str, pairs: list[matching.Pair], hit: NDArray[np.bool_]
) -> None:
    mirrored = np.array([p.mirrored for p in pairs])
    for name, rows in (("", np.ones_like(mirrored)), (" (same way)", ~mirrored), (" (opposite)", mirrored)):
        points.setdefault(key + name, []).append(hit[rows])


def prompt_figures(networks: Networks, of: Evaluation) -> Figures:
    """Relative gain of the true caption over the empty one, and how often it beats a wrong one, by timestep."""
    drawn = [(seed, sites.draw_scenes(networks, of.prompt_scenes, seed + 500, of.judge.size)) for seed in of.seeds]
    figures: Figures = {}
    for t in of.prompt_timesteps:
        errors = [prompting.prompt_errors(networks, scenes, t, seed) for seed, scenes in drawn]
        figures[f"prompt gain/t={t}"] = ratio_figure([(e[0] - e[1], e[0]) for e in errors])
        figures[f"true beats wrong/t={t}"] = proportion([e[1] < e[2] for e in errors])
    return figures


def evaluate(trained: Networks, control: Callable[[int], Networks], of: Evaluation, folder: Path) -> dict[str, Any]:
    """All figures; an uncurated sheet of generated pictures is left in `folder`."""
    from PIL import Image

    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    judge = trained_judge(of, folder)
    figures = judge_figures(judge, trained, of) | generation_figures(judge, trained, of)
    figures |= reading_figures(trained, control, of) | prompt_figures(trained, of)
    prompts, _ = generation.balanced_prompts(4, of.seeds[0] + 1000)
    pixels = generation.generate(trained, prompts, of.seeds[0], of.guidance, of.steps, of.judge.size // 4)
    Image.fromarray(generation.sheet(generation.to_images(pixels))).save(folder / "samples.png")
    return {name: figure.as_dict() for name, figure in figures.items()} | {"seconds": time.monotonic() - began}
