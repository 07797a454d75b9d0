"""A comparison as text, Markdown and JSON."""

from __future__ import annotations

import jsonschema
import pytest

from meta.support.reports import report, row
from meta.support.results import HOSTILE, make_run
from purge_conformance import catalogue
from purge_conformance.catalogue.model import Level
from purge_conformance.report.compare import Comparison, compare
from purge_conformance.report.comparison import as_json, as_markdown, as_text, summary
from purge_conformance.report.facts import facts_of, parse_facts

FINDING = {"expected": "200", "got": "500"}
OLD = report(
    *(row(f"A-0{n}") for n in range(1, 5)),
    row("B-01", "failed"),
    row("C-01", cases={"plain": 3, "special": 2, "rare": 1}),
    row("D-01", level=Level.SHOULD),
    row("E-01", "inconclusive"),
    requests=1000,
    purges=38,
    timings=[
        {"scenario": "purge", "seconds": 1.0, "requests": 9},
        {"scenario": "reads", "seconds": 1.0, "requests": 9},
    ],
    settings={"seed": 1},
)
NEW = report(
    row("A-01", "failed", findings=[FINDING]),
    *(row(f"A-0{n}", "inconclusive") for n in range(2, 5)),
    row("B-01"),
    row("C-01", cases={"plain": 4, "special": 0, "rare": 0}, untried={"special": "a hook", "rare": "a hook"}),
    row("D-01", "failed", level=Level.SHOULD, findings=[FINDING]),
    row("E-01", "inconclusive"),
    row("F-01"),
    requests=1001,
    purges=38,
    timings=[
        {"scenario": "purge", "seconds": 3.0, "requests": 9},
        {"scenario": "reads", "seconds": 1.2, "requests": 9},
    ],
    settings={"seed": 2},
    spec_digests={"requirements.yaml": "b" * 64},
)


def comparison(old: object = OLD, new: object = NEW) -> Comparison:
    """Return the comparison of two reports."""
    return compare(parse_facts(old, "old/report.json"), parse_facts(new, "new/report.json"))


def test_text_has_all_that_changed() -> None:
    """The text names both reports, each kind of change, what is not compared, the cost, and the result last."""
    lines = as_text(comparison())
    text = "\n".join(lines)
    assert lines[0].startswith("Old: old/report.json: non-conformant; http://127.0.0.1:1/v, 2026-01-02 03:04:05 UTC")
    assert "  A-01 (MUST), newly failed: The sentence of A-01.\n    passed, now failed: expected 200; got 500" in text
    assert "  A-02 to 04 (MUST), newly not judged: 3 requirements\n" in text
    assert "    passed, now inconclusive: target: It had no answer." in text
    assert "  C-01 (MUST), 2 cases no longer ran: special, rare: The sentence of C-01." in text
    assert "    passed in both: needs: a hook" in text
    assert text.index("Other changes for the worse, not counted") < text.index("D-01 (SHOULD), newly failed")
    assert "Newly passed\n  failed  B-01" in text
    assert "  new report  passed  not in the requirement set of the other report  F-01" in text
    assert "Judged by neither report\n  inconclusive  E-01" in text
    assert "  C-01  plain 3 -> 4, special 2 -> 0, rare 1 -> 0" in text
    assert "  requests        1,000              1,001              +1" in text
    assert "  scenario purge  9 requests, 1.0 s  9 requests, 3.0 s  0 requests, +2.0 s" in text
    assert "  1 other scenario: as many requests, and less than 0.5 s or 25 % apart. --format json lists each." in text
    assert "Settings that differ\n  seed  1  2" in text
    assert lines[-1] == "Result: 6 regressions in 7 requirements compared."


def test_equal_reports_are_short() -> None:
    """Of two equal reports only the cost is shown."""
    lines = as_text(comparison(OLD, OLD))
    titles = [line for line in lines if line and not line.startswith((" ", "Old:", "New:", "Result:"))]
    assert titles == ["Judged by neither report", "Cost"]
    assert lines[-1] == "Result: No regression in 7 requirements compared."


def test_report_without_cases_is_named() -> None:
    """If a report of an older suite counts no cases, the comparison says that no case is compared."""
    old = report({name: value for name, value in row("A-1").items() if name != "cases"})
    assert "The old report counts no cases, so no case is compared." in as_text(comparison(old, report(row("A-1"))))
    assert not any("counts no cases" in line for line in as_text(comparison()))


def test_summary_of_nothing_in_common() -> None:
    """Reports with nothing in common are not called free of regressions."""
    assert summary(comparison(report(row("A-1")), report(row("B-1")))).startswith("Nothing in common")
    assert as_markdown(comparison(report(row("A-1")), report(row("B-1")))).startswith("# ⚠️ Nothing in common")


def test_markdown_has_tables() -> None:
    """The Markdown has the result as its heading and a table for each section."""
    text = as_markdown(comparison())
    assert text.startswith("# ❌ 6 regressions in 7 requirements compared.\n")
    assert "| A-01 (MUST) | newly failed | passed, now failed | expected 200; got 500 | The sentence of A-01. |" in text
    assert as_markdown(comparison(OLD, OLD)).startswith("# ✅ No regression")


def test_json_is_valid() -> None:
    """The JSON is valid against its schema, and has every scenario."""
    data = as_json(comparison())
    jsonschema.Draft202012Validator(catalogue.document("comparison.schema.json")).validate(data)
    assert [each["scenario"] for each in data["scenarios"]] == ["purge", "reads"]
    assert sum(each["regression"] for each in data["changes"]) == data["regressions"] == 6


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_target_is_data(text: str) -> None:
    """Text of a target is never interpreted as Markdown, keeps to its cell, and is clipped."""
    hostile = compare(facts_of(make_run("words"), "old"), facts_of(make_run(text), text))
    hostile = compare(hostile.new, parse_facts(report(row("MUST-00", "failed", findings=[{"got": text}])), text))
    lines = as_markdown(hostile).splitlines()
    assert all(line.replace("\\|", "").count("|") in {0, 3, 4, 5, 6} for line in lines)
    assert "<img" not in as_markdown(hostile).replace("\\<img", "")
    assert all(len(line) < 5000 for line in lines)
    jsonschema.Draft202012Validator(catalogue.document("comparison.schema.json")).validate(as_json(hostile))
