"""Pages in headless Chromium, with real key presses; `tox -e browser` installs what this needs."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

HEIGHT = 900  # CSS pixels of a window
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Remembers what a user can operate, in the order of the page; what closed details hide is not part of it.
LIST_STOPS = """() => {
  window.stops = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')]
    .filter(each => each.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}));
  return window.stops.length;
}"""
# What has the focus: its number among these (-1: none of them), and whether a user can see that.
FOCUS = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  return {
    number: window.stops.indexOf(one),
    name: one.tagName + ' ' + one.textContent.trim().slice(0, 60),
    isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    isOnScreen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.height > 0,
  };
}"""
# What is wider or higher than the space that it has, and scrolls by itself.
LIST_SCROLLING = """() => [...document.querySelectorAll('*')].filter(each => each.checkVisibility()
    && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)
    && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX) && each !== document.scrollingElement)
  .map(each => window.stops.indexOf(each))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser.

    Raises:
        AssertionError: none is on the PATH.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only `tox -e browser` installs it

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, f"none of {', '.join(PROGRAMS)} is on the PATH; install one of them"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, path: Path, width: int) -> Iterator[Page]:
    """Give a page in a window of this width in CSS pixels; nothing in it moves by itself."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


def violations(page: Page) -> list[dict[str, Any]]:
    """Return what axe-core finds; the variable AXE_CORE names its file."""
    page.evaluate(Path(os.environ["AXE_CORE"]).read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert found["passes"], "axe-core checked nothing"
    rows: list[dict[str, Any]] = found["violations"]
    return rows


def list_stops(page: Page) -> int:
    """Find what a user can operate now, and return how many there are."""
    number: int = page.evaluate(LIST_STOPS)
    return number


def walk(page: Page, key: str, presses: int) -> list[dict[str, Any]]:
    """Press a key so often, and return what has the focus after each press."""
    found = []
    for _ in range(presses):
        page.keyboard.press(key)
        found.append(page.evaluate(FOCUS))
    return found


def focus(page: Page, number: int) -> None:
    """Give the focus to what a user can operate, by its number."""
    page.evaluate("number => window.stops[number].focus()", number)
