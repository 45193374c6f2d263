"""Masked-category probe: which thing is under the mask, read linearly from a block's mean over the mask."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from denoscope.models.embedded.training.sites import Scenes

__all__ = ["masked_means", "probe"]


def masked_means(grid: Tensor, scenes: Scenes) -> NDArray[np.float32]:
    """Mean of each grid (N, C, h, w) over its main object's mask, averaged down to the grid's cells: (N, C)."""
    masks = torch.from_numpy(np.stack([np.asarray(f["mask"]) == 1 for f in scenes.facts])).float()
    weight = F.adaptive_avg_pool2d(masks[:, None], grid.shape[-2:])
    total = weight.sum((2, 3)).clamp_min(1e-6)
    return ((grid * weight).sum((2, 3)) / total).numpy()


def probe(features: NDArray[np.float32], classes: list[str], seed: int, held_out: float = 0.3) -> NDArray[np.bool_]:
    """Which of the held-out scenes a standardised logistic regression names rightly."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    order = np.random.default_rng(seed).permutation(len(features))
    test, train = np.split(order, [int(held_out * len(order))])
    names = np.asarray(classes)
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=300))
    model.fit(features[train], names[train])
    return model.predict(features[test]) == names[test]
