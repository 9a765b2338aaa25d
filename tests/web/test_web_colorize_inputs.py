"""Every kind of file through the service, and many people at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from coloring_kit import Service, detail, file_of, photograph, pixels, worker

from inputs_kit import INPUTS, Input

STATUSES = {"colored": 200, "corrupt": 415, "too large": 413}
PEOPLE = 10


@pytest.mark.parametrize("given", INPUTS, ids=lambda given: given.name)
def test_every_kind_of_file_is_colored_or_refused_in_a_sentence(
    service: Service, given: Input
) -> None:
    before = worker()
    response = service.post(data=given.data, name=given.name + given.suffix, model="plain")
    assert response.status_code == STATUSES[given.expected], response.text
    if given.expected == "colored":
        assert pixels(response).size
    else:
        detail(response)
    assert worker() == before
    assert service.left_behind() == []


def test_a_photograph_of_too_many_pixels(service: Service) -> None:
    response = service.post(data=file_of(photograph(8000, 6500), "JPEG"))
    assert response.status_code == 413
    assert "50 MP" in detail(response)


def test_ten_people_at_once_are_served_one_after_the_other(service: Service) -> None:
    """The worker's memory is that of one photograph, however many wait."""
    data = [file_of(photograph(2400, 2000, seed), "JPEG") for seed in range(PEOPLE)]
    alone = service.post(data=data[0], model="plain").content
    before = peak(worker())
    with ThreadPoolExecutor(PEOPLE) as people:
        answers = list(people.map(lambda one: service.post(data=one, model="plain"), data))
    assert [one.status_code for one in answers] == [200] * PEOPLE
    assert answers[0].content == alone
    assert len({one.content for one in answers}) == PEOPLE
    # A photograph alone takes 14 MB as RGB; ten at once would take a multiple of 140.
    assert peak(worker()) < before + 60e6
    assert service.left_behind() == []


def peak(process: int) -> float:
    """Return the most memory that a process has had, in bytes (proc(5), VmHWM)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) * 1024
    raise AssertionError
