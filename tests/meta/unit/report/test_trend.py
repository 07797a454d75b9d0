"""The reports of a folder, and the page that plots them."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.page import Elements
from meta.support.reports import report, row, write_report
from meta.support.results import HOSTILE
from purge_conformance.errors import BadData
from purge_conformance.report import trend, trend_html
from purge_conformance.report.model import Outcome
from purge_conformance.report.page import round_ticks
from purge_conformance.report.trend import read_trend
from purge_conformance.report.trend_html import MAX_COLUMNS, render

if TYPE_CHECKING:
    from pathlib import Path

GLYPHS = {"passed": "✓", "failed": "✗"}


def write_run(folder: Path, day: int, *rows: dict[str, Any], **more: Any) -> Path:  # noqa: ANN401 -- JSON
    """Write the report of a run at that day to a folder, and return it."""
    times = {"started_at": f"2026-01-{day:02}T00:00:00Z", "finished_at": f"2026-01-{day:02}T00:00:10Z"}
    return write_report(folder, report(*rows, **times | more))


def page_of(folder: Path) -> Elements:
    """Return the page of a folder, which stands in it."""
    return Elements(render(read_trend(folder), folder / "trend.html"))


def test_reports_of_all_folders_in_order(tmp_path: Path) -> None:
    """Reports are found at any depth and sorted by the time of the run; one without a time comes first."""
    write_run(tmp_path / "b", 1, row("A-1"))
    write_run(tmp_path / "a" / "deep" / "er", 3, row("A-1"))
    write_run(tmp_path / "c", 2, row("A-1"))
    stable = {"verdict": "conformant", "requirements": [row("A-1")]}
    write_report(tmp_path / "d", stable)
    points = read_trend(tmp_path).points
    assert [point.path.parent.relative_to(tmp_path).as_posix() for point in points] == ["d", "b", "c", "a/deep/er"]
    assert [point.seconds for point in points] == [None, 10.0, 10.0, 10.0]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    """A symbolic link to a run, such as one to the latest, is not a second run, and a loop ends."""
    write_run(tmp_path / "run", 1, row("A-1"))
    (tmp_path / "latest").symlink_to("run")
    (tmp_path / "run" / "loop").symlink_to(tmp_path)
    assert len(read_trend(tmp_path).points) == 1


def test_changes_since_last_run_that_has_it(tmp_path: Path) -> None:
    """What changed is compared with the last earlier run that has the requirement; a new one is no change."""
    write_run(tmp_path / "1", 1, row("A-1"), row("B-1", "failed"), row("C-1"))
    write_run(tmp_path / "2", 2, row("A-1"))
    write_run(tmp_path / "3", 3, row("A-1", "failed"), row("B-1"), row("C-1", "inconclusive"), row("D-1", "failed"))
    first, second, third = read_trend(tmp_path).points
    assert [point.newly_failed + point.newly_passed + point.newly_not_judged for point in (first, second)] == [(), ()]
    assert (third.newly_failed, third.newly_passed, third.newly_not_judged) == (("A-1",), ("B-1",), ("C-1",))
    assert (third.failed_musts, third.count(Outcome.FAILED)) == (2, 2)


def test_unreadable_report_is_named(tmp_path: Path) -> None:
    """A file that is no report is not shown, and the page says so with the reason."""
    write_run(tmp_path / "good", 1, row("A-1"))
    write_report(tmp_path / "bad", [])
    found = read_trend(tmp_path)
    assert list(found.unreadable) == [tmp_path / "bad" / "report.json"]
    page = page_of(tmp_path)
    assert f"{tmp_path}/bad/report.json: got [] as `report`, expected an object." in page.text
    assert "Not shown 1" in page.text


def test_unreadable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be listed is named too."""
    write_run(tmp_path / "good", 1, row("A-1"))
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path: str) -> Any:  # noqa: ANN401 -- as os.scandir returns
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (reason,) = read_trend(tmp_path).unreadable.values()
    assert reason == f"{tmp_path}/closed: Permission denied. Give the permission to read it."


@pytest.mark.parametrize("content", [None, "{"])
def test_folder_without_report_is_refused(tmp_path: Path, content: str | None) -> None:
    """Without a report that can be read there is no page, and the reason says why."""
    if content:
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadData, match=r"has no report.json that can be read. Give a folder of runs") as error:
        read_trend(tmp_path)
    assert ("no JSON" in str(error.value)) == bool(content)


def test_number_of_reports_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many reports those that were written last are read, and the page says how many are left out."""
    for day in range(1, 6):
        os.utime(write_run(tmp_path / str(day), day, row("A-1")) / "report.json", (day, day))
    monkeypatch.setattr(trend, "MAX_REPORTS", 2)
    found = read_trend(tmp_path)
    assert ([point.path.parent.name for point in found.points], found.left_out) == (["4", "5"], 3)
    assert "3 reports: more than 2 were found" in page_of(tmp_path).text


def test_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with too many files is not searched to its end, and the page says so."""
    write_run(tmp_path, 1, row("A-1"))
    write_run(tmp_path / "a", 2, row("A-1"))
    monkeypatch.setattr(trend, "MAX_ENTRIES", 1)
    found = read_trend(tmp_path)
    assert (len(found.points), found.is_whole) == (1, False)
    assert "it has too many files to search all of them" in page_of(tmp_path).text


