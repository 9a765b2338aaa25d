"""GANs for the tests, and what their players say before anything moves."""

from typing import Any

import numpy as np
import torch
from objective_kit import DIRECT, SGD, UNET, model_of

from photochrom.color.batch import Batch
from photochrom.objectives import build_task
from photochrom.objectives.adversarial.task import Adversarial

LAMBDA = 7.0
JUDGES: dict[str, dict[str, Any]] = {
    "patchgan": {"kind": "patchgan", "width": 4, "layers": 2, "init": "default"},
    "dcgan": {"kind": "dcgan", "width": 4, "layers": 2, "init": "default"},
}


def gan(
    loss: str = "bce", judge: str = "patchgan", network: dict[str, Any] = UNET, **changes: Any
) -> Adversarial:
    torch.manual_seed(0)
    objective = {
        "kind": "adversarial",
        "loss": loss,
        "pixel_loss": "l1",
        "pixel_weight": LAMBDA,
        "pretraining_epochs": 0,
        "discriminator": JUDGES[judge],
        "discriminator_optimizer": SGD,
        **changes,
    }
    task = build_task(model_of(objective, network, DIRECT))
    assert isinstance(task, Adversarial)
    return task


def judged(task: Adversarial, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the scores of real and of fake, and the fake itself, in the mode of training."""
    with torch.no_grad():
        fake = task.network(batch.lightness)
        real = batch.ab / 110.0
        scores = [task.discriminator(torch.cat((batch.lightness, ab), 1)) for ab in (real, fake)]
    return scores[0].double().numpy(), scores[1].double().numpy(), fake.double().numpy()
