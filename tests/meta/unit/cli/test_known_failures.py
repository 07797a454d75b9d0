"""`known-failures write` and `prune`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from meta.support.known_failures import write_entries
from meta.support.results import NOTHING, make_run, requirement
from purge_conformance.cli.group import main
from purge_conformance.config.known_failures import load
from purge_conformance.errors import BadSetting
from purge_conformance.report import write_all
from purge_conformance.report.model import Cause, Finding, Outcome, Result

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result as Invocation

PASSED = Result(requirement("PURGE-01"), Outcome.PASSED)
FAILED = Result(requirement("PURGE-01"), Outcome.FAILED, Cause.TARGET, findings=(Finding("200", "500", 1),))
OTHER = Result(requirement("SEED-01"), Outcome.FAILED, Cause.TARGET, findings=(Finding("an event", "none", 2),))
OPEN = Result(requirement("SEED-02"), Outcome.INCONCLUSIVE, Cause.NETWORK, "No answer.", "Run again.")


def report_of(folder: Path, *rows: Result, cut_short: bool = False) -> Path:
    """Write the reports of a run and return their folder."""
    write_all(replace(make_run(), requirements=rows, defects=(), cut_short=cut_short), NOTHING, folder)
    return folder


def call(*arguments: object) -> Invocation:
    """Run `known-failures` with these arguments."""
    return CliRunner().invoke(main, ["known-failures", *map(str, arguments)])


def test_write_leaves_owner_and_reason_to_the_user(tmp_path: Path) -> None:
    """Without flags the file has placeholders, which are refused with the next step."""
    report, out = report_of(tmp_path / "run", FAILED, OPEN), tmp_path / "known.yaml"
    result = call("write", report, "--out", out)
    assert (result.exit_code, result.stdout.startswith(f"Written to {out}. Complete each entry, then: ")) == (0, True)
    assert "Warning: no entry for SEED-02, which another run may judge." in result.stderr
    with pytest.raises(BadSetting, match="owner is still TODO"):
        load(out)
    again = call("write", report, "--out", out)
    assert (again.exit_code, f"--out {out} exists." in again.stderr) == (2, True)


def test_write_prints_without_out(tmp_path: Path) -> None:
    """With owner, reason, link and day the printed file is complete; a report.json is as good as its folder."""
    report, out = report_of(tmp_path / "run", FAILED) / "report.json", tmp_path / "known.yaml"
    terms = ["--owner", "capi", "--reason", "Known.", "--link", "https://t.example/1", "--expires", "2027-03-04"]
    out.write_text(call("write", report, *terms).stdout, encoding="utf-8")
    (entry,) = load(out)
    assert (entry.owner, entry.reason, entry.link, entry.expires.isoformat()) == (
        "capi",
        "Known.",
        "https://t.example/1",
        "2027-03-04",
    )
    default = call("write", report, "--owner", "capi", "--reason", "Known.").stdout
    assert "expires: '2026-04-02'" in default  # 90 days after the run


def test_prune_removes_what_is_stale(tmp_path: Path) -> None:
    """An entry whose requirement passes is removed and named; without one the file stays as it is."""
    out = tmp_path / "known.yaml"
    before = report_of(tmp_path / "before", FAILED, OTHER)
    call("write", before, "--out", out, "--owner", "capi", "--reason", "Known.")
    text = out.read_text(encoding="utf-8")
    same = call("prune", out, "--report", before)
    assert (same.exit_code, same.stdout, out.read_text(encoding="utf-8")) == (0, f"{out}: 2 entries left.\n", text)
    result = call("prune", out, "--report", report_of(tmp_path / "after", PASSED, OTHER))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Removed: PURGE-01 ({out}, line ")
    assert [each.requirements for each in load(out)] == [("SEED-01",)]


def test_prune_keeps_link_mode_and_line_ends(tmp_path: Path) -> None:
    """The file may be a symbolic link, readable by others, and end its lines as Windows does: it stays so."""
    real, link = tmp_path / "real.yaml", tmp_path / "known.yaml"
    call("write", report_of(tmp_path / "before", FAILED, OTHER), "--out", real, "--owner", "capi", "--reason", "Known.")
    real.write_bytes(real.read_bytes().replace(b"\n", b"\r\n"))
    real.chmod(0o644)
    link.symlink_to(real.name)
    assert call("prune", link, "--report", report_of(tmp_path / "after", PASSED, OTHER)).exit_code == 0
    data = real.read_bytes()
    assert (link.is_symlink(), real.stat().st_mode & 0o777, data.count(b"\r\n")) == (True, 0o644, data.count(b"\n"))
    assert b"PURGE-01" not in data


def test_run_that_was_cut_short_enters_and_removes_less(tmp_path: Path) -> None:
    """What was not judged since a run was cut short gets no entry, and what passed until then is not removed."""
    gap = replace(OPEN, cause=Cause.CONFIGURATION, reason="The run was interrupted.")
    out = tmp_path / "known.yaml"
    result = call("write", report_of(tmp_path / "run", FAILED, gap, cut_short=True), "--out", out)
    assert ("SEED-02" in out.read_text("utf-8"), "as the run was cut short" in result.stderr) == (False, True)
    out.write_text(out.read_text("utf-8").replace("TODO", "capi"), encoding="utf-8")
    pruned = call("prune", out, "--report", report_of(tmp_path / "after", PASSED, cut_short=True))
    assert (pruned.stdout, "the run was cut short" in pruned.stderr) == (f"{out}: 1 entry left.\n", True)


def test_write_from_an_earlier_file(tmp_path: Path) -> None:
    """What the user decided stays where a finding is worded otherwise; only what is new has the flags' terms."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    write_entries(old, {"case": "answered", "signature": [{"case": "answered", "expected": "a 200", "got": "a 500"}]})
    first = replace(FAILED, findings=(Finding("200", "500", 1, case="answered"),))
    terms = ("--owner", "other", "--reason", "New.", "--expires", "2028-01-31", "--from", old)
    assert call("write", report_of(tmp_path / "run", first, OTHER), "--out", new, *terms).exit_code == 0
    kept, added = load(new)
    assert (kept.owner, kept.case, kept.expires.isoformat()) == ("capi", "answered", "2027-01-31")
    assert (kept.signature[0].expected, kept.signature[0].got) == ("200", "500")
    assert (added.requirements, added.owner, added.expires.isoformat()) == (("SEED-01",), "other", "2028-01-31")
    write_entries(old, {"kind": "flaky", "rate": 0.5})
    flaky, _ = load(call_out(tmp_path, first, old))
    assert (flaky.kind, flaky.rate, flaky.case) == ("flaky", 0.5, None)


def call_out(folder: Path, row: Result, old: Path) -> Path:
    """Write a file of known failures from an earlier one, and return its path."""
    out, terms = folder / "out.yaml", ("--owner", "other", "--reason", "New.", "--from", old)
    call("write", report_of(folder / "again", row, OTHER), "--out", out, *terms)
    return out


def test_prune_of_the_last_entry_leaves_a_valid_file(tmp_path: Path) -> None:
    """A file without an entry left is a promise that nothing fails."""
    out = tmp_path / "known.yaml"
    call("write", report_of(tmp_path / "before", FAILED), "--out", out, "--owner", "capi", "--reason", "Known.")
    result = call("prune", out, "--report", report_of(tmp_path / "after", PASSED))
    assert (result.stdout.splitlines()[-1], load(out)) == (f"{out}: 0 entries left.", ())
