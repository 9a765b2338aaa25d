"""The page in a real browser: photographs come in, are compared, tuned and downloaded."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from coloring_kit import Service, file_of, photograph
from colorize_page_kit import (
    DROP,
    PASTE,
    PHONE,
    colorfulness,
    content,
    decoded,
    divider,
    downloaded,
    give,
    luminance,
    model,
    seen,
    settle,
    shown,
    tune,
    visited,
)
from PIL import Image

from browser_kit import running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Visit = Callable[..., AbstractContextManager["Page"]]
SCAN = file_of(photograph(120, 90))


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with running_browser() as running:
        yield running


@pytest.fixture
def visit(browser: "Browser", service: Service) -> Visit:
    """Return what shows the page, as if in a browser of its own: see :func:`visited`."""
    # The worker takes its time to start.
    assert service.client.get("/models").status_code == 200
    return partial(visited, browser, service.address)


def test_a_dropped_photograph_is_gray_before_the_line_and_in_color_after_it(visit: Visit) -> None:
    with visit() as page:
        give(page, DROP, scan_png=SCAN)
        settle(page)
        compare, line = page.locator(".compare"), divider(page)
        assert seen(compare, 0.05, 0.45) < 1 < 30 < seen(compare, 0.55, 0.95)
        line.press("Home")
        assert line.get_attribute("aria-valuenow") == "0"
        assert seen(compare, 0.1, 0.95) > 30
        line.press("End")
        assert line.get_attribute("aria-valuetext") == "0 % in color"
        assert seen(compare, 0.05, 0.9) < 1
        box = compare.bounding_box()
        assert box
        page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"], steps=3)
        page.mouse.up()
        assert line.get_attribute("aria-valuenow") == "20"
        assert seen(compare, 0.02, 0.15) < 1 < 30 < seen(compare, 0.25, 0.95)


def test_what_comes_before_the_models_are_told_waits(visit: Visit) -> None:
    held: list[Route] = []

    def hold(route: "Route") -> None:
        held.append(route)

    with visit() as page:
        page.route("**/models", hold)
        page.reload()
        page.get_by_text("The models are being loaded …").wait_for()
        give(page, DROP, scan_png=SCAN)
        page.get_by_text("1 photograph waits.").wait_for()
        held[0].continue_()
        settle(page)
        assert colorfulness(shown(page)) > 30


def test_strength_and_choice_of_the_colors_change_the_picture(visit: Visit) -> None:
    with visit() as page:
        give(page, DROP, scan_png=SCAN)
        settle(page)
        usual = shown(page)
        tune(page, "saturation", 0)
        assert colorfulness(shown(page)) < 1
        tune(page, "saturation", 0.5)
        assert 5 < colorfulness(shown(page)) < 0.8 * colorfulness(usual)
        tune(page, "saturation", 1)
        tune(page, "temperature", 0)
        bold = shown(page)
        tune(page, "temperature", 100)
        cautious = shown(page)
        assert colorfulness(cautious) < colorfulness(bold)
        assert np.abs(bold - usual).mean() > 1
        page.get_by_role("button", name="Back to the usual colors").click()
        settle(page)
        assert np.array_equal(shown(page), usual)
        assert page.get_by_role("button", name="Back to the usual colors").is_hidden()


def test_only_the_last_of_many_settings_is_asked_for(visit: Visit) -> None:
    """A request that is on its way is given up, and most are never sent."""
    asked: list[str] = []
    given_up: list[str | None] = []

    def answer(route: "Route") -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()

    with visit() as page:
        give(page, DROP, scan_png=SCAN)
        settle(page)
        page.locator("#strip").get_by_text("in color").wait_for()
        page.on("requestfailed", lambda request: given_up.append(request.failure))
        page.route("**/colorize", answer)
        with page.expect_request("**/colorize"):
            page.locator("input[name=saturation]").fill("0.5")
        page.locator("input[name=saturation]").evaluate(
            """(slider) => {
              for (let step = 20; step >= 0; step -= 1) {
                slider.value = step / 10;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
              }
            }"""
        )
        settle(page)
        assert colorfulness(shown(page)) < 1
        assert set(given_up) == {"net::ERR_ABORTED"}
        page.unroute_all(behavior="ignoreErrors")
    # The first and the last, and those of the thumbnail where there was time for them.
    assert 2 <= len(asked) <= 4


def test_models_are_compared_side_by_side(visit: Visit) -> None:
    with visit() as page:
        give(page, DROP, scan_png=SCAN)
        settle(page)
        model(page, "plain").check()
        settle(page)
        assert page.locator(".card h2").all_inner_texts() == ["likely", "plain"]
        assert np.abs(shown(page, "likely") - shown(page, "plain")).mean() > 1
        divider(page, "plain").press("PageUp")
        assert divider(page, "likely").get_attribute("aria-valuenow") == "60"
        model(page, "likely").uncheck()
        settle(page)
        assert page.locator(".card h2").all_inner_texts() == ["plain"]
        assert page.locator("#temperature").is_hidden()
        assert page.get_by_role("button", name="Other plausible colors").is_hidden()
        model(page, "plain").uncheck()
        page.get_by_text("Choose at least one model.").wait_for()


def test_another_plausible_coloring_is_shown_and_downloaded(visit: Visit) -> None:
    with visit() as page:
        give(page, DROP, scan_png=SCAN)
        settle(page)
        usual = shown(page)
        page.get_by_role("button", name="Other plausible colors").click()
        settle(page)
        pressed = page.locator(".variants button")
        shares = [int(text.removesuffix(" % likely")) for text in pressed.all_inner_texts()]
        assert len(shares) >= 2
        assert shares == sorted(shares, reverse=True)
        assert 99 <= sum(shares) <= 101
        assert np.array_equal(shown(page), usual)
        pressed.nth(1).click()
        assert pressed.nth(1).get_attribute("aria-pressed") == "true"
        page.wait_for_timeout(300)
        other = shown(page)
        assert np.abs(other - usual).mean() > 5
        assert np.abs(decoded(content(downloaded(page))) - other).mean() < 3
        tune(page, "saturation", 0.5)
        assert pressed.nth(1).get_attribute("aria-pressed") == "true"
        assert colorfulness(shown(page)) < 0.8 * colorfulness(other)


def test_the_download_is_the_photograph_in_full_size_with_its_luminance(visit: Visit) -> None:
    gray = photograph(1500, 1100)
    with visit() as page:
        give(page, DROP, grandmother_png=file_of(gray))
        settle(page)
        assert shown(page).shape == (751, 1024, 3)
        found = downloaded(page)
        assert found.suggested_filename == "grandmother-color.png"
        rgb = decoded(content(found))
        assert rgb.shape == (1100, 1500, 3)
        assert colorfulness(rgb) > 30
        assert np.abs(luminance(rgb) - np.asarray(gray)).max() <= 1.5
        page.get_by_label("Download as").select_option("WebP")
        found = downloaded(page)
        assert found.suggested_filename == "grandmother-color.webp"
        with Image.open(io.BytesIO(content(found))) as image:
            assert (image.format, image.size) == ("WEBP", (1500, 1100))


def test_a_scan_that_browsers_cannot_open_is_shown_by_the_server(visit: Visit) -> None:
    gray = photograph(1300, 200)
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    with visit() as page:
        give(page, DROP, scan_tif=file_of(deep, "TIFF"))
        settle(page)
        before = shown(page, side="before")
        assert before.shape == shown(page).shape == (158, 1024, 3)
        expected = np.asarray(gray.resize((1024, 158), Image.Resampling.BOX)).astype(int)
        assert np.abs(before[..., 0] - expected).mean() < 2
        assert colorfulness(before) < 1 < 30 < colorfulness(shown(page))
        assert page.get_by_text("1300 × 200 pixels").is_visible()
        found = downloaded(page)
        assert found.suggested_filename.startswith("scan-color.tif")
        assert decoded(content(found)).shape == (200, 1300, 3)


def test_before_and_after_are_upright_alike(visit: Visit) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = file_of(photograph(120, 90), "JPEG", exif=exif, quality=95)
    with visit() as page:
        give(page, DROP, sideways_jpg=sideways)
        settle(page)
        before, after = shown(page, side="before"), shown(page)
        assert before.shape == after.shape == (120, 90, 3)
        assert np.abs(luminance(after) - luminance(before)).mean() < 3
        upright = np.rot90(np.asarray(photograph(120, 90)), -1)
        assert np.abs(before[..., 0] - upright).mean() < 3
        assert decoded(content(downloaded(page))).shape == (120, 90, 3)


def test_at_full_size_every_pixel_is_shown_and_moves_along(visit: Visit) -> None:
    with visit() as page:
        give(page, DROP, large_png=file_of(photograph(2400, 1600)))
        settle(page)
        model(page, "plain").check()
        settle(page)
        page.get_by_role("button", name="100 %").click()
        settle(page)
        sizes = page.locator(".compare img").evaluate_all(
            "(images) => images.map((one) => [one.naturalWidth, one.naturalHeight])"
        )
        assert sizes == [[2400, 1600]] * 4
        views = page.locator(".scroller")
        views.first.evaluate("(view) => view.scrollTo(300, 200)")
        page.wait_for_timeout(300)
        places = views.evaluate_all(
            "(views) => views.map((one) => [one.scrollLeft, one.scrollTop])"
        )
        assert np.abs(np.array(places) - [300, 200]).max() <= 2
        compare = page.locator(".compare").first
        assert seen(compare, 0.05, 0.45) < 1 < 30 < seen(compare, 0.55, 0.95)
        page.get_by_role("button", name="Fit").click()
        assert views.first.evaluate("(view) => view.scrollWidth <= view.clientWidth")


def test_several_photographs_have_their_states_and_can_be_removed(visit: Visit) -> None:
    with visit(refusals=True) as page:
        give(page, DROP, one_png=SCAN, two_png=file_of(photograph(60, 90, 1)), note_txt=b"Hello.")
        settle(page)
        page.locator("#strip").get_by_text("not taken").wait_for()
        assert page.locator("#strip .name").all_inner_texts() == ["one.png", "two.png", "note.txt"]
        page.locator("#strip li").nth(1).get_by_text("in color").wait_for()
        page.locator(".thumbnail", has_text="note.txt").click()
        sentence = page.locator("#cards [role=alert]").inner_text()
        assert sentence.endswith(".")
        assert "picture" in sentence or "photograph" in sentence
        page.get_by_role("button", name="Remove note.txt").click()
        settle(page)
        assert page.locator("#title").inner_text() == "two.png"
        assert shown(page).shape == (90, 60, 3)
        for name in ("one.png", "two.png"):
            page.get_by_role("button", name=f"Remove {name}").click()
        page.get_by_role("button", name="Choose photographs").wait_for()
        give(page, PASTE, pasted_png=SCAN)
        settle(page)
        assert page.locator("#title").inner_text() == "pasted.png"


def test_all_photographs_are_downloaded_at_once(visit: Visit) -> None:
    with visit() as page:
        names: list[str] = []
        page.on("download", lambda download: names.append(download.suggested_filename))
        give(page, DROP, one_png=SCAN, two_png=SCAN)
        settle(page)
        page.locator("#strip li").nth(1).get_by_text("in color").wait_for()
        model(page, "plain").check()
        settle(page)
        page.get_by_role("button", name="Download all").click()
        page.get_by_text("That was the last photograph.").wait_for(state="attached")
        page.wait_for_timeout(300)
    assert sorted(names) == [
        f"{name}-color-{model}.png" for name in ("one", "two") for model in ("likely", "plain")
    ]


@pytest.mark.parametrize(
    ("limits", "told"),
    [({"megabytes": 0.001}, "at most 0.001 MB"), ({"megapixels": 0.01}, "at most 0.01 are taken")],
)
def test_what_is_too_large_is_refused_before_it_is_sent(
    visit: Visit, limits: dict[str, float], told: str
) -> None:
    with visit(limits=limits) as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method))
        give(page, DROP, scan_png=SCAN)
        page.locator("#cards [role=alert]").get_by_text(told).wait_for()
        assert "POST" not in sent


def test_a_busy_server_is_asked_again_and_one_that_is_gone_when_it_is_told_to(visit: Visit) -> None:
    """Card and thumbnail find it busy, then gone; the thumbnail says so in a word."""
    asked: list[str] = []

    def answer(route: "Route") -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"detail": "Busy."})
        elif len(asked) <= 4:
            route.abort()
        else:
            route.continue_()

    with visit(refusals=True) as page:
        page.route("**/colorize", answer)
        give(page, DROP, scan_png=SCAN)
        page.get_by_text("busy, again in 1 s").wait_for()
        page.locator(".card [role=alert]").get_by_text("does not answer").wait_for()
        page.locator("#strip").get_by_text("not colored").wait_for()
        page.get_by_role("button", name="Try again").click()
        settle(page)
        assert colorfulness(shown(page)) > 30
        assert page.locator(".card [role=alert]").count() == 0


def test_on_a_phone_everything_fits_and_is_large_enough(visit: Visit) -> None:
    with visit(phone=True) as page:
        assert page.get_by_role("button", name="Take a photograph").is_visible()
        give(page, DROP, a_long_name_of_a_scan_from_the_attic_png=SCAN, two_png=SCAN)
        settle(page)
        model(page, "plain").check()
        page.locator("summary").tap()
        page.get_by_label("Working size").select_option("64")
        settle(page)
        small = """(all) => all.filter((one) => one.offsetParent && !one.matches(".remove, .quiet"))
          .filter((one) => one.offsetHeight < 44).map((one) => one.textContent)"""
        assert page.locator("button, select, summary, .check").evaluate_all(small) == []
        line = divider(page)
        line.scroll_into_view_if_needed()
        box = page.locator(".compare").first.bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"])
        assert line.get_attribute("aria-valuenow") == "80"
        assert page.locator(".tune").bounding_box()["y"] < PHONE[1]  # type: ignore[index]
