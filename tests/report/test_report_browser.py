"""The page in a real browser, opened from disk, as people will use it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from PIL import Image

from browser_kit import browser_page, require_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(
    scope="module",
    params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")],
    ids=lambda param: "-".join(param),
)
def page(request: pytest.FixtureRequest, report: Path) -> Iterator["Page"]:
    """Yield the open page; it must have asked for nothing and complained of nothing."""
    require_chromium()
    size: str = request.param[0]
    scheme: Literal["light", "dark"] = request.param[1]
    console: list[str] = []
    requests: list[str] = []
    with browser_page(
        console, requests, size=SIZES[size], scheme=scheme, touch=size == "phone"
    ) as opened:
        address = (report / "index.html").as_uri()
        opened.goto(address)
        yield opened
        assert [one for one in requests if not one.startswith("data:")] == [address]
    assert console == []


def _pixels(element: "Locator") -> np.ndarray:
    with Image.open(io.BytesIO(element.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)


def _differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).mean() > 2.0)


def _order(page: "Page") -> list[str]:
    return [name.strip() for name in page.locator(".models th").all_text_contents()]


def test_nothing_is_wider_than_the_window(page: "Page") -> None:
    page.locator("[data-show='all']").click()
    wide, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window
    page.locator("[data-show='main']").click()


def test_the_colors_follow_the_scheme(page: "Page") -> None:
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    (red, *_) = (int(part) for part in ground[4:-1].split(","))
    assert (red < 60) == dark


def test_headings_sort_the_models_by_two_measures_and_back(page: "Page") -> None:
    page.locator("thead button", has_text="CIEDE2000").click()
    assert _order(page) == ["regressor", "classifier"]
    page.locator("thead button", has_text="Δ colorfulness").click()
    assert _order(page) == ["classifier", "regressor"]
    page.locator("thead button", has_text="Δ colorfulness").click()
    assert _order(page) == ["regressor", "classifier"]
    sorted_by = page.locator("[aria-sort]")
    assert sorted_by.get_attribute("aria-sort") == "descending"
    page.locator("thead button", has_text="AuC rebalanced").click()
    assert _order(page) == ["classifier", "regressor"]
    baselines = [name.strip() for name in page.locator(".baselines th").all_text_contents()]
    assert baselines[1:] == ["gray", "mean color", "random photograph", "truth"]


def test_a_group_shows_its_measures_and_hides_the_others(page: "Page") -> None:
    pixels = page.locator("#table thead th", has_text="ab MAE")
    assert not pixels.is_visible()
    page.get_by_role("button", name="Pixel errors").click()
    assert pixels.is_visible()
    assert not page.locator("#table thead th", has_text="AuC rebalanced").is_visible()
    assert page.locator(".models td:visible").count() == 2 * (1 + 5)
    page.get_by_role("button", name="Main").click()
    assert not pixels.is_visible()


def test_the_slider_wipes_from_gray_over_the_model_to_the_truth(page: "Page") -> None:
    page.locator(".tile[data-name='classifier']").first.click()
    stage, wipe = page.locator(".stage"), page.locator("#wipe")
    seen = [_pixels(stage)]
    for value in ("0", "50", "150", "200"):
        wipe.fill(value)
        seen.append(_pixels(stage))
    assert all(_differ(one, other) for i, one in enumerate(seen) for other in seen[:i])
    half = seen[2].shape[1] // 2
    # At 50 the model is left of the edge, and gray right of it.
    assert not _differ(seen[2][:, : half - 4], seen[0][:, : half - 4])
    assert not _differ(seen[2][:, half + 4 :], seen[1][:, half + 4 :])
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()


def test_the_slider_moves_by_keyboard_and_tells_where_it_stands(page: "Page") -> None:
    page.locator(".tile[data-name='gray']").first.click()
    stage, wipe = page.locator(".stage"), page.locator("#wipe")
    assert wipe.input_value() == "0"
    before = _pixels(stage)
    wipe.focus()
    page.keyboard.press("End")
    assert wipe.input_value() == "200"
    assert _differ(before, _pixels(stage))
    page.keyboard.press("ArrowLeft")
    assert wipe.get_attribute("aria-valuetext") == "98 % truth over classifier"
    page.keyboard.press("Escape")


def test_arrow_keys_step_through_colorizers_and_photographs(page: "Page") -> None:
    page.locator(".tile[data-name='classifier']").first.click()
    stage, name, which = (page.locator(f"#viewer {part}") for part in (".stage", ".name", ".which"))
    first = _pixels(stage)
    page.keyboard.press("ArrowRight")
    assert name.text_content() == "regressor"
    second = _pixels(stage)
    page.keyboard.press("ArrowDown")
    assert which.text_content() == "2 of 2"
    assert name.text_content() == "regressor"
    assert _differ(first, second)
    assert _differ(second, _pixels(stage))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert (which.text_content(), name.text_content()) == ("1 of 2", "classifier")
    assert not _differ(first, _pixels(stage))
    page.locator("#viewer .close").click()


def test_dragging_the_picture_moves_the_slider(page: "Page") -> None:
    page.locator(".tile[data-name='classifier']").first.click()
    box = page.locator(".stage").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, middle)
    page.mouse.up()
    assert page.locator("#wipe").input_value() == "150"
    page.keyboard.press("Escape")


def test_failures_are_leafed_through_and_chosen(page: "Page") -> None:
    shown = page.locator(".failure:visible")
    assert shown.count() == 1
    assert shown.get_attribute("data-model") == "classifier"
    page.get_by_role("button", name="Next model").click()
    assert shown.get_attribute("data-model") == "regressor"
    assert page.locator("select[name=model]").input_value() == "regressor"
    page.locator("select[name=measure]").select_option("ciede2000")
    page.locator(".ends button", has_text="Best").click()
    assert shown.get_attribute("data-measure") == "ciede2000"
    assert shown.get_attribute("data-end") == "best"
    assert shown.get_attribute("data-model") == "regressor"
    image = shown.locator("img")
    image.scroll_into_view_if_needed()
    page.wait_for_function(
        "element => element.complete && element.naturalWidth > 0", arg=image.element_handle()
    )
    page.locator(".leaf").focus()
    page.keyboard.press("ArrowRight")
    assert (shown.get_attribute("data-measure"), shown.get_attribute("data-end")) == (
        "auc",
        "worst",
    )
    page.keyboard.press("ArrowLeft")
    assert shown.get_attribute("data-measure") == "ciede2000"
    page.keyboard.press("ArrowRight")


def test_the_table_by_hue_has_two_numbers_to_choose_from(page: "Page") -> None:
    kept = page.get_by_role("region", name="Color kept % by hue")
    assert not kept.is_visible()
    page.get_by_role("button", name="Color kept %").click()
    assert kept.is_visible()
    assert not page.get_by_role("region", name="AuC % by hue").is_visible()
    page.get_by_role("button", name="AuC %", exact=True).click()
