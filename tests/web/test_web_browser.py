"""The study in a real browser: sessions by keyboard and by touch, and what may go wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from web_kit import EXPOSURE, MODELS, Site, serving, votes, write_study

from browser_kit import browser_page, running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PHONE = (390, 844)
SECOND_PRESS = 400
"""Milliseconds after which a screen of text takes a press; before, it is taken for a double one."""
GO_ON = ("Start", "Begin", "Continue")
"""The buttons of screens of text."""
DOUBLE = 150
"""Milliseconds between the two clicks of a slow double click."""
THOUGHT = 300
"""Milliseconds that a person thinks before answering."""
QUESTIONS = {
    "real_or_fake": "Which had the fake colors?",
    "naturalness": "Do the colors look natural?",
    "pick_real": "Choose the one with real colors",
    "preference": "Choose the one that looks better",
}
SCORE = "How natural are they, from 1 to 5?"
KEYS = {
    "real_or_fake": ["ArrowRight"],
    "naturalness": ["y", "4"],
    "pick_real": ["2", "ArrowRight", "Enter"],
    "preference": ["1"],
}
GIVEN = {
    "real_or_fake": (1, None),
    "naturalness": (1, 4),
    "pick_real": (2, None),
    "preference": (0, None),
}
RECORDER = """
window.exposures = [];
let since = null, before = null, longest = 0;
const isShown = (image) => getComputedStyle(image).visibility === "visible";
const look = (now) => {
  const shown = [...document.querySelectorAll(".stage img")].some(isShown);
  longest = since === null ? 0 : Math.max(longest, now - before);
  before = now;
  if (shown && since === null) since = now;
  if (!shown && since !== null) {
    window.exposures.push({ duration: now - since, longest });
    since = null;
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


Visit = Callable[..., AbstractContextManager["Page"]]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with running_browser() as running:
        yield running


@pytest.fixture
def visit(browser: "Browser") -> Visit:
    """Return what shows a study, as if in a browser of its own: see :func:`visited`."""
    return partial(visited, browser)


@contextmanager
def visited(
    browser: "Browser", site: Site, *, phone: bool = False, faults: bool = False, script: str = ""
) -> Iterator["Page"]:
    """Yield the study as somebody new sees it; the page must not complain or ask elsewhere."""
    console: list[str] = []
    requests: list[str] = []
    size = PHONE if phone else (1280, 800)
    with browser_page(console, requests, size=size, touch=phone, browser=browser) as page:
        if script:
            page.add_init_script(script)
        page.goto(f"{site.address}/study")
        yield page
    assert faults or console == []
    assert all(asked.startswith((site.address, f"blob:{site.address}")) for asked in requests)


@contextmanager
def study_of(path: Path, *protocols: str, trials: int = 1, practice: int = 0) -> Iterator[Site]:
    counts = dict.fromkeys(protocols, trials)
    with serving(write_study(path / "study.db", trials=counts, practice=practice)) as site:
        yield site


def wait_for(page: "Page", title: str) -> None:
    page.get_by_role("heading", name=title).wait_for()


def question(page: "Page", protocol: str, place: str = "") -> None:
    """Wait for the question itself; the instruction before it may have the same title."""
    page.locator("#place").get_by_text(place).wait_for()
    page.locator("main.trial").get_by_role("heading", name=QUESTIONS[protocol]).wait_for()


def go_on(page: "Page", label: str) -> None:
    """Press Enter on a screen of text."""
    page.get_by_role("button", name=label).wait_for()
    page.wait_for_timeout(SECOND_PRESS)
    page.keyboard.press("Enter")


def given(site: Site) -> list[tuple[int, int | None]]:
    return [(answer, score) for _, _, answer, score, _ in votes(site.study)]


def check_nothing_is_told(page: "Page") -> None:
    text = page.content()
    assert not [name for name in (*MODELS, "truth", "gold") if name in text.lower()]


@pytest.mark.parametrize("protocol", QUESTIONS)
def test_a_session_by_keyboard_alone(visit: Visit, tmp_path: Path, protocol: str) -> None:
    """Practice with feedback, then two trials; the time to answer begins with the question."""
    spent = []
    with study_of(tmp_path, protocol, trials=2, practice=1) as site, visit(site) as page:
        go_on(page, "Start")
        go_on(page, "Practice")
        for number in (1, 2, 3):
            begun = time.monotonic()
            question(page, protocol, f"{number} of 3")
            check_nothing_is_told(page)
            page.wait_for_timeout(THOUGHT)
            for key in KEYS[protocol]:
                page.keyboard.press(key)
            spent.append(1000 * (time.monotonic() - begun))
            if number == 1:
                go_on(page, "Next")
                go_on(page, "Begin")
        wait_for(page, "Thank you")
        assert given(site) == [GIVEN[protocol]] * 3
        milliseconds = [vote[-1] for vote in votes(site.study)]
    for told, most in zip(milliseconds, spent, strict=True):
        assert THOUGHT <= told <= most


def test_pictures_are_shown_for_the_set_time_and_then_gone(visit: Visit, tmp_path: Path) -> None:
    with (
        study_of(tmp_path, "real_or_fake", trials=2) as site,
        visit(site, script=RECORDER) as page,
    ):
        go_on(page, "Start")
        go_on(page, "Begin")
        for number in (1, 2):
            question(page, "real_or_fake", f"{number} of 2")
            assert page.locator("img").count() == 0
            page.keyboard.press("1")
        wait_for(page, "Thank you")
        seen = page.evaluate("window.exposures")
        told = page.evaluate("performance.getEntriesByName('exposure').map(e => e.duration)")
    assert len(seen) == len(told) == 4
    for exposure, own in zip(seen, told, strict=True):
        assert abs(exposure["duration"] - EXPOSURE) <= 2 * exposure["longest"]
        assert exposure["duration"] == pytest.approx(own, abs=exposure["longest"])


def fits(page: "Page") -> bool:
    """Return whether nothing is wider than the window and every button is large enough."""
    return bool(
        page.evaluate(
            """document.documentElement.scrollWidth <= innerWidth &&
            [...document.querySelectorAll("button")].filter((button) => button.offsetParent)
              .every((button) => button.offsetHeight >= 48 && button.offsetWidth >= 48)"""
        )
    )


def tap(page: "Page", *names: str) -> None:
    for name in names:
        button = page.get_by_role("button", name=name, exact=True)
        button.wait_for()
        assert fits(page)
        if name in GO_ON:
            page.wait_for_timeout(SECOND_PRESS)
        button.tap()


TAPS = {
    "real_or_fake": ["Second"],
    "naturalness": ["Yes", "4 of 5"],
    "pick_real": ["Picture 1", "Picture 3", "Confirm"],
    "preference": ["First picture"],
}


def test_a_session_by_touch_with_a_reload_in_the_middle(visit: Visit, tmp_path: Path) -> None:
    with study_of(tmp_path, *QUESTIONS) as site, visit(site, phone=True) as page:
        tap(page, "Start")
        for number, protocol in enumerate(QUESTIONS, 1):
            tap(page, "Begin")
            question(page, protocol)
            if number == 3:
                page.reload()
                wait_for(page, "Welcome back")
                assert "2 of 4 questions" in page.inner_text("main")
                tap(page, "Continue", "Begin")
                question(page, protocol)
                assert "3 of 4" in page.inner_text("header")
            tap(page, *TAPS[protocol])
        wait_for(page, "Thank you")
        assert given(site) == [GIVEN[protocol] for protocol in QUESTIONS]
        page.reload()
        wait_for(page, "Which colors are real?")


def test_the_code_goes_on_in_another_browser(visit: Visit, tmp_path: Path) -> None:
    with study_of(tmp_path, "preference", trials=2) as site:
        with visit(site) as page:
            go_on(page, "Start")
            go_on(page, "Begin")
            question(page, "preference")
            page.keyboard.press("2")
            page.get_by_text("2 of 2").wait_for()
            code = page.inner_text("#code code")
        with visit(site, faults=True) as page:
            page.get_by_text("I have a code").click()
            page.get_by_label("Code").fill("no such code")
            page.keyboard.press("Enter")
            page.get_by_text("This code is not known here").wait_for()
            page.get_by_text("I have a code").click()
            page.get_by_label("Code").fill(code.upper())
            page.keyboard.press("Enter")
            go_on(page, "Begin")
            question(page, "preference")
            page.keyboard.press("1")
            wait_for(page, "Thank you")
        assert given(site) == [(1, None), (0, None)]


def test_a_vote_is_sent_until_it_is_acknowledged_and_kept_once(
    visit: Visit, tmp_path: Path
) -> None:
    """The network fails, then loses an acknowledgment, then the server refuses for a while."""
    sent: list[str | None] = []

    def answer(route: "Route") -> None:
        sent.append(route.request.post_data)
        if len(sent) == 1:
            route.abort()
        elif len(sent) == 2:
            route.fetch()
            route.abort()
        elif len(sent) == 3:
            route.fulfill(status=503, body="busy")
        else:
            route.continue_()

    with study_of(tmp_path, "preference") as site, visit(site, faults=True) as page:
        page.route("**/votes", answer)
        go_on(page, "Start")
        go_on(page, "Begin")
        question(page, "preference")
        page.keyboard.press("2")
        page.get_by_text("Saving… trying again. Keep this page open.").wait_for()
        wait_for(page, "Thank you")
        assert page.inner_text("#saving") == ""
        assert given(site) == [(1, None)]
    assert len(sent) == 4
    assert len(set(sent)) == 1


def test_a_second_press_does_not_answer_the_next_question(visit: Visit, tmp_path: Path) -> None:
    """A double click, fast or slow, and a key that is held down."""
    with study_of(tmp_path, "preference", trials=3) as site, visit(site) as page:
        go_on(page, "Start")
        go_on(page, "Begin")
        question(page, "preference")
        page.get_by_role("button", name="Second picture").dblclick()
        page.wait_for_timeout(DOUBLE)
        page.mouse.down()
        page.mouse.up()
        question(page, "preference", "2 of 3")
        assert given(site) == [(1, None)]
        page.keyboard.down("1")
        question(page, "preference", "3 of 3")
        page.keyboard.down("1")
        page.wait_for_timeout(DOUBLE)
        question(page, "preference", "3 of 3")
        assert given(site) == [(1, None), (0, None)]
        page.keyboard.up("1")
        page.keyboard.press("2")
        wait_for(page, "Thank you")
        assert given(site) == [(1, None), (0, None), (1, None)]


def test_a_pair_is_shown_again_to_whoever_hid_the_window(visit: Visit, tmp_path: Path) -> None:
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with study_of(tmp_path, "real_or_fake") as site, visit(site) as page:
        go_on(page, "Start")
        go_on(page, "Begin")
        wait_for(page, "First")
        page.evaluate(hide, True)
        page.evaluate(hide, False)
        wait_for(page, "Once more")
        assert page.locator("img").count() == 0
        assert given(site) == []
        go_on(page, "Show again")
        question(page, "real_or_fake")
        page.keyboard.press("f")
        wait_for(page, "Thank you")
        assert given(site) == [(0, None)]


def test_another_window_may_answer_meanwhile(visit: Visit, tmp_path: Path) -> None:
    """A vote out of turn is no fault: the window goes on with what is next."""
    with study_of(tmp_path, "preference", trials=2) as site, visit(site, faults=True) as page:
        page.route("**/votes", lambda route: route.fulfill(status=409, json={"detail": "Next."}))
        go_on(page, "Start")
        go_on(page, "Begin")
        question(page, "preference")
        page.keyboard.press("1")
        page.wait_for_timeout(SECOND_PRESS)
        page.unroute("**/votes")
        question(page, "preference")
        page.keyboard.press("1")
        page.get_by_text("2 of 2").wait_for()
        assert given(site) == [(0, None)]


def test_many_pictures_are_laid_out_as_large_as_fits(visit: Visit, tmp_path: Path) -> None:
    """Count, width, height: wide windows, a phone on which they must scroll, and one alone."""
    layouts = [(16, 1000, 424), (3, 2000, 130), (14, 1000, 400), (14, 328, 300), (1, 900, 900)]
    script = """async (cases) => {
      const { layout } = await import("/study/page/grid.js");
      return cases.map((one) => layout(...one)).map(({ columns, size }) => [columns, size]);
    }"""
    with study_of(tmp_path, "pick_real") as site, visit(site) as page:
        found = page.evaluate(script, layouts)
    assert found == [[6, 136], [3, 130], [7, 136], [3, 104], [1, 240]]
