"""The cases of a requirement in the reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meta.support.results import NOTHING, make_run
from purge_conformance.report import html, json, markdown
from purge_conformance.report.model import Outcome
from purge_conformance.report.plain import from_dict, to_dict
from purge_conformance.report.text import describe_cases

RUN = make_run()
(PASSED, *_) = (each for each in RUN.requirements if each.outcome is Outcome.PASSED)
COUNTED = replace(PASSED, cases={"whole-list": 12, "other-role": 0}, untried={"other-role": "a token of another role"})
WORDS = "Trials of each case: whole-list 12; other-role was not tried, it needs: a token of another role"


def test_cases_are_described() -> None:
    """A result says how many trials of each case were judged, and what the others need; without trials, nothing."""
    assert describe_cases(COUNTED) == WORDS
    assert describe_cases(PASSED) == ""
    assert describe_cases(replace(COUNTED, cases={"whole-list": 0})) == ""


@pytest.mark.parametrize("shows_details", [True, False])
def test_reports_show_cases(*, shows_details: bool) -> None:
    """HTML and Markdown show them, report.json has them, and what is read from it is equal."""
    run = replace(RUN, requirements=(COUNTED if shows_details else PASSED,))
    page, summary = html.render(run, NOTHING), markdown.render(run).replace("\\", "")
    assert (WORDS in page, WORDS in summary) == (shows_details, shows_details)
    assert from_dict(to_dict(run)).requirements[0].cases == run.requirements[0].cases
    assert ('"untried": {\n        "other-role"' in json.dump(run)) is shows_details
