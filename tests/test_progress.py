"""Progress: nothing is lost, and there is a line for those who read logs."""

import pytest

from photochrom import progress
from photochrom.progress import say, track


@pytest.fixture
def clock(monkeypatch):
    """Let every look at the clock be four seconds after the last."""
    times = iter(range(0, 10_000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(times)))


def test_messages_go_to_standard_error_at_once(capsys):
    say("Reading 3 photographs.")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "Reading 3 photographs.\n")


def test_off_a_terminal_there_is_one_closing_line(capsys):
    assert list(track("abc", "Reading")) == ["a", "b", "c"]
    assert capsys.readouterr().err == "Reading: 3 done in 0.0 s\n"


def test_the_closing_line_can_be_left_out(capsys):
    assert list(track(iter(range(5)), "Reading", closing_line=False)) == list(range(5))
    assert capsys.readouterr().err == ""


def test_long_work_gives_a_line_every_ten_seconds(capsys, clock):
    list(track(range(6), "Reading", total=6))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Reading: 3 of 6, ")
    assert lines[0].endswith(" s")
    assert lines[-1].startswith("Reading: 6 done in ")
    assert len(lines) < 6


def test_nothing_is_taken_before_it_is_wanted():
    taken = []
    found = track((taken.append(number) or number for number in range(5)), "Reading")
    assert taken == []
    assert next(iter(found)) == 0
    assert taken == [0]


def test_an_error_passes_and_says_nothing_of_done(capsys):
    def broken():
        yield 1
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        list(track(broken(), "Reading"))
    assert "done" not in capsys.readouterr().err


def test_on_a_terminal_there_is_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert list(track(range(4), "Reading", total=4)) == [0, 1, 2, 3]
    found = capsys.readouterr()
    assert found.out == ""
    assert "Reading" in found.err
    assert "done in" not in found.err
