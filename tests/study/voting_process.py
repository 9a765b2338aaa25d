"""People who vote: at once in threads, or from processes that note what was acknowledged."""

import os
import random
import signal
import threading
from pathlib import Path

from photochrom.study.store import StudyStore, Trial


def vote_to_the_end(study: Path, token: str, notes: Path) -> None:
    """Answer the rest of a session at random; a line of ``notes`` for each vote acknowledged."""
    store, chance = StudyStore.open(study), random.Random(os.getpid())
    with notes.open("ab", buffering=0) as file:
        while (trial := store.upcoming(token)) is not None:
            answer = chance.randrange(2)
            store.vote(token, trial.number, answer, score_for(trial.protocol), 500)
            file.write(f"{token} {trial.number} {answer}\n".encode())
    store.close()


def vote_until_killed(study: Path, token: str, notes: Path) -> None:
    """The same, but soon this process is killed, wherever it is by then."""
    killer = threading.Timer(random.uniform(0.0, 0.1), os.kill, (os.getpid(), signal.SIGKILL))
    killer.start()
    vote_to_the_end(study, token, notes)
    killer.join()


def score_for(protocol: str) -> int | None:
    return 3 if protocol == "naturalness" else None


def answer_all(store: StudyStore, token: str) -> list[Trial]:
    """Answer what is left of a session; return its trials."""
    shown = []
    while (trial := store.upcoming(token)) is not None:
        store.vote(token, trial.number, 0, score_for(trial.protocol), 700)
        shown.append(trial)
    return shown


def run_all(threads: list[threading.Thread]) -> None:
    """Run threads at once, to their ends."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
