"""``photochrom serve``: it starts, tells where, and leaves nothing behind however it ends."""

import os
import signal
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from coloring_kit import SCAN, detail, pixels, wait_until
from typer.testing import CliRunner

from photochrom.cli import app
from photochrom.cli.refusal import RefusalError


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    process: "subprocess.Popen[str]"
    address: str
    temporary: Path

    @property
    def worker(self) -> int:
        """The process id of its worker."""
        (found,) = [pid for pid in children(self.process.pid) if "spawn_main" in command(pid)]
        return found

    def post(self) -> httpx.Response:
        files = {"photograph": ("scan.png", SCAN)}
        return httpx.post(f"{self.address}/colorize", files=files, timeout=120)

    def end(self, signal_sent: int) -> tuple[int, str, str]:
        """Send a signal as a terminal does, to all; return exit status and what was printed."""
        os.killpg(self.process.pid, signal_sent)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(pid) for pid in found]


def command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")


def lives(process: int) -> bool:
    """Return whether a process runs; one that only waits to be counted does not (proc(5))."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@contextmanager
def served(project: Path, temporary: Path, *arguments: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "photochrom", "serve", "--port", "0", *arguments],
        cwd=project,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Photochrom: http://127.0.0.1:"), process.communicate()
        assert line.endswith("/  (stop with Ctrl-C)\n")
        yield Running(process, line.split()[1].rstrip("/"), temporary)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_it_serves_until_it_is_interrupted(project: Path, tmp_path: Path) -> None:
    arguments = ("--model", "plain", "--max-megapixels", "2", "--seconds", "9")
    with served(project, tmp_path, *arguments) as running:
        found = httpx.get(f"{running.address}/models").json()
        assert [model["name"] for model in found["models"]] == ["plain"]
        assert (found["limits"]["megapixels"], found["limits"]["seconds"]) == (2, 9)
        assert pixels(running.post()).size
        worker = running.worker
        status, out, err = running.end(signal.SIGINT)
        assert (status, out) == (0, "")
        assert err == "Models: plain; the first is the default.\n"
    assert not lives(worker)
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_at_the_end_is_told(project: Path, tmp_path: Path) -> None:
    with served(project, tmp_path, "--waiting", "2") as running, ThreadPoolExecutor(3) as people:
        worker = running.worker
        assert running.post().status_code == 200
        os.kill(worker, signal.SIGSTOP)
        answers = [people.submit(running.post) for _ in range(3)]
        # Without a form it is refused at once, and otherwise only when all places are taken.
        wait_until(lambda: httpx.post(f"{running.address}/colorize").status_code == 503)
        status, out, err = running.end(signal.SIGINT)
        assert (status, out, err.count("\n")) == (0, "", 1)
        for answer in answers:
            assert answer.result().status_code == 503
            assert "closing" in detail(answer.result())
    assert not lives(worker)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_does_not_outlive_a_server_that_is_killed(project: Path, tmp_path: Path) -> None:
    with served(project, tmp_path) as running:
        worker = running.worker
        running.process.kill()
        running.process.communicate()
        wait_until(lambda: not lives(worker))
        wait_until(lambda: list(tmp_path.iterdir()) == [])


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["serve", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*arguments: str) -> str:
    with pytest.raises(RefusalError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_others_are_let_in_only_with_a_warning(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.chdir(project)
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    said = run("--host", "0.0.0.0", "--port", "0", "--model", "models/plain", "--open")
    assert "Whoever can reach 0.0.0.0 can have photographs colored; there is no password." in said
    (address,) = opened
    assert address.startswith("http://0.0.0.0:")
    assert f"Photochrom: {address}/" in said


def test_a_model_that_is_not_there_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert "no model nobody" in refusal("--port", "0", "--model", "nobody")


def test_a_study_that_is_not_there_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert "photochrom study trials" in refusal("--port", "0", "--study", "study.db")


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "address already in use" in refusal("--port", port)
