"""Every reason why a requirement was not judged is in a table, with its cause and a concrete next step."""

from __future__ import annotations

import re

import pytest

from meta.support import reasons
from meta.support.paths import ROOT
from meta.support.reasons import Reason, find_reasons
from purge_conformance.engine.next_steps import default_next_step
from purge_conformance.report.model import Cause, Outcome

TABLE = ROOT / "tests" / "meta" / "support" / "reasons.md"
ROWS = {Reason(*line.strip("| ").split(" | ")) for line in TABLE.read_text(encoding="utf-8").splitlines()[4:]}
# It names what to give, fix, raise or run; code in braces is judged where it is written.
CONCRETE = re.compile(r"--[a-z]|`[^`]+`|\bFix |\b[Rr]un again|\breport it\b|^Nothing to do|^\{.*\}$|^the default of")


def test_every_reason_is_in_the_table() -> None:
    """The table has exactly the reasons that the code can give."""
    found = set(find_reasons())
    missing = "\n".join(sorted(f"| {' | '.join(row)} |" for row in found - ROWS))
    assert not missing, f"Is each reason true, and its next step concrete? Then add to {TABLE.name}:\n{missing}"
    assert sorted(ROWS - found) == []


@pytest.mark.parametrize("row", sorted(ROWS), ids=lambda row: row.reason[:60])
def test_next_step_is_concrete(row: Reason) -> None:
    """Each next step names a flag, a command, or what to fix; each cause is one, or what decides it."""
    assert CONCRETE.search(row.next_step)
    assert row.cause in {*Cause} or row.cause.startswith("{") or row.cause == "as the evidence shows"


def test_collector_finds_each_kind(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector reads constants, f-strings, defaults, and reasons for requests that were not sent."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "one.py").write_text(
        'raise NotExercised("No list.")\n'
        'raise Inconclusive(f"Lost {x}.", Cause.NETWORK, "Give --proxy URL.")\n'
        'require(view, if_none="Nothing was sent.")\n'
        'raise PrerequisiteFailed("purges fail")\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(reasons, "SOURCE", folder)
    monkeypatch.setattr(reasons, "CONFORMANCE", folder / "none")
    fix = default_next_step(Outcome.NOT_EXERCISED, Cause.TARGET)
    assert list(find_reasons()) == [
        Reason("No list.", "target", fix),
        Reason("Lost {x}.", "network", "Give --proxy URL."),
        Reason("Nothing was sent.", "as the evidence shows", fix),
        Reason("purges fail", "target", "Fix ID first, then run again."),
    ]
