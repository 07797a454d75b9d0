"""The reports of `--format`: valid against their schemas, safe whatever a target says, and in the right place."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.support.formats import VALIDATORS, errors
from meta.support.results import HOSTILE, NOTHING, make_run, requirement, result
from meta.support.story import EvidenceBuilder
from purge_conformance.catalogue.model import Level
from purge_conformance.config.formats import NAMES
from purge_conformance.config.known_failures import EntryKind
from purge_conformance.errors import BadSetting, ReportsNotWritten
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.report import ctrf, formats, github_annotations, github_summary, gitlab, har, sarif
from purge_conformance.report.fingerprint import fingerprint_of_failure
from purge_conformance.report.formats import Output
from purge_conformance.report.gate import Breach, BreachKind, Gate, KnownFailure
from purge_conformance.report.model import EXIT_CODES, Cause, Finding, Outcome, Result, Run, Verdict, roll_up

RUNS = {"plain": make_run(), "hostile": make_run("".join(HOSTILE)), "empty": replace(make_run(), requirements=())}
FAILED = result("PURGE-01", Level.MUST, Outcome.FAILED, "words")


def render(name: str, run: Run, folder: Path) -> str:
    """Return the text of a report that a command writes."""
    formats.write([Output(name, folder / name)], run, folder, lambda: EvidenceBuilder().evidence)
    return (folder / name).read_text("utf-8")


def run_of(*rows: Result, verdict: Verdict | None = None) -> Run:
    """Return a run of these results."""
    return replace(make_run(), requirements=rows, verdict=verdict or roll_up(rows))


@pytest.mark.parametrize("name", VALIDATORS)
@pytest.mark.parametrize("kind", RUNS)
def test_formats_are_valid(name: str, kind: str, tmp_path: Path) -> None:
    """Each report is valid against its schema, also if a target controls its texts, and is ASCII."""
    text = render(name, RUNS[kind], tmp_path)
    assert errors(name, text) == []
    assert text.isascii()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sarif", ('"ruleId"', '"rule"')),
        ("ctrf", ('"passed"', '"fine"')),
        ("gitlab", ('"critical"', '"grave"')),
        ("har", ('"1.2"', "1.2")),
    ],
)
def test_schemas_refuse_mistakes(name: str, change: tuple[str, str], tmp_path: Path) -> None:
    """Each schema holds what it is there for."""
    assert errors(name, render(name, RUNS["plain"], tmp_path).replace(*change)) != []


def test_every_name_has_a_writer(tmp_path: Path) -> None:
    """Each format that a user can name is written, and has a name of its own in the folder of a run."""
    outputs = formats.outputs([name if name != "html" else f"html={tmp_path / 'copy.html'}" for name in NAMES], {})
    written = formats.write(outputs, make_run(), tmp_path, lambda: NOTHING)
    assert {path.name for path in written} == {
        *("copy.html", "report.sarif", "evidence.har", "ctrf-report.json", "TEST-purge-conformance.xml"),
        *("github-summary.md", "gl-code-quality-report.json"),
    }
    assert formats.printed_lines(outputs, make_run())


def test_sarif_has_rules_and_results() -> None:
    """Each requirement is a rule with help and a link; each failed one a result whose level follows from its own."""
    (run,) = json.loads(sarif.render(make_run()))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [each.id for each in make_run().requirements]
    assert all(rule["helpUri"] == "https://docs.example/purge" and rule["help"]["text"] for rule in rules)
    assert {(each["ruleId"], each["level"]) for each in run["results"]} == {
        ("MUST-03", "error"),
        ("SHOULD-03", "warning"),
        ("MAY-03", "note"),
    }
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    notes = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert [text.partition(".")[0] for text in notes] == ["Not judged: MUST-01", "Not judged: MUST-02"]


def test_fingerprints_survive_new_guids() -> None:
    """A failure with other guids, times and numbers has the same fingerprint; another failure has another one."""

    def fingerprint(got: str) -> str:
        return fingerprint_of_failure(replace(FAILED, findings=(Finding("a 200", got),)))

    first = fingerprint("event 3fa85f64-5717-4562-b3fc-2c963f66afa6 of 2026-11-30T12:00:00Z after 17 reads")
    assert first == fingerprint("event 0e5c2d1a-0000-4562-b3fc-2c963f66afa7 of 2026-12-01T01:02:03.456Z after 9 reads")
    assert first != fingerprint("no event")


@pytest.mark.parametrize(
    "rows",
    [
        (result("A-01", Level.MUST, Outcome.PASSED),),
        (FAILED,),
        (result("A-01", Level.MUST, Outcome.INCONCLUSIVE),),
        (result("A-01", Level.SHOULD, Outcome.FAILED),),
    ],
)
@pytest.mark.parametrize("is_cut_short", [False, True])
def test_ctrf_is_as_red_as_the_exit_code(rows: tuple[Result, ...], is_cut_short: bool) -> None:  # noqa: FBT001 -- a column
    """A test has failed exactly if the exit code is not 0, also of a run that was cut short; the counts agree."""
    run = run_of(*rows, verdict=Verdict.INCONCLUSIVE if is_cut_short and EXIT_CODES[roll_up(rows)] == 0 else None)
    results = json.loads(ctrf.render(run))["results"]
    statuses = [test["status"] for test in results["tests"]]
    assert ("failed" in statuses) == (EXIT_CODES[run.verdict] != 0)
    assert (results["summary"]["failed"], results["summary"]["tests"]) == (statuses.count("failed"), len(statuses))


def test_annotations_follow_the_levels() -> None:
    """A failed MUST and what keeps the verdict open are errors, a SHOULD a warning, a MAY a notice."""
    lines = github_annotations.lines(make_run())
    assert [re.match(r"::(\w+) title=([\w-]+)", line).groups() for line in lines] == [  # type: ignore[union-attr] # all match
        ("error", "MUST-03"),
        ("error", "MUST-01"),
        ("error", "MUST-02"),
        ("warning", "SHOULD-03"),
        ("notice", "MAY-03"),
    ]


def test_messages_name_the_app() -> None:
    """What is known of the app of a failure follows it, in each format with messages."""
    finding = replace(FAILED.findings[0], apps=("The app a1 is web, STOPPED.",))
    run = run_of(replace(FAILED, findings=(finding,)))
    for text in (sarif.render(run), ctrf.render(run), gitlab.render(run), github_annotations.render(run)):
        assert "got got words. The app a1 is web, STOPPED." in text


def test_further_annotations_are_counted() -> None:
    """Of more than ten failures nine are shown, and the last line says how many more there are."""
    rows = tuple(result(f"A-{n:02}", Level.MUST, Outcome.FAILED, f"{n}") for n in range(14))
    lines = github_annotations.lines(run_of(*rows))
    assert len(lines) == 10
    assert lines[-1].startswith("::error title=5 more annotations::")


@given(st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(HOSTILE))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_no_text_injects_a_command(text: str) -> None:
    """Whatever a target says, there is one command a line, its own, without a `##` command of older runners."""
    for line in github_annotations.render(make_run(f"{text}\n::error::x %0A a,b:c")).splitlines():
        assert re.fullmatch(r"::(error|warning|notice) title=[^:,\r\n]+::[^\r\n]*", line)
        assert not re.search(r"##[\w.-]*\[", line)
        assert not re.search(r"%(?!25|0D|0A|3A|2C)", line)


def test_har_has_the_exchanges() -> None:
    """Each exchange is an entry with headers and body as in the evidence; long bodies are cut, and say so."""
    builder = EvidenceBuilder()
    for body in (b'{"a": "\xc3\xa9"}', b"\xff\x00", "é".encode() * har.BODY_BYTES, b""):
        builder.add_exchange(Scenario.PURGE, Step.PURGE, body=body)
    text = "".join(har.render(builder.evidence))
    assert errors("har", text) == []
    contents = [entry["response"]["content"] for entry in json.loads(text)["log"]["entries"]]
    assert [content.get("text", "")[:8] for content in contents] == ['{"a": "é', "/wA=", "éééééééé", ""]
    assert [content.get("encoding") for content in contents] == [None, "base64", None, None]
    assert contents[2]["comment"].startswith("Only the first 1,048,576 of 2,097,152 bytes are here")


def test_har_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the bodies have their total size, further ones are left out, and each says so."""
    monkeypatch.setattr(har, "TOTAL_BYTES", 5)
    builder = EvidenceBuilder()
    for _ in range(2):
        builder.add_exchange(Scenario.PURGE, Step.PURGE, body=b"four")
    contents = [
        entry["response"]["content"] for entry in json.loads("".join(har.render(builder.evidence)))["log"]["entries"]
    ]
    assert [(content["size"], content["text"]) for content in contents] == [(4, "four"), (4, "")]
    assert contents[1]["comment"] == "The body is not here; evidence.jsonl has all of it."


