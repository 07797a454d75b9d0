"""The HTML pages in a headless browser, on a wide screen and on a phone: axe-core, and the keyboard alone.

`tox -e browser` installs axe-core and Playwright, and runs this; it needs Chromium or Chrome on the PATH.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from meta.support.browser import LIST_SCROLLING, chromium, focus, list_stops, opened, violations, walk
from meta.support.fleet import FOUR
from purge_conformance.engine import reference_process
from purge_conformance.report import fleet_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from meta.support.command import CommandResult

pytestmark = pytest.mark.browser

FAULTS = {  # what report.html draws -> a fault, and the requirement that it fails
    "steps": ("app-started-twice-not-seeded", "MODEL-01"),
    "pages": ("pages-overlap", "LIST-05"),
    "timeline": ("change-after-busy-purge-lost", "RACE-03"),
}
PAGES = [*FAULTS, "gate", "trend", "fleet"]
WIDTHS = (390, 1280)  # CSS pixels: a phone, a laptop
SERIOUS = {"serious", "critical"}
# The words that stick out of the window, except those that scroll in a box of their own.
CUT_WORDS = """() => [...document.querySelectorAll('body *')].filter(each => each.checkVisibility()
    && !each.closest('.scroll, pre') && !each.childElementCount && each.textContent.trim())
  .filter(each => { const box = each.getBoundingClientRect();
    return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1); })
  .map(each => each.textContent.trim().slice(0, 80))"""
TARGET_IS_SHOWN = """() => { const top = document.querySelector(':target').getBoundingClientRect().top;
  return top > -1 && top < innerHeight; }"""
FOLLOWS_TARGET = """() => { const target = document.querySelector(':target');
  const next = window.stops.find(each => target.contains(each)
    || target.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
  return next === undefined || document.activeElement === next; }"""
OPEN_ALL = "() => document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.fixture(scope="module")
def pages(command: Callable[..., CommandResult], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a run for each picture, one with a gate, the trend of these runs, and a fleet of all kinds."""
    folder = tmp_path_factory.mktemp("runs")
    with reference_process.server([word for fault, _ in FAULTS.values() for word in ("--mount", fault)]) as (
        url,
        tokens,
    ):
        environment = os.environ | {f"{role.upper()}_TOKEN": token for role, token in tokens.items()}
        flags = [f"--token={role}=env:{role.upper()}_TOKEN" for role in tokens]
        for name, (fault, requirement) in FAULTS.items():
            more = (f"--select={requirement}", "--quiet", "--out", folder / name)
            done = command("run", f"{url}/{fault}", *flags, *more, folder=folder / name, env=environment)
            assert done.outcomes == {requirement: "failed"}, done
            assert '<figure class="picture">' in (folder / name / "report.html").read_text("utf-8")
    known = folder / "known.yaml"
    command("known-failures", "write", folder / "pages", "--owner=a", "--reason=b", "--out", known, folder=folder)
    promises = (f"--known-failures={known}", f"--baseline={folder / 'pages'}")
    gate = command("judge", folder / "pages", "--out", folder / "gate", *promises, folder=folder / "gate")
    assert gate.report["gate"]["known_failures"], gate
    assert command("trend", folder, folder=folder).code == 0
    (folder / "fleet.html").write_text(fleet_html.render(FOUR, "run.log"), encoding="utf-8")
    reports = {name: folder / name / "report.html" for name in PAGES}
    return reports | {name: folder / f"{name}.html" for name in ("trend", "fleet")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as one:
        yield one


@pytest.fixture(params=[(name, width) for name in PAGES for width in WIDTHS], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, pages: dict[str, Path]) -> Iterator[Page]:
    """Each page in a window of each width."""
    name, width = request.param
    with opened(browser, pages[name], width) as one:
        yield one


def test_page_is_accessible(page: Page) -> None:
    """axe-core runs on the page, and finds nothing serious."""
    assert [each for each in violations(page) if each["impact"] in SERIOUS] == []


def test_axe_finds_something(browser: Browser, tmp_path: Path) -> None:
    """A page with an image that has no name has a critical violation, so that the check can fail."""
    path = tmp_path / "bad.html"
    path.write_text("<html><body><img src='data:,'></body></html>", encoding="utf-8")
    with opened(browser, path, WIDTHS[0]) as bad:
        assert "image-alt" in {each["id"] for each in violations(bad)}


def test_page_is_as_wide_as_its_window(page: Page) -> None:
    """Also with all details open, no page scrolls sideways, and no words are cut at its edge."""
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    assert page.evaluate(CUT_WORDS) == []


def test_tab_reaches_all_and_leaves(page: Page) -> None:
    """Tab and Shift+Tab reach all that a user can operate in the order of the page, visibly, and leave it."""
    for prepare in ("() => {}", OPEN_ALL):
        page.evaluate(prepare)
        page.evaluate("() => { document.activeElement.blur(); getSelection().collapse(document.body, 0); }")
        number = list_stops(page)
        assert number > 2
        there, back = walk(page, "Tab", number), walk(page, "Shift+Tab", number - 1)
        assert [each["number"] for each in there] == [*range(number)], there
        assert [each["number"] for each in back] == [*reversed(range(number - 1))], back
        assert [each for each in (*there, *back) if not (each["isOutlined"] and each["isOnScreen"])] == []
        focus(page, number - 1)
        assert walk(page, "Tab", 1)[0]["number"] in {-1, 0}  # a browser has an address bar between the two


def test_details_open_and_close(page: Page) -> None:
    """Enter and the space bar open each of the details and close it, and the focus stays on its summary."""
    list_stops(page)
    summaries = page.evaluate("() => window.stops.flatMap((each, n) => each.tagName === 'SUMMARY' ? [n] : [])")
    for number in summaries:
        focus(page, number)
        states = []
        for key in ("Enter", "Space", "Space", "Enter"):
            page.keyboard.press(key)
            states.append(page.evaluate("number => window.stops[number].parentElement.open", number))
        was_open = not states[0]
        assert states == [not was_open, was_open, not was_open, was_open]
        assert page.evaluate("number => document.activeElement === window.stops[number]", number)


def test_links_of_the_page_lead_there(page: Page) -> None:
    """Enter on a link within the page shows its target, and Tab goes on to what follows there."""
    list_stops(page)
    links = page.evaluate(
        "() => window.stops.flatMap((each, n) => (each.getAttribute('href') || '').startsWith('#') ? [n] : [])"
    )
    assert links
    for number in links:
        focus(page, number)
        page.keyboard.press("Enter")
        assert page.evaluate(TARGET_IS_SHOWN)
        page.keyboard.press("Tab")
        assert page.evaluate(FOLLOWS_TARGET)


def test_what_scrolls_does_so_by_keyboard(page: Page) -> None:
    """What is larger than its box takes the focus, and an arrow key scrolls it."""
    page.evaluate(OPEN_ALL)
    list_stops(page)
    for number in page.evaluate(LIST_SCROLLING):
        assert number >= 0
        focus(page, number)
        is_wide = page.evaluate("n => stops[n].scrollWidth > stops[n].clientWidth + 1", number)
        page.keyboard.press("ArrowRight" if is_wide else "ArrowDown")
        page.wait_for_function("n => stops[n].scrollLeft + stops[n].scrollTop > 0", arg=number)
