"""Forty people at once, over HTTP, while the server is killed again and again."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from votes_kit import FOOLS, STRENGTHS, STRICT, Raters, Session
from web_kit import STARTUP, votes, write_study

from photochrom.study.export import export_votes, read_status
from photochrom.study.result import study_result
from photochrom.study.schema import connect
from photochrom.study.trials import right_answer
from photochrom.study.votes import read_votes

PEOPLE = 40
IN_FLIGHT = 16
KILLS = 3
TRIALS = {"real_or_fake": 8, "naturalness": 3, "pick_real": 1, "preference": 8}
TOTAL = sum(TRIALS.values()) + 2 * len(TRIALS) - 1
"""Trials of a session: one for practice in each protocol, and one gold in all but preference."""
PATIENCE = 240.0
Ballot = dict[str, Any]


class Server:
    """`photochrom study serve` in a process of its own, which can be killed and started again."""

    def __init__(self, study: Path) -> None:
        self._study, self._port = study, free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "photochrom", "study", "serve"]
        options = ["--port", str(self._port), "--study", str(self._study)]
        self._process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self.address in self._process.stdout.readline()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(eq=False)
class Crowd:
    """Everybody who takes part, what each picture really shows, and what was acknowledged."""

    client: httpx.Client
    shows: dict[str, tuple[str, str]]
    """Name and photograph of each picture by its key: people see it, the page does not."""
    deadline: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    acknowledged: dict[tuple[str, int], Ballot] = field(default_factory=dict)
    retries: int = 0

    def ask(self, method: str, path: str, body: Ballot | None = None) -> httpx.Response:
        """Send a request until it is answered, as the page does."""
        while time.monotonic() < self.deadline:
            try:
                response = self.client.request(method, path, json=body)
            except httpx.TransportError:
                self.retries += 1
                time.sleep(0.1)
                continue
            if response.status_code < 500:
                assert response.status_code == 200, response.text
                return response
            time.sleep(0.1)
        raise TimeoutError(f"{method} {path} was not answered")

    def take_part(self, token: str, person: Session) -> None:
        """Answer every trial of a session."""
        session = f"/study/api/sessions/{token}"
        while "finished" not in (trial := self.ask("GET", f"{session}/trial").json()):
            if trial["number"] % 4 == 0:
                assert self.ask("GET", trial["pictures"][-1]).content.startswith(b"\x89PNG")
            ballot = {"number": trial["number"], **self.judge(person, trial)}
            self.ask("POST", f"{session}/votes", ballot)
            self.acknowledged[token, trial["number"]] = ballot

    def judge(self, person: Session, trial: dict[str, Any]) -> Ballot:
        seen = [self.shows[address.rsplit("/", 1)[1]] for address in trial["pictures"]]
        names, photograph = [name for name, _ in seen], seen[0][1]
        answer = judgment(person, trial["protocol"], names, photograph)
        score = (2 + 2 * answer) if trial["protocol"] == "naturalness" else None
        milliseconds = int(person.rng.integers(400, 4000))
        return {"answer": answer, "score": score, "milliseconds": milliseconds}


def judgment(person: Session, protocol: str, names: list[str], photograph: str) -> int:
    """Return what somebody with known preferences answers; fakes made to be seen are seen."""
    if "gold" in names:
        return right_answer(protocol, names)
    number = int(photograph.rsplit("/", 1)[1].removesuffix(".png"))
    if protocol == "naturalness":
        return int(person.says_yes(person.raters.natural(names[0]), number))
    if protocol == "preference":
        return 0 if person.prefers(names[0], names[1], number) else 1
    if protocol == "pick_real":
        chances = [person.raters.picking[name] for name in names]
        return int(person.rng.choice(len(names), p=chances))
    truth = names.index("truth")
    fooled = person.says_yes(person.raters.fools[names[1 - truth]], number)
    return truth if fooled else 1 - truth


def people(count: int, photographs: int) -> Iterator[Session]:
    """Make people who differ from each other in their tastes, as photographs do."""
    raters, rng = Raters(), np.random.default_rng(0)
    models = len(raters.models)
    effects = rng.normal(0, raters.spread, photographs)
    tastes = rng.normal(0, raters.spread, (photographs, models))
    for number in range(count):
        own = rng.normal(0, raters.spread, 1 + models)
        answers = np.random.default_rng([1, number])
        yield Session(raters, answers, float(own[0]), own[1:], effects, tastes)


def what_is_shown(study: Path) -> dict[str, tuple[str, str]]:
    with closing(connect(study)) as database:
        rows = database.execute(
            "SELECT key, name, photograph FROM keys JOIN pictures USING (picture)"
        )
        return {key: (name, photograph) for key, name, photograph in rows}


@contextmanager
def all_at_once(works: list[Callable[[], None]]) -> Iterator[list[threading.Thread]]:
    """Run each in a thread; raise the first error of any at the end."""
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def kill_in_between(server: Server, crowd: Crowd, threads: list[threading.Thread]) -> int:
    """Kill and restart the server, spread over the session; return how often."""
    kills = 0
    while any(thread.is_alive() for thread in threads):
        if len(crowd.acknowledged) > (kills + 1) * PEOPLE * TOTAL / (KILLS + 1):
            server.kill()
            server.start()
            kills += 1
        time.sleep(0.02)
    return kills


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raters") / "study.db"
    return write_study(path, trials=TRIALS, gold=1, sessions=PEOPLE)


@pytest.fixture(scope="module")
def crowd(study: Path) -> Iterator[Crowd]:
    """Let everybody take part, and kill the server meanwhile."""
    server = Server(study)
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    try:
        with httpx.Client(base_url=server.address, limits=limits, timeout=STARTUP) as client:
            # One after another, so that the same people get the same sessions in every test run.
            tokens = [
                client.post("/study/api/sessions", json={}).json()["token"] for _ in range(PEOPLE)
            ]
            crowd = Crowd(client, what_is_shown(study))
            works = [
                lambda token=token, person=person: crowd.take_part(token, person)
                for token, person in zip(tokens, people(PEOPLE, sum(TRIALS.values())), strict=True)
            ]
            with all_at_once(works) as threads:
                assert kill_in_between(server, crowd, threads) == KILLS
            yield crowd
    finally:
        server.kill()


def test_every_acknowledged_vote_is_kept_exactly_once(study: Path, crowd: Crowd) -> None:
    kept = [
        ((token, number), {"number": number, "answer": answer, "score": score, "milliseconds": ms})
        for token, number, answer, score, ms in votes(study)
    ]
    assert crowd.retries > 0
    assert len(kept) == PEOPLE * TOTAL
    assert dict(kept) == crowd.acknowledged


def test_everybody_finished(study: Path, crowd: Crowd) -> None:
    found = read_status(study)
    assert (found.people, found.finished) == (PEOPLE, PEOPLE)


@pytest.fixture(scope="module")
def result(study: Path, crowd: Crowd, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    table = tmp_path_factory.mktemp("votes") / "votes.csv"
    assert export_votes(study, table) == PEOPLE * (TOTAL - len(TRIALS))
    return study_result(read_votes(table), STRICT, resamples=400, seed=0)


def test_everybody_counts(result: dict[str, Any]) -> None:
    assert result["people"] == PEOPLE
    assert set(result["excluded"].values()) == {0}
    counted = {name: protocol["votes"] for name, protocol in result["protocols"].items()}
    assert counted == {name: PEOPLE * count for name, count in TRIALS.items()}


def inside(value: float, interval: list[float]) -> bool:
    return interval[0] <= value <= interval[1]


def test_the_votes_tell_whom_the_models_fool(result: dict[str, Any]) -> None:
    """An interval of 95 % may miss once in twenty times; two of five are too many."""
    models = result["protocols"]["real_or_fake"]["models"]
    held = [inside(100 * chance, models[name]["interval"]) for name, chance in FOOLS.items()]
    assert sum(held) >= len(held) - 1


def test_the_votes_tell_who_is_preferred(result: dict[str, Any]) -> None:
    models = result["protocols"]["preference"]["models"]
    found = {name: models[name]["strength"] for name in STRENGTHS}
    assert sorted(found, key=lambda name: -found[name]) == list(STRENGTHS)
    held = [inside(value, models[name]["strength_interval"]) for name, value in STRENGTHS.items()]
    assert sum(held) >= len(held) - 1
