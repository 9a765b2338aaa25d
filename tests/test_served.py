"""A logged model behind MLflow's own server: photographs in, colored photographs out."""

import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import requests
import tifffile
import torch
from mlflow.exceptions import MlflowException
from PIL import Image
from safetensors.torch import load_file, save_file

from photochrom.colorizer.colorizer import load_colorizer
from photochrom.colorizer.stored import FORMAT
from photochrom.networks import build_network
from photochrom.params import load_params
from photochrom.params.models import EfficientNetParams, UNetParams
from photochrom.tracking import Dataset, TrainingRecord, served_code, sync
from photochrom.tracking.logged import copy_package

with warnings.catch_warnings():
    # MLflow warns of type hints of its own when it is imported.
    warnings.simplefilter("ignore")
    from photochrom import served

ROOT = Path(__file__).parents[1]
NAME, SECONDS = "resnet18_regression", 120
SMALL = {
    "unet": UNetParams(
        kind="unet", levels=3, width=4, dropout=0.0, output="linear", init="default"
    ),
    "efficientnet": EfficientNetParams(
        kind="efficientnet",
        pretrained=False,
        enlarge=1,
        width=0.25,
        encoder_lr_scale=1.0,
        mirrored=True,
    ),
}


@pytest.fixture(scope="module")
def params() -> Any:
    whole = load_params(ROOT / "params.yaml")
    return whole.model_copy(update={"models": {NAME: whole.models[NAME]}})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, params: Any) -> Path:
    """A project whose one model is untrained but real; its output is made colorful."""
    root = tmp_path_factory.mktemp("served") / "project"
    folder = root / "models" / NAME
    write_model(folder, params.models[NAME].network)
    weights = load_file(folder / "weights.safetensors")
    weights["decoder.9.bias"] = torch.tensor([0.5, -0.5])
    save_file(weights, folder / "weights.safetensors")
    (folder / "history.csv").write_text(
        "epoch,images_seen,seconds,train/loss,lr\n1,8,1.0,0.5,0.1\n"
    )
    record = TrainingRecord(NAME, "0" * 32, dataset=Dataset("some", "0", {}))
    told = {"key": record.key, "record": record.to_json(), "seconds": 1.0}
    told |= {"started": "2025-01-02T03:04:05+00:00"}
    (folder / "run.json").write_text(json.dumps(told))
    evaluation = root / "results" / "evaluate" / NAME
    evaluation.mkdir(parents=True)
    numbers = {"photographs": 1, params.tracking.champion.measure: 50.0}
    (evaluation / "metrics.json").write_text(json.dumps(numbers))
    return root


def write_model(folder: Path, network: Any) -> None:
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    save_file(dict(build_network(network, 2).state_dict()), folder / "weights.safetensors")
    config = {
        "format": FORMAT,
        "model": folder.name,
        "study": "000",
        "network": network.model_dump(),
        "objective": {"kind": "regression", "loss": "l2"},
        "decoding": {"kind": "direct"},
        "image_size": 32,
        "parameters": 1,
    }
    (folder / "config.json").write_text(json.dumps(config))


def photograph(size: tuple[int, int], kind: str = "JPEG") -> bytes:
    columns = np.linspace(40, 210, size[0]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.tile(columns, (size[1], 1))).save(file, kind)
    return file.getvalue()


def model_of(project: Path) -> served.ServedColorizer:
    model = served.ServedColorizer()
    weights = str(project / "models" / NAME / "weights.safetensors")
    model.load_context(SimpleNamespace(artifacts={"weights": weights}))  # type: ignore[arg-type]
    return model


def colored(answer: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer, validate=True)))


def chroma(picture: Image.Image) -> float:
    return float(np.ptp(np.asarray(picture).astype(int), axis=2).mean())


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_each_row_is_colored_as_the_colorizer_does(project: Path, kind: str) -> None:
    sizes = [(40, 24), (17, 50)]
    rows = pd.DataFrame({"photograph": [photograph(size, kind) for size in sizes]})
    answer = model_of(project).predict(None, rows)  # type: ignore[arg-type]
    colorizer = load_colorizer(project / "models" / NAME, NAME)
    for size, sent, got in zip(sizes, rows["photograph"], answer["photograph"], strict=True):
        picture = colored(got)
        assert (picture.size, picture.format) == (size, "PNG")
        expected = colorizer(Image.open(io.BytesIO(sent)))
        assert np.array_equal(np.asarray(picture), np.asarray(expected))


