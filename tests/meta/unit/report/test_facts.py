"""Reports of any version are read by what they have in common; anything else is rejected with a reason."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.reports import report, row, write_report
from meta.support.results import HOSTILE, make_run
from purge_conformance.catalogue.model import Level
from purge_conformance.errors import BadData
from purge_conformance.report import facts
from purge_conformance.report.facts import facts_of, parse_facts, read_facts
from purge_conformance.report.model import Outcome
from purge_conformance.report.plain import to_dict

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_1 = {
    "suite": "0.0.9",
    "spec": {"requirements.yaml": "0" * 64},
    "target": "http://t",
    "settings": {"select": ["AUTH-*"], "seed": 1},
    "started_at": "2025-01-02T03:04:05Z",
    "finished_at": "2025-01-02T03:04:07.5Z",
    "requests": 9,
    "purges": 1,
    "requirements": [
        {"id": "AUTH-01", "level": "MUST", "profile": "upstream", "outcome": "failed", "cause": "target", "reason": ""}
    ],
    "coverage": [],
    "timings": [{"experiment": "reach", "seconds": 1.0, "requests": 3}],
    "notes": [],
    "verdict": "non-conformant",
    "format": 1,
}


def test_report_of_this_version_is_read(tmp_path: Path) -> None:
    """A run, its report.json and the folder of it say the same."""
    folder = write_report(tmp_path / "run", to_dict(make_run("words")))
    found = read_facts(folder / "report.json")
    assert read_facts(folder) == found == facts_of(make_run("words"), found.place)
    assert (found.requests, found.purges, found.seconds, found.verdict) == (12, 1, 6.2, "non-conformant")
    assert found.timings == {"purge_as_admin": (1.5, 7)}
    assert found.count(Outcome.FAILED) == 3
    assert found.count(Outcome.FAILED, Level.MUST) == 1
    assert found.requirements["MUST-03"].why == "expected no words; got got words"
    assert found.requirements["MUST-01"].why == "target: because words"


def test_report_of_first_format_is_read() -> None:
    """A report of format 1 has other members: what it has in common with this version is taken."""
    found = parse_facts(FORMAT_1, "old")
    assert (found.verdict, found.target, found.seconds, found.select) == (
        "non-conformant",
        "http://t",
        2.5,
        ("AUTH-*",),
    )
    assert (found.suite_version, found.requirements_digest, found.timings) == ("", "", {})
    assert found.profiles == {"core", "upstream"}
    assert found.requirements["AUTH-01"].cases is None


def test_stable_members_are_enough() -> None:
    """A report with the stable members alone is read, with a verdict that this version does not know."""
    stable = {"id": "A-1", "level": "MAY", "profile": "core", "outcome": "passed"}
    found = parse_facts({"verdict": "conformant-and-more", "requirements": [stable], "new": {}}, "future")
    assert (found.verdict, found.started_at, found.seconds, found.requests) == ("conformant-and-more", None, None, None)
    assert found.requirements["A-1"].is_judged


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_read(text: str) -> None:
    """What a target sent is data, whatever it is."""
    assert facts_of(make_run(text), "run").count(Outcome.PASSED) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 200_000, "no JSON"),
        ('{"a":' * 200_000, "no JSON"),
        ("\ud800".encode("utf-8", "surrogatepass"), "no JSON"),
        ("[]", "as `report`, expected an object"),
        ("{}", "no member `requirements`, expected a list"),
        ('{"requirements": {}}', "got {} as `requirements`, expected a list"),
        ('{"requirements": []}', "no member `verdict`, expected a string"),
        ('{"requirements": [], "verdict": NaN}', "NaN is not valid JSON"),
        ('{"requirements": [3], "verdict": ""}', "got 3 as `requirements\\[\\]`, expected an object"),
    ],
)
def test_wrong_file_is_rejected(content: str | bytes, words: str, tmp_path: Path) -> None:
    """A file that is no report is rejected with what it has, what is expected, and what to give."""
    path = tmp_path / "other.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadData, match=f"other.json.*{words}.* Give a report.json"):
        read_facts(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "great"}, "got .great. as `outcome`, expected passed"),
        ({"outcome": ["passed"]}, "as `outcome`"),
        ({"level": "must"}, "as `level`, expected MUST, SHOULD or MAY"),
        ({"id": ""}, "as `id`"),
        ({"id": "A-\N{SUPERSCRIPT TWO}"}, "as `id`, expected an id of at most 80 visible characters"),
        ({"id": "x" * 81}, "as `id`"),
        ({"cases": {"a": -1}}, "as `cases`"),
        ({"cases": {"a": True}}, "as `cases`"),
        ({"untried": []}, "as `untried`"),
        ({"findings": [None]}, "as `findings"),
        ({"reason": 5}, "as `reason`"),
    ],
)
def test_wrong_requirement_is_rejected(changes: dict[str, Any], words: str) -> None:
    """A member of a requirement with another type is named with what was expected."""
    with pytest.raises(BadData, match=words):
        parse_facts(report(row("A-1") | changes), "report.json")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requests": 1.5}, "as `requests`, expected an integer"),
        ({"requests": 10**30}, "as `requests`"),
        ({"started_at": "yesterday"}, "as `started_at`, expected a time of RFC 3339 with a time zone"),
        ({"started_at": "2026-01-02T03:04:05"}, "as `started_at`"),
        ({"timings": [[]]}, "as `timings"),
        ({"timings": [{"scenario": "purge", "seconds": float("inf"), "requests": 1}]}, "as `seconds`"),
        ({"scope": []}, "as `scope`"),
        ({"scope": {"select": "AUTH-*"}}, "as `select`, expected a list of strings"),
        ({"spec_digests": {"requirements.yaml": 1}}, "as `spec_digests`"),
    ],
)
def test_wrong_report_is_rejected(changes: dict[str, Any], words: str) -> None:
    """A member of the report with another type is named with what was expected."""
    with pytest.raises(BadData, match=words):
        parse_facts(report(row("A-1"), **changes), "report.json")


def test_same_id_twice_is_rejected() -> None:
    """Of two rows for one requirement, none is preferred."""
    with pytest.raises(BadData, match='got "A-1" twice in `requirements`, expected each id once'):
        parse_facts(report(row("A-1"), row("A-1")), "report.json")


@pytest.mark.parametrize("size", ["MAX_BYTES", "MAX_MEMORY"])
def test_large_file_is_rejected(size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the bound, or whose JSON takes too much memory, is not parsed."""
    folder = write_report(tmp_path, report(row("A-1")))
    monkeypatch.setattr(facts, size, 500)
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("It is parsed."))
    with pytest.raises(BadData, match="a file too large"):
        read_facts(folder)


@pytest.mark.parametrize(("name", "words"), [("missing", "no file"), ("pipe", "no regular file")])
def test_other_kind_of_file_is_rejected(name: str, words: str, tmp_path: Path) -> None:
    """A pipe, which could be waited for forever, is not opened."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadData, match=words):
        read_facts(tmp_path / name)
