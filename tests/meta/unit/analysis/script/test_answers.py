"""What a script recognizes in an answer, and which pages of the list it objects to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.script.answers import essence, has_status, read_answer, same
from purge_conformance.analysis.script.lists import listed

if TYPE_CHECKING:
    from pathlib import Path

GUID = "0d1f5c3e-1111-4222-8333-444455556666"
EVENTS = [{"guid": f"e{n}", "created_at": f"2026-07-01T12:00:0{n}Z"} for n in range(5)]


def answer(folder: Path, body: str, status: int = 200, *headers: str) -> str:
    """Write an answer as `curl -i` prints it."""
    head = "\r\n".join([f"HTTP/1.1 {status} Words", "Content-Type: application/json; charset=utf-8", *headers])
    (folder / "answer").write_text(f"HTTP/1.1 100 Continue\r\n\r\n{head}\r\n\r\n{body}", encoding="utf-8", newline="")
    return str(folder / "answer")


def test_answer_of_curl_is_read(tmp_path: Path) -> None:
    """Interim answers are left out; an answer without a status has status 0."""
    status, headers, body = read_answer(answer(tmp_path, "{}", 403, "X-A: b"))
    assert (status, headers["x-a"], body) == (403, "b", "{}")
    (tmp_path / "empty").write_bytes(b"")
    assert read_answer(str(tmp_path / "empty"))[0] == 0
    assert [has_status(answer(tmp_path, "{}", 403), each) for each in ("403", "503")] == [0, 1]


ENVELOPE = json.dumps({"errors": [{"code": 10003, "detail": "no"}]})


@pytest.mark.parametrize(
    ("body", "status", "header", "is_same"),
    [
        (ENVELOPE, 403, "X-A: b", True),
        (json.dumps({"errors": [{"code": 10003, "detail": "no", "title": "CF"}]}), 403, "X-A: b", False),
        (ENVELOPE, 401, "X-A: b", False),
        ("text", 403, "X-A: b", False),
        (ENVELOPE, 403, "X-Token: $ADMIN_TOKEN", False),
    ],
)
def test_same_answer(body: str, status: int, header: str, *, is_same: bool, tmp_path: Path) -> None:
    """An answer shows the failure if it has the status, the media type and the content of the recorded one."""
    recorded = essence(403, {"content-type": "application/json"}, ENVELOPE)
    assert bool(same(answer(tmp_path, body, status, header), json.dumps(recorded))) is is_same
    assert bool(same(answer(tmp_path, body, status), json.dumps(recorded[:1]))) is (status == 403)


def test_varying_text_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guids, numbers and the values of tokens differ from run to run, whether or not a list has events does not."""
    monkeypatch.setenv("ADMIN_TOKEN", "the-secret")
    recorded = essence(401, {"content-type": "application/json"}, f'{{"detail": "{GUID} at 12:00 for $ADMIN_TOKEN"}}')
    again = '{"detail": "9d1f5c3e-1111-4222-8333-444455556666 at 09:41 for the-secret"}'
    assert same(answer(tmp_path, again, 401), json.dumps(recorded))
    full, empty = (essence(200, {}, json.dumps({"resources": rows})) for rows in (EVENTS, []))
    assert full == essence(200, {}, json.dumps({"resources": EVENTS[:1], "x": 1})) != empty


def page(rows: list[dict[str, str]], total: int, pages: int, query: str = "", **links: str | None) -> dict[str, Any]:
    """Return a page with links that are right for a first and last page, unless others are given."""
    href = f"http://x/v3/app_usage_events?{query}"
    names = {"first": href, "last": href, "next": None, "previous": None} | links
    found = {name: {"href": link} if link else None for name, link in names.items()}
    return {"pagination": {"total_results": total, "total_pages": pages, **found}, "resources": rows}


@pytest.mark.parametrize(
    ("query", "rows", "total", "words"),
    [
        ("per_page=5&page=1", EVENTS, 5, ""),
        ("per_page=5&page=1", EVENTS[:4], 5, "4 events, expected 5"),
        ("per_page=5&page=1", EVENTS, 4, "total_results is 4, expected 5"),
        ("guids=e1,e3&per_page=5", [EVENTS[1], EVENTS[3]], 2, ""),
        ("guids=e1&per_page=5", EVENTS, 5, "events that do not match the query, for example e0"),
        ("after_guid=e2&per_page=5", EVENTS[3:], 2, ""),
        ("after_guid=e2&per_page=5", EVENTS[2:], 3, "do not match the query, for example e2"),
        ("created_ats[lt]=2026-07-01T12:00:02Z&per_page=5", EVENTS[:2], 2, ""),
        ("created_ats[lte]=2026-07-01T12:00:02Z&per_page=5", EVENTS[:2], 2, "2 events, expected 3"),
        ("created_ats=2026-07-01T12:00:02Z&per_page=5", [EVENTS[2]], 1, ""),
        ("order_by=-created_at&per_page=5", EVENTS[::-1], 5, ""),
        ("order_by=-created_at&per_page=5", EVENTS, 5, "not in the order -created_at"),
    ],
)
def test_pages(query: str, rows: list[dict[str, str]], total: int, words: str, tmp_path: Path) -> None:
    """A page has the events that its query selects from the whole list, their number and their order."""
    (tmp_path / "all").write_text(json.dumps(page(EVENTS, 5, 1)) + "\n", encoding="utf-8")
    found = listed(str(tmp_path / "all"), answer(tmp_path, json.dumps(page(rows, total, 1, query))), query)
    assert words in " ".join(found) if words else found == [], found


def test_links_and_walks(tmp_path: Path) -> None:
    """Links lead to the neighbours with the same filters, no event is on two pages, and a repeated page is equal."""
    whole = tmp_path / "all"
    whole.write_text(json.dumps(page(EVENTS, 5, 1)) + "\n", encoding="utf-8")
    lost = page([EVENTS[1]], 1, 1, "per_page=5", next="http://x/?page=2")
    found = listed(str(whole), answer(tmp_path, json.dumps(lost)), "guids=e1&per_page=5")
    assert "the link next is http://x/?page=2" in " ".join(found)
    assert "the link first loses guids" in " ".join(found)
    first = answer(tmp_path, json.dumps(page(EVENTS[:3], 5, 2)))
    found = listed(str(whole), first, "per_page=3&page=1", first, "per_page=3&page=2")
    assert "on several pages: e0" in found
    whole.write_text(json.dumps(page(EVENTS, 9, 1)) + "\n", encoding="utf-8")
    assert listed(str(whole)) == ["the whole list has 5 events, and total_results says 9"]