def test_summary_has_less_than_a_megabyte() -> None:
    """GitHub shows nothing of a summary above 1 MiB: sections at the end are left out, and the last line says so."""
    rows = tuple(result(f"A-{n}", Level.MUST, Outcome.INCONCLUSIVE, f"{n} " + "é" * 590) for n in range(2_000))
    text = github_summary.render(run_of(*rows))
    assert len(text.encode()) < 1024 * 1024
    assert text.startswith("# ")
    assert text.endswith("summary.md has all of it.\n")
    assert github_summary.render(make_run()).endswith("has the details.\n")


def test_step_summary_is_added(tmp_path: Path) -> None:
    """The summary goes to the end of the file that GitHub's variable names, and only there."""
    step = tmp_path / "step.md"
    step.write_text("before\n")
    outputs = formats.outputs(["github-summary"], {"GITHUB_STEP_SUMMARY": str(step)})
    assert formats.write(outputs, make_run(), tmp_path, lambda: NOTHING) == (step,)
    assert step.read_text().startswith("before\n# ")
    assert not (tmp_path / "github-summary.md").exists()


def test_failed_step_summary_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the summary cannot be added, the file stays as it was, and the message names it."""
    step = tmp_path / "step.md"
    step.write_text("before\n")
    monkeypatch.setattr(github_summary, "render", lambda *_: "\ud800")  # cannot be encoded
    with pytest.raises(ReportsNotWritten, match=r"step.md: github-summary: the suite failed \(UnicodeEncodeError\)"):
        formats.write([Output("github-summary", step, is_shared=True)], make_run(), tmp_path, lambda: NOTHING)
    assert step.read_text() == "before\n"


def test_one_failed_format_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that fails leaves no file and no draft; the other reports are written."""
    monkeypatch.setattr(sarif, "render", lambda _: "\ud800")
    with pytest.raises(ReportsNotWritten, match=r"report\.sarif: sarif") as caught:
        formats.write([Output("sarif"), Output("ctrf")], make_run(), tmp_path, lambda: NOTHING)
    assert caught.value.names == ("report.sarif",)
    assert [path.name for path in tmp_path.iterdir()] == ["ctrf-report.json"]


