"""``photochrom study serve``: where it listens, under which names, and what it refuses."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import uvicorn
from study_commands import refusal, run


def test_serving_answers_until_it_is_interrupted(prepared: Path) -> None:
    process = serve("--port", "0")
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Study: http://127.0.0.1:")
        assert line.endswith("/study  (stop with Ctrl-C)\n")
        address = line.split()[1]
        sent_as = {"Content-Type": "application/json"}
        begin = f"{address}/api/sessions"
        request = urllib.request.Request(begin, method="POST", headers=sent_as)
        with urllib.request.urlopen(request) as response:
            assert response.status == 201
        elsewhere = urllib.request.Request(address, headers={"Host": "elsewhere.test"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(elsewhere)
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")
    assert "1 people" in run("status")


def serve(*arguments: str) -> "subprocess.Popen[str]":
    code = "from photochrom.cli.study import app; app()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def test_a_port_that_is_taken_is_refused(prepared: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refusal("serve", "--port", port)
    assert f"Nothing can listen at 127.0.0.1, port {port} (address already in use)" in message


def test_an_address_that_is_not_here_is_refused(prepared: Path) -> None:
    assert "Nothing can listen at 192.0.2.1, port 0" in refusal(
        "serve", "--host", "192.0.2.1", "--port", "0"
    )


def test_a_name_that_leads_nowhere_is_refused(prepared: Path) -> None:
    message = refusal("serve", "--host", "not a name")
    assert message.startswith("Nothing can listen at not a name, port 8000 (")


def test_whoever_serves_to_others_is_told_that_all_may_take_part(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: None)
    said = run("serve", "--host", "0.0.0.0", "--port", "0").splitlines()
    assert said[0] == "Whoever can reach 0.0.0.0 can take part; there is no password."
    assert said[1].startswith("Study: http://0.0.0.0:")
    assert len(run("serve", "--port", "0").splitlines()) == 1
