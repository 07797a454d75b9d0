"""report.html: self-contained, with every text of a target escaped, and readable in a real browser."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from meta.support.results import requirement
from purge_conformance.evidence.records import Evidence, Exchange, Header
from purge_conformance.evidence.steps import Part, Phase, Place, Scenario, Step
from purge_conformance.report import html as as_html
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, StatusCount, Tally, Timing, Verdict

HOSTILE = "</script></pre></style>]]><img src=x onerror=alert(1)>\x00\x1b[2J\u202e\ud800'\" onclick='x'{{ 7*7 }}"
VOID = {"meta", "br", "line", "rect"}
INLINE = {"a", "b", "bdi", "code", "span"}
HEADER = Header("0.1.0", {}, "http://t", {}, "2026-01-02T03:04:05Z")
FAILED = Result(
    requirement(
        "PURGE-09",
        statement="Every event is destroyed, `guid` by `guid`.",
        quote="Destroys all existing events.",
        remedy="See the transaction.",
    ),
    Outcome.FAILED,
    cause=Cause.TARGET,
    findings=(Finding("nothing is left", "3 of 12 are left", 7, "curl -X GET http://t/v3"),),
    exchanges=(7,),
)
EXCHANGE = Exchange(
    n=7,
    scenario=Scenario.PURGE,
    place=Place(Step.PURGE, phase=Phase.AFTER, part=Part.EVENTS),
    role="admin",
    method="GET",
    path="/v3/app_usage_events?page=1",
    request_headers=(("Authorization", "Bearer $ADMIN_TOKEN"),),
    request_body=None,
    sent_at=1.0,
    elapsed=0.25,
    status=200,
    response_headers=(("content-type", "application/json"),),
    body=b'{"resources":[{"guid":"left"}]}',
)
RUN = Run(
    suite_version="0.1.0",
    spec_version="1.0.0",
    spec_digests={"openapi.yaml": "a" * 64},
    target="http://t",
    settings={"limits": {"timeout": 30.0}, "roles": ["admin"], "select": []},
    started_at="2026-01-02T03:04:05.500Z",
    finished_at="2026-01-02T03:04:11.700Z",
    requests=12,
    purges=1,
    requirements=(FAILED,),
    statuses=(
        StatusCount("purge", 200, documented=True, count=3),
        StatusCount("get", 418, documented=False, count=2),
    ),
    timings=(Timing(Scenario.PURGE, 1.5, 7), Timing(Scenario.GENERATED, 3.31, 180)),
    notes=(),
    verdict=Verdict.NON_CONFORMANT,
)


class Page(HTMLParser):
    """Parses a page: its text, its tags with attributes, and whether tags are closed in order."""

    def __init__(self, html: str) -> None:
        """Parse the whole page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.append((tag, dict(attrs)))
        self.texts.append("" if tag in INLINE else " ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last open tag."""
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text with white space collapsed, one line for each block."""
        return " ".join("".join(self.texts).split())


def page(run: Run = RUN, *exchanges: Exchange) -> Page:
    """Return the parsed page of a run."""
    return Page(as_html.render(run, Evidence(HEADER, exchanges, ())))


def test_page_shows_failure() -> None:
    """A failure has its sentence, quote, source, expected, actual, exchange, curl, remedy and cause."""
    text = page(RUN, EXCHANGE).text
    for words in (
        "Non-conformant 1 of 1 MUST requirement failed.",
        "Every event is destroyed, guid by guid.",
        "Destroys all existing events.",
        "the page",
        "Expected nothing is left",
        "Got 3 of 12 are left",
        "curl -X GET http://t/v3",
        "GET /v3/app_usage_events?page=1 Authorization: Bearer $ADMIN_TOKEN",
        "200 OK content-type: application/json",
        '"guid": "left"',
        "See the transaction.",
        "cause: target",
        "12 requests, 1 purge, 6.2 s",
        "a" * 64,
    ):
        assert words in text


def test_page_shows_unjudged_requirements() -> None:
    """An unjudged requirement has its reason and the next step."""
    idle = replace(
        FAILED,
        outcome=Outcome.NOT_EXERCISED,
        cause=Cause.AUTHENTICATION,
        findings=(),
        reason="No token of global_auditor was given.",
        next_step="Give --token global_auditor=SOURCE.",
    )
    text = page(replace(RUN, requirements=(idle,), verdict=Verdict.INCONCLUSIVE)).text
    assert "No token of global_auditor was given. Next step: Give --token global_auditor=SOURCE." in text
    assert "No MUST failed, but 1 of 1 could not be judged in this run." in text


def test_page_loads_nothing() -> None:
    """The page forbids itself to load or run anything, and refers to nothing to load."""
    read = page(RUN, EXCHANGE)
    policies = [a["content"] for tag, a in read.tags if tag == "meta" and "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "object", "image", "use"}
    assert {a["href"] for _, a in read.tags if not (a.get("href") or "#").startswith("#")} == {
        "https://docs.example/purge"
    }


def test_page_escapes_target_text() -> None:
    """Text of a target adds no tag, attribute, template or hidden character."""
    finding = Finding(HOSTILE, HOSTILE, 7, HOSTILE)
    members: dict[str, Any] = dict.fromkeys(("statement", "quote", "remedy", "group", "shown_by"), HOSTILE)
    rows = (
        replace(FAILED, requirement=requirement(**members), findings=(finding,)),
        replace(FAILED, outcome=Outcome.INCONCLUSIVE, findings=(), reason=HOSTILE, next_step=HOSTILE),
    )
    run = replace(RUN, requirements=rows, notes=(HOSTILE,), settings={HOSTILE: HOSTILE}, target=HOSTILE)
    raw = HOSTILE.encode("utf-8", "surrogatepass")
    seen = replace(EXCHANGE, path=HOSTILE, role=HOSTILE, response_headers=((HOSTILE, HOSTILE),), body=raw)
    html = as_html.render(run, Evidence(HEADER, (replace(seen, request_body=HOSTILE),), ()))
    read = Page(html)
    html.encode()
    assert not read.open
    assert not {tag for tag, _ in read.tags} & {"script", "img"}
    assert not {name for _, attributes in read.tags for name in attributes if name.startswith("on")}
    assert not set(html) & set("\x00\x1b\u202e\ud800")
    assert read.text.count("{{ 7*7 }}") > 10


@pytest.mark.parametrize(
    "body", [b"x" * 1_048_576, b"[" * 200_000, b"[1," * 80_000, b'{"a":"' + b"y" * 1_048_576 + b'"}', b"\xff" * 9_000]
)
def test_page_truncates_bodies(body: bytes) -> None:
    """A huge, deep or binary body is truncated, and the page says how large it is."""
    html = as_html.render(RUN, Evidence(HEADER, (replace(EXCHANGE, body=body),), ()))
    assert f"{len(body):,} bytes" in html
    assert "the first 4,000 characters" in html
    assert len(html) < 100_000


def test_page_without_answer() -> None:
    """An exchange without a response has its error."""
    silent = replace(EXCHANGE, status=None, body=b"", response_headers=(), error="no answer within 30 s")
    assert "No response: no answer within 30 s" in page(RUN, silent).text


def test_empty_run_has_page() -> None:
    """A run without an exchange still has a complete page."""
    empty = replace(RUN, requirements=(), statuses=(), timings=(), settings={}, verdict=Verdict.INCONCLUSIVE)
    read = page(empty)
    assert not read.open
    assert "No MUST was judged." in read.text


def test_statuses_mark_the_undocumented() -> None:
    """An undocumented status is highlighted."""
    cells = [a for tag, a in page().tags if tag == "td" and a.get("class") == "alien"]
    assert len(cells) == 1
    assert "2 !" in page().text


@pytest.mark.parametrize("longest", [-2.0, 0.0, 0.0004, 0.07, 1.0, 3.31, 59.0, 100.0, 3599.0])
def test_plot_contains_bars(longest: float) -> None:
    """The axis has few round ticks from 0, and is longer than the longest bar."""
    drawn = as_html.plot((Timing("a", longest, 1), Timing("b", longest / 3, 1)))
    assert all(0 <= bar.share <= 100 for bar in drawn.bars)
    assert drawn.ticks[0] == ("0", 0)
    assert drawn.ticks[-1][1] == 100
    assert float(drawn.ticks[-1][0]) >= longest
    assert 4 <= len(drawn.ticks) <= 11


def test_page_shows_rates() -> None:
    """The page shows the failure rate, and a trial that passed beside one that failed."""
    finding = replace(FAILED.findings[0], passing_exchange=8)
    flaky = replace(FAILED, findings=(finding,), tally=Tally(40, 3, is_flaky=True))
    passed = Result(requirement("PURGE-08"), Outcome.PASSED, tally=Tally(40))
    evidence = Evidence(HEADER, (EXCHANGE, replace(EXCHANGE, n=8)), ())
    text = as_html.render(replace(RUN, requirements=(flaky, passed)), evidence)
    for words in (
        "FLAKY: 3 failures in 40 trials (7.5 %)",
        "The same check passed: Exchange 8",
        "0 failures in 40 trials (true rate below 7.2 %, 95 % confidence)",
    ):
        assert words in text
