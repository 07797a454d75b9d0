"""The writers: what a target sent is shown in every format and obeyed in none."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.errors import BadData
from purge_conformance.evidence.records import Evidence, Header
from purge_conformance.report import json as as_json
from purge_conformance.report import junit as as_junit
from purge_conformance.report import markdown as as_markdown
from purge_conformance.report import write_all
from purge_conformance.report.model import Cause, Finding, Outcome, Result, Run, StatusCoverage, Tally, Timing, roll_up
from purge_conformance.report.text import visible

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "]]><!--",
    "\x00\x1b[31m\x9b2J\x07",
    "\u202egnp.exe\u2066",
    "lone \ud800 surrogate",
    "a | b \\| `c` ``` ```` [d](javascript:e) ![f](g) <b> &amp; https://h.example www.i.example",
    "::error::x\n::set-output name=a::b\r\n##vso[task.complete]##[error]",
    "\ufffe\uffff\u2028",
    "x" * 1_000_000,
]


def result(identifier: str, level: Level, outcome: Outcome, text: str = "") -> Result:
    """Return a result whose every text that can come from a target is the given one."""
    missed = outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXERCISED}
    return Result(
        id=identifier,
        level=level,
        profile=Profile.CORE,
        group="Purge",
        statement="A purge answers `200`.",
        quote="200 OK",
        source="the page",
        operation="purge",
        remedy="See the route.",
        conditional=False,
        outcome=outcome,
        cause=None if outcome is Outcome.PASSED else Cause.TARGET,
        reason=f"because {text}" if missed else "",
        findings=(Finding(f"no {text}", f"got {text}", 1, f"curl '{text}'"),) if outcome is Outcome.FAILED else (),
        evidence=(1,),
        seconds=0.25,
    )


def make_run(text: str = "words", *, levels: tuple[Level, ...] = tuple(Level)) -> Run:
    """Return a run with each outcome at each of the levels, full of the text."""
    rows = tuple(result(f"{level}-{n:02}", level, o, text) for level in levels for n, o in enumerate(Outcome))
    return Run(
        suite="0.1.0",
        spec_version="1.0.0",
        spec={"openapi.yaml": "a" * 64},
        target="http://127.0.0.1:1/v",
        settings={"seed": 1, "limits": {"timeout": 30.0}, "roles": ["admin", text]},
        started_at="2026-01-02T03:04:05.500Z",
        finished_at="2026-01-02T03:04:11.700Z",
        requests=12,
        purges=1,
        requirements=rows,
        coverage=(StatusCoverage("purge", 200, documented=True, count=3),),
        timings=(Timing("purge_as_admin", 1.5, 7),),
        notes=(text,),
        verdict=roll_up(rows),
    )


NOTHING = Evidence(Header("0.1.0", {}, "http://127.0.0.1:1/v", {}, "2026-01-02T03:04:05Z"), (), ())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_report_json_round_trips(tmp_path: Path, text: str) -> None:
    """What was written is what is read, whatever a target sent."""
    run = make_run(text)
    write_all(run, NOTHING, tmp_path)
    assert as_json.load(tmp_path) == run


def test_report_json_keeps_model_order() -> None:
    """Keys stand in the model's order, text as UTF-8, and the file ends with a line feed."""
    text = as_json.dump(make_run("größer"))
    assert list(json.loads(text)) == [field.name for field in dataclasses.fields(Run)]
    assert "größer" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (None, "holds no report.json"),
        ("{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "expected an object"),
        ('{"format": 2}', "has format 2, this version reads 1"),
        ('{"format": 1, "secret": 3}', "not valid against report.schema.json"),
    ],
)
def test_report_json_damaged(tmp_path: Path, damage: str | None, words: str) -> None:
    """A report that is none is refused with what was got, what was expected, and the cure."""
    if damage is not None:
        (tmp_path / "report.json").write_text(damage)
    with pytest.raises(BadData, match=words):
        as_json.load(tmp_path)


def test_report_json_names_the_place(tmp_path: Path) -> None:
    """A report with one wrong value is refused by the value's place."""
    data = json.loads(as_json.dump(make_run()))
    data["requirements"][2]["outcome"] = "great"
    (tmp_path / "report.json").write_text(json.dumps(data))
    with pytest.raises(BadData, match=r"at \$\.requirements\[2\]\.outcome: 'great' is not one of"):
        as_json.load(tmp_path)


def test_junit_is_red_as_the_verdict() -> None:
    """A failed MUST is a failure, an untold one an error; nothing else turns a build red."""
    suite = ET.fromstring(as_junit.render(make_run()))[0]  # noqa: S314 -- our own output
    cases = {case.get("name", "").split()[0]: [child.tag for child in case] for case in suite.iter("testcase")}
    assert cases["MUST-00"] == []
    assert cases["MUST-01"] == ["skipped", "system-out"]
    assert cases["MUST-02"] == ["error"]
    assert cases["MUST-03"] == ["failure"]
    assert {tag for name, tags in cases.items() if not name.startswith("MUST") for tag in tags} == {
        "skipped",
        "system-out",
    }
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["12", "1", "1", "7"]


