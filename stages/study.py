"""Stage ``study``: what people's votes say of the models."""

from pathlib import Path
from typing import Any

from photochrom.files import write_json
from photochrom.params import load_params
from photochrom.progress import say
from photochrom.study.result import study_result
from photochrom.study.votes import VotesError, read_votes
from photochrom.tracking import record_study

from _run import run

VOTES = Path("data/votes/votes.csv")
NONE_YET = "No votes yet: `photochrom study trials`, then `photochrom study serve`."


def main() -> None:
    """Read the votes and write results/study."""
    params = load_params()
    rules, resamples = params.study.exclude, params.study.resamples
    result = study_result(read_votes(VOTES), rules, resamples, params.study.seed)
    write_json(Path("results/study/study.json"), result)
    say(_line(result))
    record_study(Path.cwd(), params.tracking.experiment)


def _line(result: dict[str, Any]) -> str:
    excluded = sum(result["excluded"].values())
    if not result["people"] and not excluded:
        return NONE_YET
    found = f"{_some(result['people'], 'person', 'people')}, {_some(result['votes'], 'vote')}"
    turned_away = f"; {_some(excluded, 'person', 'people')} excluded" if excluded else ""
    return f"{found} on {_some(result['photographs'], 'photograph')}{turned_away}."


def _some(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


if __name__ == "__main__":
    run(main, VotesError)
