"""What tests of the page share: visits to it, and how its pictures look."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from browser_kit import browser_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Download, Locator, Page, Route

DESKTOP, PHONE = (1280, 800), (390, 844)
LOAD_FAILED = "error: Failed to load resource"
"""What a browser writes of each refusal by itself."""
DROP = """([files]) => {
  const transfer = new DataTransfer();
  for (const { name, type, bytes } of files) {
    const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([content], name, { type }));
  }
  const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, options));
  }
}"""
PASTE = """([{ name, type, bytes }]) => {
  const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([content], name, { type }));
  dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
}"""
PIXELS = """async (image) => {
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/png" });
  const reader = new FileReader();
  await new Promise((resolve) => {
    reader.onload = resolve;
    reader.readAsDataURL(blob);
  });
  return reader.result.split(",")[1];
}"""
TYPES = {"jpg": "image/jpeg", "png": "image/png", "tif": "image/tiff", "txt": "text/plain"}


@contextmanager
def visited(
    browser: "Browser",
    address: str,
    *,
    phone: bool = False,
    refusals: bool = False,
    limits: dict[str, Any] | None = None,
) -> Iterator["Page"]:
    """Yield the page; it must not complain, ask elsewhere, or scroll sideways.

    Parameters
    ----------
    refusals : whether the server may refuse something.
    limits : that the page is told instead of the server's own.
    """
    console: list[str] = []
    requests: list[str] = []
    size = PHONE if phone else DESKTOP
    with browser_page(console, requests, size=size, touch=phone, browser=browser) as page:
        if limits:
            page.route("**/models", partial(answer_limited, limits))
        page.goto(address)
        yield page
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    unexpected = [line for line in console if not (refusals and line.startswith(LOAD_FAILED))]
    assert unexpected == []
    assert all(asked.startswith((address, f"blob:{address}")) for asked in requests)


def answer_limited(limits: dict[str, Any], route: "Route") -> None:
    offered = route.fetch().json()
    route.fulfill(body=json.dumps({**offered, "limits": {**offered["limits"], **limits}}))


def give(page: "Page", how: str, **files: bytes) -> None:
    """Drop or paste files, whose names have ``_`` for the dot."""
    named = ((name.replace("_", "."), data) for name, data in files.items())
    sent = [
        {"name": name, "type": TYPES[name[-3:]], "bytes": base64.b64encode(data).decode()}
        for name, data in named
    ]
    page.evaluate(how, [sent] if how == DROP else sent)


def settle(page: "Page") -> None:
    """Wait until every card shows its picture, and a photograph is chosen."""
    page.locator(".card img.after[src]").first.wait_for(state="attached")
    for card in page.locator(".card").all():
        card.and_(page.locator("[aria-busy=false]")).wait_for()


def model(page: "Page", name: str) -> "Locator":
    return page.get_by_role("checkbox", name=name)


def card(page: "Page", name: str) -> "Locator":
    return page.get_by_role("article", name=name)


def divider(page: "Page", name: str = "likely") -> "Locator":
    return card(page, name).get_by_role("slider")


def shown(page: "Page", name: str = "likely", side: str = "after") -> np.ndarray:
    """Return the picture of a card, int (H, W, 3)."""
    return decoded(base64.b64decode(card(page, name).locator(f"img.{side}").evaluate(PIXELS)))


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def seen(locator: "Locator", left: float, right: float) -> float:
    """Return how colorful a part of an element is on the screen, from ``left`` to ``right``."""
    rgb = decoded(locator.screenshot())
    height, width = rgb.shape[:2]
    # The words at the top and the grip in the middle are not of the picture.
    return colorfulness(rgb[-height // 4 :, round(left * width) : round(right * width)])


def colorfulness(rgb: np.ndarray) -> float:
    return float(np.ptp(rgb, axis=2).mean())


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Return the gray level, 0..255, of equal linear luminance (IEC 61966-2-1)."""
    values = rgb / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    level: np.ndarray = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
    return 255.0 * level


def tune(page: "Page", name: str, value: float) -> None:
    page.locator(f"input[name={name}]").fill(str(value))
    settle(page)


def downloaded(page: "Page", name: str = "likely") -> "Download":
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Download, {name}").click()
    return waiting.value


def content(download: "Download") -> bytes:
    return Path(download.path()).read_bytes()