def test_nothing_but_its_requirements_is_needed(project: Path, params: Any, tmp_path: Path) -> None:
    folders = {"resnet": project / "models" / NAME}
    for kind, network in SMALL.items():
        folders[kind] = tmp_path / kind
        write_model(folders[kind], network)
    # Without tifffile it would lose half of its bits.
    folders["photograph"] = tmp_path / "scan.tif"
    tifffile.imwrite(folders["photograph"], np.full((9, 12, 3), 30000, np.uint16))
    script = Path(__file__).with_name("serving_alone.py")
    done = subprocess.run(
        [sys.executable, str(script), json.dumps({k: str(v) for k, v in folders.items()})],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["unet", "resnet", "efficientnet"]), (
        done.stderr[-3000:]
    )


def test_base64_that_the_server_left_is_undone(project: Path) -> None:
    rows = pd.DataFrame({"photograph": [base64.b64encode(photograph((8, 8)))]})
    answer = model_of(project).predict(None, rows)  # type: ignore[arg-type]
    assert colored(answer["photograph"][0]).size == (8, 8)


@pytest.mark.parametrize("data", [b"", b"not an image", photograph((40, 24))[:60]])
def test_what_is_no_picture_is_refused_with_its_row(project: Path, data: bytes) -> None:
    rows = pd.DataFrame({"photograph": [photograph((8, 8)), data]})
    with pytest.raises(MlflowException, match=r"photograph, row 1: .*base64") as refused:
        model_of(project).predict(None, rows)  # type: ignore[arg-type]
    assert refused.value.get_http_status_code() == 400


def test_the_package_goes_with_a_model_but_not_its_weights(tmp_path: Path) -> None:
    source = tmp_path / "photochrom"
    kept = ("served.py", "color/lab.py", "web/shipped/page.html")
    for name in (*kept, "shipped/photochrom/weights.safetensors", "color/__pycache__/lab.pyc"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    target = tmp_path / "code" / "photochrom"
    copy_package(source, target)
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == set(kept)


def test_this_file_is_what_mlflow_serves_with_and_nobody_imports_it() -> None:
    assert served_code() == Path(served.__file__)
    code = "import sys; from photochrom.tracking import served_code; served_code()"
    code += "; sys.exit('photochrom.served' in sys.modules or 'mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_path_is_written_once() -> None:
    folders = (ROOT / "src", ROOT / "stages")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    naming = [file.name for file in files if '"served.py"' in file.read_text(encoding="utf-8")]
    assert naming == ["logged.py"]


@contextmanager
def serving(root: Path, registered: str) -> Iterator[str]:
    """Serve the champion as the README says, on a free port; the server goes with its group."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{root / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(binaries / "mlflow"), "models", "serve", "--env-manager", "local"]
    command += ["-m", f"models:/{registered}@champion", "--port", str(port)]
    log = root / "serve.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(
            command, env=environment, stdout=lines, stderr=lines, start_new_session=True
        )
        try:
            yield wait_for(f"http://127.0.0.1:{port}", process, log)
        finally:
            os.killpg(process.pid, 9)
            process.wait()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{address}/ping", timeout=2).ok:
                return address
        except requests.exceptions.RequestException:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-4000:])


def test_the_champion_is_served(project: Path, params: Any) -> None:
    done = sync(project, params, served_code())
    assert (done.models, done.versions) == (1, 1)
    (code,) = (project / "mlartifacts").rglob("code/photochrom")
    assert not (code / "shipped").exists()
    sent = base64.b64encode(photograph((61, 37))).decode()
    with serving(project, params.tracking.registered) as address:
        url = f"{address}/invocations"
        body = {"dataframe_records": [{"photograph": sent}]}
        answer = requests.post(url, json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        picture = colored(answer.json()["predictions"][0]["photograph"])
        assert (picture.size, picture.format) == ((61, 37), "PNG")
        assert chroma(picture) > 0
        whole = requests.post(url, json={"inputs": {"photograph": [sent]}}, timeout=60)
        assert whole.json() == answer.json()
        bad = {"dataframe_records": [{"photograph": "bm90IGEgcGljdHVyZQ=="}]}
        refused = requests.post(url, json=bad, timeout=60)
        assert refused.status_code == 400
        assert "Send a PNG or JPEG" in refused.json()["message"]
        assert "Traceback" not in refused.text
