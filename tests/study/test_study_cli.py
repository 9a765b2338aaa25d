"""``photochrom study``: from trained models to a table of votes; refusals of one line."""

import csv
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from study_commands import STUDY, refusal, run
from study_kit import SIDE, names_shown, write_project
from typer.testing import CliRunner
from voting_process import score_for

from photochrom.cli import study as commands
from photochrom.study.store import StudyStore
from photochrom.study.votes import read_votes

VOTES = Path("data/votes/votes.csv")
TOTAL, COUNTED = 14, 10
"""Trials of a session, and those of them that are no practice."""


@pytest.fixture(autouse=True)
def _cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("template"))


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with trained models, and the process inside it."""
    root = tmp_path / "project"
    shutil.copytree(template, root)
    monkeypatch.chdir(root)
    return root


def change(key: str, value: object) -> None:
    """Change a dotted key of params.yaml."""
    file = Path("params.yaml")
    values = YAML().load(file)
    *path, last = key.split(".")
    section = values
    for part in path:
        section = section[part]
    section[last] = value
    YAML().dump(values, file)


def take_part(study: Path, votes: int) -> str:
    store = StudyStore.open(study)
    token = store.begin()
    for _ in range(votes):
        trial = store.upcoming(token)
        assert trial is not None
        store.vote(token, trial.number, 0, score_for(trial.protocol), 1200)
    store.close()
    return token


def contents(study: Path) -> list[list[tuple[object, ...]]]:
    tables = ("study", "photographs", "pictures", "trials", "places")
    with closing(sqlite3.connect(study)) as database:
        return [database.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


def test_trials_prepare_a_study_that_people_can_take_part_in(project: Path) -> None:
    out = run("trials")
    assert f"{STUDY}: 6 sessions of 14 trials, 2 models, 14 photographs, " in out
    take_part(STUDY, TOTAL)
    with closing(sqlite3.connect(STUDY)) as database:
        lengths = database.execute("SELECT DISTINCT length(png) FROM pictures").fetchall()
        splits = database.execute(
            "SELECT DISTINCT kind, substr(photograph, 1, instr(photograph, '/') - 1) FROM trials"
        ).fetchall()
    assert len(lengths) == 1
    assert ("trial", "test") in splits
    assert {split for kind, split in splits if kind != "trial"} == {"validation", "train"}
    assert sorted(path.name for path in STUDY.parent.iterdir()) == ["study.db"]


def test_the_same_seed_prepares_the_same_study(project: Path) -> None:
    run("trials")
    first = contents(STUDY)
    run("trials")
    assert contents(STUDY) == first
    change("study.seed", 1)
    run("trials")
    assert contents(STUDY) != first


def test_only_the_models_asked_for_are_judged(project: Path) -> None:
    change("study.models", ["vivid"])
    change("study.trials.preference", 0)
    run("trials")
    with closing(sqlite3.connect(STUDY)) as database:
        names = database.execute("SELECT DISTINCT name FROM pictures").fetchall()
    assert Counter(names) == Counter([("truth",), ("gold",), ("vivid",)])


def test_a_study_with_votes_is_kept_unless_forced_aside(project: Path) -> None:
    run("trials")
    take_part(STUDY, TOTAL)
    before = contents(STUDY)
    message = refusal("trials")
    assert "holds 14 votes" in message
    assert "--force" in message
    assert contents(STUDY) == before
    assert "The study with votes is now" in run("trials", "--force")
    (aside,) = STUDY.parent.glob("study-*.db")
    run("export", "--study", str(aside))
    assert len(read_votes(VOTES)) == COUNTED
    assert "0 people" in run("status")
    assert sorted(path.suffix for path in STUDY.parent.iterdir()) == [".db", ".db"]


def test_a_study_that_is_being_served_is_not_replaced(project: Path) -> None:
    run("trials")
    store = StudyStore.open(STUDY)
    token = store.begin()
    assert "is in use: stop `photochrom study serve`" in refusal("trials")
    assert store.progress(token) == (0, TOTAL)
    store.close()
    assert "6 sessions" in run("trials")


def test_the_log_of_a_killed_server_is_not_left_to_the_next_study(project: Path) -> None:
    run("trials")
    code = (
        "import os, sys; from pathlib import Path; from photochrom.study.store import StudyStore;"
    )
    code += "StudyStore.open(Path(sys.argv[1])).begin(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(STUDY)], check=False)
    assert STUDY.with_name("study.db-wal").stat().st_size > 0
    run("trials")
    assert "0 people" in run("status")
    assert sorted(path.name for path in STUDY.parent.iterdir()) == ["study.db"]


def test_a_damaged_study_is_moved_aside_only_when_forced(project: Path) -> None:
    STUDY.parent.mkdir(parents=True)
    STUDY.write_text("damaged" * 1000)
    message = refusal("trials")
    assert "cannot be read as a study" in message
    assert "--force moves it aside" in message
    run("trials", "--force")
    (aside,) = STUDY.parent.glob("study-*.db")
    assert aside.read_text().startswith("damaged")
    assert "0 people" in run("status")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("study.trials.naturalness", 9, "asks for 14 trials, each with another test photograph, "),
        ("study.practice", 9, "study.gold and study.practice need 39 photographs"),
        ("study.models", ["calm"], "study.trials.preference needs two models"),
        ("models.calm.network.width", 4, "models/calm was trained with other parameters"),
        ("models.calm.objective.loss", "l1", "models/calm was trained with other parameters"),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    project: Path, key: str, value: object, fault: str
) -> None:
    change(key, value)
    assert fault in refusal("trials")
    assert not STUDY.exists()


def test_models_that_are_not_trained_are_refused_before_any_work(project: Path) -> None:
    shutil.rmtree("models/vivid")
    assert "models/vivid holds no trained model: run `dvc repro`" in refusal("trials")
    shutil.rmtree("data/lab")
    assert "models/vivid" in refusal("trials")


def test_missing_lab_shards_are_refused(project: Path) -> None:
    shutil.rmtree("data/lab")
    assert "holds no Lab shards: run `dvc repro lab`" in refusal("trials")


def test_the_export_says_what_was_shown_and_answered(prepared: Path) -> None:
    token = take_part(STUDY, TOTAL)
    other = take_part(STUDY, 4)
    assert run("export") == f"{VOTES}: {COUNTED + votes_counted(other, 4)} votes. Next: dvc repro\n"
    votes = read_votes(VOTES)
    mine = [vote for vote in votes if vote.person == 1]
    assert [vote.number for vote in mine] == list(range(1, COUNTED + 1))
    assert all((vote.total, vote.milliseconds, vote.answer) == (COUNTED, 1200, 0) for vote in mine)
    assert Counter((vote.protocol, vote.kind) for vote in mine) == Counter(
        {("real_or_fake", "trial"): 2, ("naturalness", "trial"): 2, ("pick_real", "trial"): 1}
        | {("preference", "trial"): 2}
        | {(protocol, "gold"): 1 for protocol in ("real_or_fake", "naturalness", "pick_real")}
    )
    numbers = counted_numbers(token)
    for vote, number in zip(mine, numbers, strict=True):
        names = names_shown(STUDY, token, number)
        assert [name.split("@")[0] for name in vote.shown] == names
        assert vote.photograph.startswith(vote.kind)
        assert vote.group == f"scene of {vote.photograph}"
    assert [vote.person for vote in votes] == sorted(vote.person for vote in votes)


def counted_numbers(token: str) -> list[int]:
    with closing(sqlite3.connect(STUDY)) as database:
        rows = database.execute(
            "SELECT number FROM trials JOIN people USING (session)"
            " WHERE token = ? AND kind != 'practice' ORDER BY number",
            (token,),
        )
        return [number for (number,) in rows]


def votes_counted(token: str, answered: int) -> int:
    return sum(number <= answered for number in counted_numbers(token))


def test_the_export_is_the_same_for_the_same_votes_and_names_nobody(prepared: Path) -> None:
    token = take_part(STUDY, TOTAL)
    run("export")
    first = VOTES.read_bytes()
    assert token.encode() not in first
    run("export", "--out", "elsewhere/again.csv")
    assert Path("elsewhere/again.csv").read_bytes() == first


def test_votes_are_exported_while_others_vote(prepared: Path) -> None:
    store = StudyStore.open(STUDY)
    token = store.begin()
    assert run("export") == f"{VOTES}: 0 votes. Next: dvc repro\n"
    assert read_votes(VOTES) == ()
    while (trial := store.upcoming(token)) is not None:
        store.vote(token, trial.number, 0, score_for(trial.protocol), 900)
        run("export")
        answered = votes_counted(token, trial.number)
        assert len(read_votes(VOTES)) == answered
    store.close()


def test_odd_names_survive_the_table(prepared: Path) -> None:
    with closing(sqlite3.connect(STUDY)) as database, database:
        database.execute("""UPDATE photographs SET "group" = 'a, "b"' || char(10) || 'ü'""")
    take_part(STUDY, TOTAL)
    run("export")
    with VOTES.open(encoding="utf-8", newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == {'a, "b"\nü'}


def test_status_counts_people_and_votes(prepared: Path) -> None:
    assert run("status").splitlines()[0] == (
        f"{STUDY}: 0 people of 6 prepared for, 0 finished, 0 votes."
    )
    take_part(STUDY, TOTAL)
    take_part(STUDY, 0)
    lines = run("status").splitlines()
    assert lines[0] == f"{STUDY}: 2 people of 6 prepared for, 1 finished, 10 votes."
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
    assert counts == {"real_or_fake": 3, "naturalness": 3, "pick_real": 2, "preference": 2}


@pytest.mark.parametrize("command", ["serve", "export", "status"])
def test_without_a_study_it_is_said_how_to_make_one(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(command) == f"{STUDY} is not there: run `photochrom study trials` first."


def test_trials_without_params_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(commands.app, ["trials"])
    assert "params.yaml is not here" in str(done.exception)


def test_squares_of_the_project_are_as_large_as_its_shards(project: Path) -> None:
    run("trials")
    store = StudyStore.open(STUDY)
    trial = store.upcoming(store.begin())
    store.close()
    assert trial is not None
    assert trial.side == SIDE
