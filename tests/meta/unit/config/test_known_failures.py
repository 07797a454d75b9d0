"""The file of --known-failures: what it may have, and what is said where it is wrong."""

from __future__ import annotations

import textwrap
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.known_failures import ROW, write_entries
from purge_conformance.config.known_failures import EntryKind, load
from purge_conformance.errors import BadSetting

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
# Known failures of our staging foundation.
known_failures:
  - requirements: PURGE-01   # one id needs no list
    owner: capi
    reason: Reported upstream.
    expires: 2027-01-31
    signature:
      - {expected: 200, got: 500}
  - requirements: [SEED-01, SEED-02]
    kind: flaky
    rate: 0.25
    owner: capi
    reason: yes
    link: https://tracker.example/1
    expires: "2027-02-28"
    signature:
      - requirement: SEED-01
        case: new-droplet
        sent: POST /v3/x as admin
        expected: an event
        got: none
"""


def test_entries_are_read(tmp_path: Path) -> None:
    """Scalars are texts, whatever YAML makes of them; an entry knows its line."""
    path = tmp_path / "known.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first, second = load(path)
    assert (first.requirements, first.kind, first.expires) == (("PURGE-01",), EntryKind.FAILURE, date(2027, 1, 31))
    assert (first.signature[0].expected, first.signature[0].got) == ("200", "500")
    assert first.place == f"{path}, line 3"
    assert (second.requirements, second.kind, second.rate) == (("SEED-01", "SEED-02"), EntryKind.FLAKY, 0.25)
    assert (second.reason, second.link, second.place) == ("yes", "https://tracker.example/1", f"{path}, line 9")
    assert (second.signature[0].case, second.signature[0].sent) == ("new-droplet", "POST /v3/x as admin")


def test_a_case_needs_no_words(tmp_path: Path) -> None:
    """A signature that names its case may leave out expected and got, and an entry is about the cases that it names."""
    row = {"signature": [{"case": "answered"}, {"case": "plain-purge", "expected": "200", "got": "500"}]}
    (entry,) = load(write_entries(tmp_path / "known.yaml", row))
    assert (entry.signature[0].expected, entry.signature[0].got) == (None, None)
    assert entry.cases_of("PURGE-01") == ("answered", "plain-purge")
    any_case = load(write_entries(tmp_path / "known.yaml", {"signature": [*row["signature"], *ROW["signature"]]}))
    assert any_case[0].cases_of("PURGE-01") == ()


def test_no_entry_is_fine(tmp_path: Path) -> None:
    """A file without an entry promises that nothing fails."""
    path = tmp_path / "known.yaml"
    path.write_text("known_failures: []\n", encoding="utf-8")
    assert load(path) == ()


SIGNATURE = ROW["signature"]
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt key": ({"onwer": "x", "owner": None}, "onwer is no key here. Did you mean owner? Known: requirements,"),
    "missing key": ({"owner": None}, "owner is missing. Expected: owner, the team or person who takes care of it."),
    "missing expiry": ({"expires": None}, "expires is missing. Expected: expires, the last day on which it is excused"),
    "missing signature": ({"signature": None}, "signature is missing."),
    "empty signature": ({"signature": []}, "signature: got an empty list. Expected: How it fails"),
    "unknown id": (
        {"requirements": ["PURGE-1"]},
        "PURGE-1 is no requirement. Did you mean PURGE-01? `purge-conformance",
    ),
    "no id": ({"requirements": []}, "requirements: got an empty list. Expected: The ids"),
    "unknown kind": ({"kind": "flakey"}, "kind: flakey is not one of failure, flaky, not-judged. Did you mean flaky?"),
    "unknown case": ({"case": "plain-purg"}, "PURGE-01 has no case plain-purg. Did you mean plain-purge? Known:"),
    "case of a gap": (
        {"kind": "not-judged", "case": "answered", "signature": [{"got": "x"}]},
        "case does not belong to kind: not-judged",
    ),
    "no rate": ({"kind": "flaky"}, "rate is missing: of a flaky failure it says which share of the trials may fail"),
    "rate of a failure": ({"rate": 0.1}, "rate belongs to kind: flaky. Remove it, or write that kind."),
    "rate in percent": ({"kind": "flaky", "rate": 20}, "rate: got 20.0. Expected: Of a flaky failure"),
    "rate in words": ({"kind": "flaky", "rate": "often"}, "rate: got 'often'. Expected: Of a flaky failure"),
    "placeholder": ({"owner": "TODO"}, "owner is still TODO. Write who takes care of it."),
    "placeholder of a reason": ({"reason": "todo: why"}, "reason is still TODO. Write why it is accepted."),
    "no day": ({"expires": "2027-02-30"}, "expires: 2027-02-30 is no day. Write YYYY-MM-DD."),
    "another format of a day": ({"expires": "31.01.2027"}, "expires: got '31.01.2027'. Expected: The last day"),
    "no link": ({"link": "JIRA-1"}, "link: got 'JIRA-1'. Expected: Where it is tracked."),
    "neither got nor case": ({"signature": [{"expected": "200"}]}, "got and case are both missing. Copy expected and"),
    "case of the signature of a gap": (
        {"kind": "not-judged", "signature": [{"case": "answered"}]},
        "case does not belong to kind: not-judged",
    ),
    "no number": ({"kind": "flaky", "rate": "nan"}, "rate: got 'nan'. Expected: Of a flaky failure"),
    "infinite rate": ({"kind": "flaky", "rate": "inf"}, "rate: got 'inf'. Expected: Of a flaky failure"),
    "the same entry": ({}, "PURGE-01 has the same entry in line 2. Remove one of them."),
    "the same entry with other terms": (
        {"requirements": ["SEED-01", "PURGE-01"], "owner": "another"},
        "PURGE-01 has the same entry in line 2.",
    ),
    "only got": ({"signature": [{"got": "500"}]}, "expected is missing in the signature."),
    "requirement of another entry": (
        {"signature": [{"requirement": "SEED-01", "expected": "200", "got": "500"}]},
        "SEED-01 is not one of the requirements of this entry.",
    ),
    "case of a signature": (
        {"signature": [{"case": "answerd", "expected": "200", "got": "500"}]},
        "PURGE-01 has no case answerd. Did you mean answered?",
    ),
    "key of a signature": (
        {"signature": [{"expect": "200", "got": "500"}]},
        "expect is no key here. Did you mean expected? Known: requirement, case, sent, expected, got.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named_with_their_line(tmp_path: Path, name: str) -> None:
    """What is wrong is named with its line, what is expected, and what was probably meant."""
    change, words = WRONG[name]
    path = write_entries(tmp_path / "known.yaml", {}, change)
    with pytest.raises(BadSetting) as raised:
        load(path)
    head, _, message = str(raised.value).partition(": ")
    assert message.startswith(words)
    assert head.startswith(f"{path}, line ")
    second = path.read_text(encoding="utf-8").split("\n- ")[0].count("\n") + 2
    assert int(head.rpartition(" ")[2]) >= second


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: a mapping with the key known_failures is expected. To write a file: purge-conformance known-"),
        ("- PURGE-01\n", "line 1: a mapping with the key known_failures is expected."),
        ("known_failure: []\n", "line 1: known_failure is no key here. Did you mean known_failures?"),
        ("known_failures: {}\n", "line 1: known_failures: got a mapping. Expected: One entry per defect."),
        ("known_failures:\n  - PURGE-01\n", "line 2: number 1: got 'PURGE-01'. Expected: One defect"),
        ("known_failures: [\n", "line 2, column 1: this is not valid YAML ("),
        ("known_failures: []\nknown_failures: []\n", "line 2: the key known_failures occurs twice. Remove one."),
        ("known_failures: &a [*a]\n", "it is nested too deeply."),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{n}: &{n} [{', '.join(['*' + m] * 10)}]\n" for m, n in pairwise("abcdef"))
            + "known_failures: *f\n",
            "it has more than 100,000 values.",
        ),
        ("known_failures: " + "[" * 5000, "nested too deeply"),
        ("? [a]\n: b\n", "line 1: a key is no text."),
        ("\x00", "not valid YAML"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file of another kind is refused with what is expected."""
    path = tmp_path / "known.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting) as raised:
        load(path)
    assert words in str(raised.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A file that cannot be read, is no text, or is huge, is refused with the flag that named it."""
    binary, huge = tmp_path / "binary", tmp_path / "huge"
    binary.write_bytes(b"\xff\xfe\x00")
    huge.write_text(textwrap.indent("x" * 1_100_000, "# "), encoding="utf-8")
    for path in (tmp_path / "missing", binary, huge):
        with pytest.raises(BadSetting, match=r"--known-failures FILE\.$"):
            load(path)