def test_junit_says_why() -> None:
    """Every case that is no pass carries a message, and a failed SHOULD says that it failed."""
    root = ET.fromstring(as_junit.render(make_run("a word")))  # noqa: S314 -- our own output
    marks = [child for tag in ("failure", "error", "skipped") for child in root.iter(tag)]
    assert all("a word" in child.get("message", "") for child in marks)
    assert "SHOULD not met: expected no a word; got got a word" in [child.get("message") for child in marks]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_summary_obeys_no_target(text: str) -> None:
    """Markdown finds no markup in what a target sent, and no table grows a column."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(as_markdown.render(make_run(text)))
    inline = [child for token in tokens for child in token.children or []]
    assert not {t.type for t in [*tokens, *inline]} & {"html_block", "html_inline", "link_open", "image"}
    assert {t.content for t in inline if t.type == "code_inline"} == {"report.html"}
    assert {t.type for t in tokens if t.type == "heading_open" and t.tag not in {"h1", "h2", "h3"}} == set()
    rows = [t.type for t in tokens if t.type in {"tr_open", "td_open"}]
    assert rows.count("td_open") == 4 * 4 + 5 * 6


def test_summary_fits_github() -> None:
    """A run in which everything failed at length stays below GitHub's bound of 1 MiB."""
    run = make_run("|" * 1_000_000)
    run = dataclasses.replace(run, requirements=run.requirements * 30)
    assert len(as_markdown.render(run).encode()) < 1024 * 1024


def test_write_all_replaces_whole(tmp_path: Path) -> None:
    """Every report is there, older ones are replaced, and nothing else is left behind."""
    (tmp_path / "summary.md").write_text("old")
    paths = write_all(make_run(), NOTHING, tmp_path)
    assert [path.name for path in paths] == ["report.json", "junit.xml", "summary.md", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert all(path.read_text() != "old" for path in paths)


def test_write_all_never_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that breaks leaves the older report as it was, and no draft."""
    (tmp_path / "junit.xml").write_text("old")
    monkeypatch.setattr(as_junit, "render", lambda run: f"{run.target}\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        write_all(make_run(), NOTHING, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "report.json"]
    assert (tmp_path / "junit.xml").read_text() == "old"


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_is_legal_xml(text: str) -> None:
    """Whatever a target sent, junit.xml parses and is UTF-8."""
    ET.fromstring(as_junit.render(make_run(text, levels=(Level.MUST,))).encode())  # noqa: S314 -- our own output


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=60))
def test_any_text_round_trips(text: str) -> None:
    """Whatever a target sent, report.json holds it."""
    run = make_run(text, levels=(Level.MUST,))
    assert json.loads(as_json.dump(run))["notes"] == [text]


@given(st.text(st.characters(exclude_categories=())))
@settings(deadline=None, derandomize=True, database=None)
def test_visible_leaves_no_control(text: str) -> None:
    """Text made visible holds no control character but tab and line feed, and nothing that UTF-8 cannot hold."""
    shown = visible(text)
    shown.encode()
    assert not [c for c in shown if ord(c) < 32 and c not in "\t\n"]
    assert not set(shown) & set("\x7f\x9b\u202e\u2066\ufeff")


def test_rates_are_written() -> None:
    """summary.md and junit.xml say how often a requirement failed, what a pass leaves, and which trial passed."""
    flaky = result("A-1", Level.MUST, Outcome.FAILED)
    finding = dataclasses.replace(flaky.findings[0], passing=3)
    flaky = dataclasses.replace(flaky, findings=(finding,), tally=Tally(40, 3, is_flaky=True))
    passed = dataclasses.replace(result("A-2", Level.MUST, Outcome.PASSED), tally=Tally(40))
    run = dataclasses.replace(make_run(), settings={"repeat": 40}, requirements=(flaky, passed))
    summary, junit = as_markdown.render(run), ET.fromstring(as_junit.render(run))  # noqa: S314 -- our own
    for words in (
        "FLAKY: 3 of 40 failed, 7.5 %.",
        "another time: exchange 3",
        "| 0 of 40: below 7.2 % at 95 % | A-2 |",
    ):
        assert words in summary
    values = [found.get("value") for found in junit.iterfind(".//testcase/properties/property")]
    assert values == ["FLAKY: 3 of 40 failed, 7.5 %", "0 of 40: below 7.2 % at 95 %"]
    assert "passed: exchange 3" in "".join(junit.itertext())