def test_page_has_each_run(tmp_path: Path) -> None:
    """The page has a mark per run in each plot, a row per run, and a cell per run of each changed requirement."""
    write_run(tmp_path / "1", 1, row("A-1"), row("B-1"), verdict="conformant")
    write_run(tmp_path / "2", 2, row("A-1", "failed"), row("B-1"), verdict="non-conformant")
    (tmp_path / "2" / "report.html").touch()
    page = page_of(tmp_path)
    ids = [name for name in page.attributes("tr", "id") if name]
    assert ids == ["run-2", "run-1"]
    assert len(page.attributes("circle", "cx")) == 4 * 2
    assert page.attributes("rect", "class") == ["good", "bad", "bad"]
    assert [link for link in page.attributes("a", "href") if link and not link.startswith("#")] == ["2/report.html"]
    assert "newly failed: A-1" in page.text
    assert "Requirements that changed 1" in page.text


def test_plots_have_names(tmp_path: Path) -> None:
    """Each plot has a name that says the same as the picture, and each scrolling region can be reached by keyboard."""
    write_run(tmp_path / "1", 1, row("A-1"), requests=1000)
    write_run(tmp_path / "2", 2, row("A-1", "failed"), requests=1200)
    page = page_of(tmp_path)
    names = [attributes.get("aria-label") for tag, attributes in page.found if attributes.get("role") == "img"]
    assert len(names) == 6
    assert "Requests, per run: from 1,000 to 1,200, the latest 1,200." in names
    assert "Requirements that did not pass, per run; the latest: 1 failed, 0 inconclusive, 0 not exercised." in names
    assert [attributes.get("tabindex") for _, attributes in page.found if "scroll" in (attributes.get("class") or "")]


def test_bars_stack_to_their_number(tmp_path: Path) -> None:
    """A bar has a part per outcome, and its parts stand on each other."""
    write_run(tmp_path, 1, row("A-1", "failed"), row("A-2", "inconclusive"), row("A-3", "inconclusive"))
    rects = [attributes for tag, attributes in page_of(tmp_path).found if tag == "rect"][1:]
    assert [each["class"] for each in rects] == ["bad", "warn"]
    spans = [(float(each["y"] or 0), float(each["height"] or 0)) for each in rects]
    assert spans[1][0] + spans[1][1] == pytest.approx(spans[0][0])
    assert spans[1][1] == pytest.approx(2 * spans[0][1])


def test_unknown_values_leave_a_gap(tmp_path: Path) -> None:
    """A report without times and counts, with a verdict of a newer suite, is shown without inventing any."""
    write_report(tmp_path, {"verdict": "better", "requirements": [row("A-1")]})
    page = page_of(tmp_path)
    assert page.attributes("circle", "cx") == ["50.000%"]
    assert "requests unknown" in page.text
    assert "time unknown" in page.text


@pytest.mark.parametrize("longest", [4, 7, 25, 49, 98, 160, 1180])
def test_axis_names_its_ends(longest: float) -> None:
    """The first and the last line of an axis have a label, and no two labels touch."""
    labels = trend_html._ticks(ticks := round_ticks(longest))  # noqa: SLF001 -- the page has it only as a drawing
    heights = list(labels.values())
    assert (heights[0], heights[-1], list(labels)[-1]) == (trend_html.HEIGHT, 0, f"{ticks[-1]:,g}")
    assert min(a - b for a, b in pairwise(heights)) >= 18


def test_many_runs_stay_readable(tmp_path: Path) -> None:
    """Of many runs the table of changes has the latest; the page says of how many."""
    for number in range(MAX_COLUMNS + 5):
        write_run(tmp_path / f"{number:03}", 1, row("A-1", "failed" if number == MAX_COLUMNS else "passed"))
    page = page_of(tmp_path)
    assert f"the latest {MAX_COLUMNS} of {MAX_COLUMNS + 5} runs" in page.text
    assert page.text.count("not in this run") == 0
    assert len([name for name in page.attributes("tr", "id") if name]) == MAX_COLUMNS + 5


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_reports_is_data(tmp_path: Path, text: str) -> None:
    """Text of a report is escaped, and the page allows no script and no request."""
    write_run(tmp_path / "1", 1, row("A-1"), target=text, verdict=text, suite_version=text)
    write_run(tmp_path / "2", 2, row("<b>", "failed"), verdict=text)
    write_report(tmp_path / "bad", {"requirements": [text]})
    page = page_of(tmp_path)
    assert not {"script", "img", "b1"} & {tag for tag, _ in page.found}
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)
    assert ("default-src 'none'; style-src 'unsafe-inline'") in page.attributes("meta", "content")
    assert not set("\x00\x1b\x9b\u202e") & set(page.text)


def test_link_is_relative_and_quoted(tmp_path: Path) -> None:
    """A link to a report leads from the page to it, wherever the page is, and a name cannot be a scheme."""
    write_run(tmp_path / "runs" / "javascript:a b", 1, row("A-1"))
    (tmp_path / "runs" / "javascript:a b" / "report.html").touch()
    page = Elements(render(read_trend(tmp_path / "runs"), tmp_path / "pages" / "trend.html"))
    assert "../runs/javascript%3Aa%20b/report.html" in page.attributes("a", "href")
    assert trend_html.FILE_NAME == "trend.html"
