"""The writer of summary.md."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from meta.support.results import HOSTILE, make_run, result
from purge_conformance.catalogue.model import Level
from purge_conformance.report import junit as as_junit
from purge_conformance.report import markdown as as_markdown
from purge_conformance.report.model import Outcome, Tally


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_summary_escapes_target_text(text: str) -> None:
    """Text of a target adds no markup and no column of a table."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(as_markdown.render(make_run(text)))
    inline = [child for token in tokens for child in token.children or []]
    assert not {t.type for t in [*tokens, *inline]} & {"html_block", "html_inline", "link_open", "image"}
    assert {t.content for t in inline if t.type == "code_inline"} == {"report.html", "200"}  # of the statement
    assert {t.type for t in tokens if t.type == "heading_open" and t.tag not in {"h1", "h2", "h3"}} == set()
    rows = [t.type for t in tokens if t.type in {"tr_open", "td_open"}]
    assert rows.count("td_open") == 4 * 4 + 3 * 4 + 2 * 4


def test_summary_fits_github() -> None:
    """A run with long failures everywhere stays below GitHub's limit of 1 MiB."""
    run = make_run("|" * 1_000_000)
    run = dataclasses.replace(run, requirements=run.requirements * 30)
    assert len(as_markdown.render(run).encode()) < 1024 * 1024


def test_rates_are_written() -> None:
    """summary.md and junit.xml contain the failure rate, the bound of a pass, and a trial that passed."""
    flaky = result("A-1", Level.MUST, Outcome.FAILED)
    finding = dataclasses.replace(flaky.findings[0], passing_exchange=3)
    flaky = dataclasses.replace(flaky, findings=(finding,), tally=Tally(40, 3, is_flaky=True))
    passed = dataclasses.replace(result("A-2", Level.MUST, Outcome.PASSED), tally=Tally(40))
    run = dataclasses.replace(make_run(), settings={"repeat": 40}, requirements=(flaky, passed))
    summary, junit = as_markdown.render(run), ET.fromstring(as_junit.render(run))  # noqa: S314 -- our own
    for words in (
        "FLAKY: 3 failures in 40 trials (7.5 %).",
        "the same check: exchange 3",
        "| 0 failures in 40 trials (true rate below 7.2 %, 95 % confidence) | A-2 |",
    ):
        assert words in summary
    output = junit.findtext("testsuite/system-out", "").splitlines()
    none = "0 failures in 40 trials (true rate below 7.2 %, 95 % confidence)"
    rates = ("FLAKY: 3 failures in 40 trials (7.5 %)", none)
    assert all(line.endswith(rate) for line, rate in zip(output, rates, strict=True))
    assert "passed in: exchange 3" in "".join(junit.itertext())


def test_sentences_of_the_specification_mark_code() -> None:
    """Code of the specification is code, and all else in its sentences is escaped."""
    assert as_markdown.prose("Answer `503` with `Retry-After`, *not* 500.") == (
        r"Answer `503` with `Retry-After`, \*not\* 500."
    )


def test_summary_mentions_no_user() -> None:
    """A name after an at sign is no mention on GitHub; an address stays as it is."""
    assert as_markdown.escape("ask @admin, (@a/b) or me@x.example @") == r"ask \@ admin, (\@ a/b) or me\@x.example \@"
