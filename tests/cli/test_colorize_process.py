"""``photochrom colorize`` as a process of its own: pipes, Ctrl-C, what is imported."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_kit import files, is_colored, write_photograph
from PIL import Image

COMMAND = [sys.executable, "-m", "photochrom", "colorize"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
pytestmark = pytest.mark.usefixtures("models")


def test_pipes_carry_a_photograph_and_nothing_else(here: Path) -> None:
    data = write_photograph(here / "scan.jpg", (60, 40)).read_bytes()
    done = subprocess.run([*COMMAND, "-", "--model", "painter"], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (60, 40), "RGB")
    said = done.stderr.decode().splitlines()
    assert said[0] == "Model: painter, trained here."
    assert said[1].startswith("Colored standard input: standard output in ")
    assert len(said) == 2


def test_ctrl_c_finishes_what_is_under_way_and_says_how_much(here: Path) -> None:
    for place in range(400):
        write_photograph(here / "scans" / f"{place:03}.png", (400, 300))
    process = subprocess.Popen(
        [*COMMAND, "scans", "-o", "out", "--model", "painter", "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env=ONE_THREAD,
        # Whoever runs the tests in the background of a script leaves SIGINT ignored to all below.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(here.glob("out/*.png")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    made = files(here / "out")
    assert process.returncode == 130
    assert 0 < len(made) < 400
    assert said.splitlines()[-1].startswith(f"Colored {len(made)} photograph")
    assert f"; {400 - len(made)} left when it was stopped." in said
    assert all(is_colored(here / "out" / name) for name in made)


def test_what_is_done_already_needs_no_model(here: Path) -> None:
    write_photograph(here / "scan.png")
    write_photograph(here / "scan-color.png")
    code = (
        "import sys\n"
        "from photochrom.cli import app\n"
        "app(['colorize', 'scan.png', '-q'], standalone_mode=False)\n"
        "print(sorted({'torch', 'mlflow', 'pandas'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
