"""A bug report has what a maintainer needs, and interprets no text of the target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import invoke
from meta.support.results import HOSTILE, make_run, requirement
from purge_conformance import catalogue
from purge_conformance.analysis.outcomes import RequirementViolated
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.errors import BadSetting
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.steps import Phase, Place, Scenario, Step, Tag
from purge_conformance.report import bug_report, write_all
from purge_conformance.report.defect import Defect
from purge_conformance.report.grouping import defects_of
from purge_conformance.report.model import Cause, Finding, Outcome, Result

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.story import EvidenceBuilder

APP, EVENT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
REJECTED = {"errors": [{"code": 10001, "title": "UnknownError", "detail": "no"}]}


def report_of(builder: EvidenceBuilder, findings: dict[str, Finding]) -> str:
    """Return the report of the first defect of a run in which these requirements fail."""
    verdicts = RunBuilder(builder.evidence, {r.id: r for r in catalogue.requirements()})
    for name, finding in findings.items():
        verdicts.record(name, RequirementViolated((finding,)), None, 0.1)
    run, first = verdicts.build(), next(iter(findings))
    return bug_report.render(run, builder.evidence, bug_report.defects_with(run, first)[0], first)


def test_answer_is_reported(builder: EvidenceBuilder) -> None:
    """Of a wrong answer the report has title, versions, request, quote, answer, and what else fails."""
    links = {"links": {"cloud_controller_v3": {"href": "/v3", "meta": {"version": "3.228.0"}}}}
    builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, path="/", data=links)
    builder.add_exchange(
        Scenario.LISTS,
        Step.UNSPECIFIED_QUERY,
        path=f"{EVENTS_PATH}?guids=%00",
        status=500,
        data=REJECTED,
        request_headers=(("Authorization", "bearer $ADMIN_TOKEN"),),
    )
    got = '500 {"errors":[]}'
    text = report_of(
        builder,
        {"LIST-14": Finding("a status below 500", got, 2), "UP-ERROR-01": Finding("errors", f"none: {got}", 2)},
    )
    assert text.startswith(
        "# GET /v3/app\\_usage\\_events?guids=%00 is answered 500 Internal Server Error, expected a status below 500\n"
    )
    for words in (
        "- API version: 3.228.0",
        "Send this request, with a token of the role admin in `$ADMIN_TOKEN`:",
        "> 400 Bad Request; 422 Unprocessable Entity",
        '  "code": 10001',
        "- UP-ERROR-01 (MUST): ",
        "Found by purge-conformance",
    ):
        assert words in text
    assert "What happened around it" not in text


def test_state_is_reported(builder: EvidenceBuilder) -> None:
    """Of wrong events the report names the app, shows its events only, and what happened before and after."""
    place = Place(Step.PURGE, phase=Phase.AFTER)
    builder.add_purge(Scenario.PURGE)
    other = builder.event("33333333-3333-4333-8333-333333333333", "other")
    apps = [{**builder.app(APP), "name": "rolled-app"}]
    builder.add_snapshot(Scenario.PURGE, place, [builder.event(EVENT, APP), other], apps, [builder.process(EVENT, APP)])
    page = next(x.n for x in builder.exchanges if x.route == EVENTS_PATH)
    text = report_of(builder, {"SEED-04": Finding(f"an event with the guid of the app {APP}", EVENT, page)})
    assert text.startswith(f"# After a purge: expected an event with the guid of the app rolled-app, got {EVENT}\n")
    assert f"- rolled-app ({APP}): STARTED, 1 instance; its web process has another guid" in text
    assert "1 of 2 resources on this page" in text
    assert "33333333" not in text
    assert f"| **{page}** | +0 ms | purge after events |" in text
    assert "with 2 rows" in text


def test_concurrent_request_is_reported(builder: EvidenceBuilder) -> None:
    """Of a request beside others the report shows those, although its answer is what is wrong."""
    for status in (200, 500):
        builder.add_purge(
            Scenario.CONCURRENT_PURGES, Place(Step.CONCURRENT, 1), status=status, tags={Tag.CONCURRENT: "yes"}
        )
    text = report_of(builder, {"PARALLEL-05": Finding("2xx", "500 {}", 2)})
    assert text.startswith("# A purge is answered 500 Internal Server Error, expected 2xx\n")
    assert "A purge destroys all app usage events of the target" in text
    assert "Run this script in a POSIX shell, with a token of the role admin in `$ADMIN_TOKEN`:" in text
    assert "sends at most 5 purges." in text
    assert "| 1 | -1,000 ms | concurrent 1 |" in text


def test_difference_is_a_diff(builder: EvidenceBuilder) -> None:
    """What is expected and what came is a diff where both say the same kind of thing; a long title is the statement."""
    builder.add_purge(Scenario.PURGE)
    text = report_of(builder, {"SEED-06": Finding("state STARTED of it", "state STOPPED of it", 1)})
    assert "```diff\n- state STARTED of it\n+ state STOPPED of it\n```" in text
    text = report_of(builder, {"RACE-03": Finding("some order of " + "these " * 40, "another end", 1)})
    assert text.startswith("# RACE-03 is violated: After changes during a purge, an app has only events that ")
    assert "```diff" not in text


def test_password_is_masked(builder: EvidenceBuilder) -> None:
    """A password that an older suite recorded in clear is masked, and the event that shows it is there."""
    leaking = {**builder.event(EVENT), "buildpack": {"name": "https://user:s3cret@host/x"}}
    builder.add_page(Scenario.ARCHIVE, Step.EXISTING_EVENTS, [builder.event(APP), leaking])
    text = report_of(builder, {"LEAK-03": Finding("no password", "a URL with a password", 1)})
    assert "s3cret" not in text
    assert "https://user:***@host/x" in text
    assert "1 of 2 resources" in text


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_target_is_escaped(hostile: str, builder: EvidenceBuilder) -> None:
    """Hidden characters are escapes, a block of code ends where it should, and the report stays small."""
    builder.add_purge(Scenario.PURGE, status=500)
    finding = Finding(f"no {hostile}", f"got {hostile}", 1, f"curl '{hostile}'")
    row = Result(requirement(statement=hostile), Outcome.FAILED, Cause.TARGET, findings=(finding,))
    run = replace(make_run(), requirements=(row,), defects=(Defect(("PURGE-01",), hostile, finding.got, 1, (1,)),))
    text = bug_report.render(run, builder.evidence, defects_of(run)[0], "PURGE-01")
    assert not set(text) & set("\x00\x1b\x9b\u202e\u2066\ufffe\uffff\u2028\ud800")
    assert len(text) < 100_000


def test_requirement_has_to_have_failed(builder: EvidenceBuilder) -> None:
    """A requirement that did not fail is a usage error that names those that did."""
    builder.add_purge(Scenario.PURGE, status=500)
    verdicts = RunBuilder(builder.evidence, {r.id: r for r in catalogue.requirements()})
    verdicts.record("PURGE-01", RequirementViolated((Finding("200", "500", 1),)), None, 0.1)
    run = verdicts.build()
    with pytest.raises(BadSetting, match=r"PURGE-02 did not fail in this run, its outcome is: inconclusive\. Give"):
        bug_report.defects_with(run, "PURGE-02")


def test_command_prints_one_defect(builder: EvidenceBuilder, tmp_path: Path) -> None:
    """The command prints the first defect, names the others, and takes the number of one of them."""
    for status in (500, 501):
        builder.add_purge(Scenario.PURGE, status=status, request_headers=(("X", "##[error]"),))
    with Journal(tmp_path / "run", builder.evidence.header) as journal:
        for exchange in builder.exchanges:
            journal.record(exchange)
        evidence = journal.evidence()
    verdicts = RunBuilder(evidence, {r.id: r for r in catalogue.requirements()})
    findings = tuple(Finding("200", str(x.status), x.n) for x in builder.exchanges)
    verdicts.record("PURGE-01", RequirementViolated(findings), None, 0.1)
    write_all(verdicts.build(), evidence, tmp_path / "run")
    result = invoke("bug-report", str(tmp_path / "run"), "purge-01")
    assert (result.exit_code, result.output[:38]) == (0, "# A purge is answered 500 Internal Ser")
    assert "To report them: --defect 2" in result.output
    second = invoke("bug-report", str(tmp_path / "run"), "PURGE-01", "--defect=2").output
    assert "# A purge is answered 501" in second
    assert "##[" not in second
    assert "Give one of: 1, 2." in invoke("bug-report", str(tmp_path / "run"), "PURGE-01", "--defect=3").output
