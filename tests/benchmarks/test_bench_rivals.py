"""What is compared does the same work: the floors and rivals are held against the project."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors

import group_data
import group_encoding
from jpegs import write_jpegs
from photochrom.color.bins import gamut313
from photochrom.color.lab import decode_lab
from photochrom.data.measuring import measure
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy
from photochrom.params import load_params
from plain_loop import DECODED, KINDS, Apart, Photographs, PlainLoop
from scratch_project import of_folder
from trainings import bare_step, fresh_task, ready_batch, stored_batch

ROOT = Path(__file__).parents[2]
PARAMS = load_params(ROOT / "params.yaml")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jpegs")
    write_jpegs(folder, {"train": 4, "validation": 1, "test": 1}, None)
    return folder


def test_codes_are_those_of_scikit_learn() -> None:
    found = NearestNeighbors(n_neighbors=5, algorithm="ball_tree")
    found.fit(gamut313().centers.numpy())
    ab = 10.0 * torch.randint(-3, 4, (1, 2, 8, 8), generator=torch.Generator().manual_seed(0))
    # From here the fifth bin is nearer than the sixth, so that the choice is plain.
    ab += torch.tensor([3.0, 1.0])[:, None, None]
    target = group_encoding._dense_target(found, ab)
    indices, shares = group_encoding._encode(ab, *gamut313().lookup(5, 5.0))
    ours = np.zeros_like(target)
    np.put_along_axis(ours, indices.reshape(-1, 5).numpy(), shares.reshape(-1, 5).numpy(), 1)
    np.testing.assert_allclose(ours.sum(1), 1, atol=1e-6)
    assert np.abs(ours - target).max() < 1e-3


def test_all_three_losses_are_one() -> None:
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, torch.rand(313))
    generator = torch.Generator().manual_seed(0)
    logits, ab = torch.randn(2, 313, 4, 4, generator=generator), group_encoding._colors(2, 4)
    losses = [
        float(loss(criterion, logits, ab))
        for loss in (group_encoding._own, group_encoding._dense, group_encoding._gathered)
    ]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_loop_judges_as_the_filter_does(folder: Path) -> None:
    from skimage.io import imread

    path = next(folder.rglob("*.jpg"))
    ours = measure(path.read_bytes(), PARAMS.filter).colorfulness
    assert group_data._colorfulness(imread(path)) == pytest.approx(ours, rel=0.02)


def test_plain_loop_learns_from_the_same_squares(folder: Path, tmp_path: Path) -> None:
    project = of_folder(tmp_path, folder, 32)
    stored = decode_lab(torch.from_numpy(project.split("train").take(np.arange(4))))
    model = PARAMS.models["resnet18_regression"].model_copy(update={"batch_size": 2})
    for kind in KINDS:
        loop = PlainLoop(model, kind, project, CPU)
        assert loop.photographs == 4
        lightness, ab = Photographs(loop.readers)[0]
        assert (lightness.shape, ab.shape) == ((1, 32, 32), (2, 32, 32))
        # JPEGs are decoded at less than full size for the shards, and rounded to eight bits.
        assert (ab - stored[0, 1:]).abs().mean() < 3
        assert np.isfinite(loop.epoch())
        loop.close()


def test_a_plain_loop_in_a_process_of_its_own_learns_the_same_way(
    folder: Path, tmp_path: Path
) -> None:
    project = of_folder(tmp_path, folder, 32)
    model = PARAMS.models["resnet18_regression"].model_copy(update={"batch_size": 2})
    loop = Apart(model, DECODED, project, CPU)
    losses = [loop.epoch() for _ in range(2)]
    loop.close()
    assert np.isfinite(losses).all()
    assert losses[0] != losses[1]
    assert loop._process.exitcode == 0


def test_bare_step_trains(folder: Path, tmp_path: Path) -> None:
    project = of_folder(tmp_path, folder, 32)
    model = PARAMS.models["resnet_gan"]
    stored = stored_batch(project, 2, CPU)
    assert (stored.dtype, stored.shape) == (torch.uint8, (2, 3, 32, 32))
    torch.manual_seed(0)
    before = fresh_task(model, CPU)
    torch.manual_seed(0)
    task, step = bare_step(model, ready_batch(stored, model), CPU)
    step()
    for player in ("network", "discriminator"):
        one, other = (getattr(it, player).parameters() for it in (before, task))
        assert any(not torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_real_photographs_are_cut_to_the_same_size(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "photographs.zip"
    with ZipFile(archive, "w") as target:
        for path in sorted(folder.rglob("*.jpg")):
            target.write(path, path.name)
    paths = write_jpegs(tmp_path / "cut", {"train": 8}, archive)
    assert len(paths) == 8
    for path in paths:
        with Image.open(path) as picture:
            assert min(picture.size) == 256
