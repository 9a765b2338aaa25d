"""What tests of pages share: a real browser, and what it complained of and asked for."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "PHOTOCHROM_BROWSER_TESTS"
"""Set to ``required``, a missing browser fails the tests that need one, rather than skip them."""
PATIENCE = 15_000
"""Milliseconds a test waits for what should appear at once."""


def find_chromium() -> str | None:
    """Return the path of Chromium or Chrome; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def require_chromium() -> str:
    """Return the path of Chromium; skip the test, or fail it where browsers are required."""
    try:
        import playwright.sync_api  # noqa: F401
    except ModuleNotFoundError:
        _lacks("This test needs playwright: run `pip install -e '.[dev]'`.")
    return find_chromium() or _lacks("This test needs a browser: run `apt-get install chromium`.")


def _lacks(remedy: str) -> str:
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(remedy)
    pytest.skip(remedy)


@contextmanager
def running_browser() -> Iterator["Browser"]:
    """Yield a fresh browser; skip the test where there is none."""
    chromium = require_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def browser_page(
    console: list[str],
    requests: list[str],
    *,
    size: tuple[int, int] = (1280, 800),
    scheme: Literal["light", "dark"] = "light",
    touch: bool = False,
    browser: "Browser | None" = None,
) -> Iterator["Page"]:
    """Yield a page that shares nothing with others; skip the test where there is no browser.

    Parameters
    ----------
    console : takes every warning and error of the console and every uncaught exception.
    requests : takes the address of every request.
    size : of the window in pixels, width and height.
    scheme : which colors the person prefers.
    touch : whether the screen is touched.
    browser : one that runs already; otherwise a fresh one is started for this page.
    """
    with running_browser() if browser is None else nullcontext(browser) as running:
        viewport = {"width": size[0], "height": size[1]}
        page = running.new_page(viewport=viewport, color_scheme=scheme, has_touch=touch)  # type: ignore[arg-type]
        page.set_default_timeout(PATIENCE)
        _record(page, console, requests)
        try:
            yield page
        finally:
            page.close()


def _record(page: "Page", console: list[str], requests: list[str]) -> None:
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on(
        "console",
        lambda message: (
            console.append(f"{message.type}: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