def test_place_is_checked_before(tmp_path: Path) -> None:
    """A folder, a device or a place that cannot be written is refused with the flag; nothing is left of the attempt."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    places = {
        tmp_path: "is a folder",
        tmp_path / "file" / "x": "cannot be written: .*",
        tmp_path / "pipe": "is a device or a pipe, and a report is written to a file",
        Path("-"): "stands for standard output, where no report goes",
    }
    for place, reason in places.items():
        with pytest.raises(BadSetting, match=rf"--format sarif: .* {reason}\. Give another file: --format sarif=FILE"):
            formats.require_writable([Output("sarif", place)])
    formats.require_writable([Output("sarif", tmp_path / "new" / "x.sarif"), Output("har")])
    assert {path.name for path in tmp_path.iterdir()} == {"file", "pipe"}


def test_undecided_requirements_are_open_in_sarif() -> None:
    """A run that stays open has no result, and says that it was not successful."""
    rows = (Result(requirement(), Outcome.INCONCLUSIVE, Cause.NETWORK, "No answer.", "Run again."),)
    (run,) = json.loads(sarif.render(run_of(*rows)))["runs"]
    assert (run["results"], run["invocations"][0]["executionSuccessful"]) == ([], False)


def test_known_failures_and_breaches() -> None:
    """A known failure is suppressed, skipped or for information; a broken promise is an error, as red as the code."""
    entry = KnownFailure(("PURGE-01",), EntryKind.FAILURE, None, "capi", "Reported.", None, "2027-01-31")
    stale = Breach(BreachKind.STALE, "A-1", "A-1 passed, but it is entered as a known failure. Remove its entry.")
    kept, broken = (replace(run_of(FAILED), gate=Gate((entry,), (), each)) for each in ((), (stale,)))
    kept, broken = (replace(run, verdict=Verdict.EXCEPT_KNOWN) for run in (kept, broken))
    (log,) = json.loads(sarif.render(broken))["runs"]
    assert log["results"][0]["suppressions"][0]["justification"].startswith("Known failure (owner capi, until 2027")
    assert log["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == stale.sentence
    assert json.loads(gitlab.render(kept))[0]["severity"] == "info"
    assert [line.split("::")[1] for line in github_annotations.lines(kept)] == [
        "notice title=PURGE-01 (MUST) failed%2C as known"
    ]
    assert github_annotations.lines(broken)[0] == f"::error title=known-failures.A-1::{stale.sentence}"
    tests = [json.loads(ctrf.render(run))["results"]["tests"] for run in (kept, broken)]
    assert [[test["status"] for test in each] for each in tests] == [["skipped"], ["skipped", "failed"]]
    for run in (kept, broken):
        assert errors("sarif", sarif.render(run)) == errors("ctrf", ctrf.render(run)) == []
