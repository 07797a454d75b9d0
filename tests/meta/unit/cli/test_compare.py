"""`compare`: exit codes, formats, and the file that it writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from meta.support.invoke import invoke
from meta.support.reports import report, row, write_report
from purge_conformance.catalogue.model import Level

if TYPE_CHECKING:
    from pathlib import Path

GOOD = report(row("A-01"), row("B-01", level=Level.SHOULD))
WORSE = report(row("A-01", "failed"), row("B-01", level=Level.SHOULD))
SHOULD_WORSE = report(row("A-01"), row("B-01", "failed", level=Level.SHOULD))
OTHER = report(row("C-01"), scope={"profiles": ["core"], "select": ["C-*"], "musts": 1})


def write_pair(place: Path, old: object, new: object) -> tuple[str, str]:
    """Write two reports, and return their folders."""
    return str(write_report(place / "old", old)), str(write_report(place / "new", new))


@pytest.mark.parametrize(
    ("pair", "flags", "code", "words"),
    [
        ((GOOD, GOOD), (), 0, "Result: No regression in 2 requirements compared."),
        ((WORSE, GOOD), (), 0, "Newly passed"),
        ((GOOD, WORSE), (), 1, "Result: 1 regression in 2 requirements compared."),
        ((GOOD, SHOULD_WORSE), (), 0, "Other changes for the worse, not counted"),
        ((GOOD, SHOULD_WORSE), ("--fail-on=should",), 1, "Result: 1 regression"),
        ((GOOD, OTHER), (), 3, "Result: Nothing in common"),
        ((GOOD, []), (), 2, "Error: "),
        (({"schema": 2}, GOOD), (), 2, "no member `requirements`"),
    ],
)
def test_exit_codes(tmp_path: Path, pair: tuple[object, object], flags: tuple[str, ...], code: int, words: str) -> None:
    """0 no regression, 1 a regression, 2 unreadable, 3 nothing in common."""
    result = invoke("compare", *write_pair(tmp_path, *pair), *flags)
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_files_and_folders_are_compared(tmp_path: Path) -> None:
    """OLD and NEW are each a file or a folder; one that does not exist is a usage error."""
    old, new = write_pair(tmp_path, GOOD, WORSE)
    assert invoke("compare", f"{old}/report.json", new).exit_code == 1
    assert invoke("compare", str(tmp_path / "none"), new).exit_code == 2
    assert "no file" in invoke("compare", str(tmp_path), new).output


@pytest.mark.parametrize("flag", ["--format=json", "--json"])
def test_json(tmp_path: Path, flag: str) -> None:
    """Both flags print JSON alone."""
    result = invoke("compare", *write_pair(tmp_path, GOOD, WORSE), flag)
    assert (json.loads(result.output)["regressions"], result.exit_code) == (1, 1)


@pytest.mark.parametrize("flag", ["--format=markdown", "--markdown"])
def test_markdown(tmp_path: Path, flag: str) -> None:
    """Both flags print Markdown."""
    assert invoke("compare", *write_pair(tmp_path, GOOD, WORSE), flag).output.startswith("# ❌ 1 regression")


@pytest.mark.parametrize(("form", "start"), [("text", "Old: "), ("markdown", "# ❌"), ("json", "{")])
def test_out(tmp_path: Path, form: str, start: str) -> None:
    """`--out` writes the same to a file, which replaces an older one, and prints one line."""
    pair = write_pair(tmp_path, GOOD, WORSE)
    out = tmp_path / "sub" / "comparison"
    for _ in range(2):
        result = invoke("compare", *pair, f"--format={form}", f"--out={out}")
        assert (result.exit_code, result.output) == (1, f"1 regression in 2 requirements compared. Written to {out}\n")
    assert out.read_text(encoding="utf-8") == invoke("compare", *pair, f"--format={form}").output
    assert out.read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize("name", ["old/report.json", "evidence.jsonl", "old/report.json/x", "baseline.json"])
def test_out_replaces_no_file_of_a_run(tmp_path: Path, name: str) -> None:
    """`--out` with a report that is compared, a file of a run, or a place that cannot be written is refused."""
    old, new = write_pair(tmp_path, GOOD, WORSE)
    (tmp_path / "baseline.json").write_text(json.dumps(GOOD), encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    first = str(tmp_path / name) if name == "baseline.json" else old
    result = invoke("compare", first, new, f"--out={tmp_path / name}")
    assert (result.exit_code, "Give another FILE" in result.output) == (2, True), result.output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_text_of_reports_controls_no_terminal(tmp_path: Path) -> None:
    """A report with escapes of a terminal and commands of CI prints them as text."""
    hostile: dict[str, Any] = row(
        "A-01", "failed", statement="\x1b[2J::error::\n##[error]x", findings=[{"got": "\x9b"}]
    )
    pair = write_pair(tmp_path, GOOD, report(hostile, target="\x1b]0;x\x07"))
    for form in ("text", "markdown", "json"):
        output = invoke("compare", *pair, f"--format={form}").output
        assert not set("\x1b\x9b\x07") & set(output)
        assert "##[error]" not in output
