"""Every reason why a requirement was not judged is in a table, with its cause and a concrete next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from meta.support import reasons
from meta.support.paths import ROOT
from meta.support.reasons import WITH_REASON, Reason, find_forwarding_functions, find_reasons
from purge_conformance.analysis import next_steps as of_judgments
from purge_conformance.analysis.next_steps import split_advice
from purge_conformance.engine import next_steps as of_engine
from purge_conformance.engine.next_steps import default_next_step
from purge_conformance.report.model import Cause, Outcome

if TYPE_CHECKING:
    from types import ModuleType

TABLE = ROOT / "tests" / "meta" / "support" / "reasons.md"
ROWS = {Reason(*line.strip("| ").split(" | ")) for line in TABLE.read_text(encoding="utf-8").splitlines()[4:]}
# It names what to give, fix, raise or run; code in braces is judged where it is written.
CONCRETE = re.compile(r"--[a-z]|`[^`]+`|\bFix |\b[Rr]un again|\breport it\b|^Nothing to do|^\{.*\}$|^the default of")
# No advice of its own: the text comes from a variable, whose value is another row or names the flag.
WITHOUT_ADVICE = {"{self.exhausted}", "{f'{message} {self.archive_error}'.rstrip()}"}


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


def test_recorded_limits_say_what_to_give() -> None:
    """The text of each limit that ends a scenario has a next step of its own: no user has to guess the flag."""
    vague = [row.reason for row in ROWS if row.next_step == of_judgments.RAISE_BUDGET]
    assert {*vague} <= WITHOUT_ADVICE


def test_each_function_with_a_reason_is_collected() -> None:
    """Each function of the judgments that takes a reason from its caller is known to the collector."""
    own = {"__init__", "explain"}  # of the exceptions, and of the view, whose reason is an exception
    assert {*find_forwarding_functions()} - own == WITH_REASON.keys()


@pytest.mark.parametrize("module", [of_judgments, of_engine])
def test_constant_next_steps_are_concrete(module: ModuleType) -> None:
    """Each constant of the modules of next steps is concrete, also one that only a function returns."""
    texts = {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    vague = {name for name, text in texts.items() if not CONCRETE.search(text)}
    assert vague - {"NOTHING_TO_DO", "HOOK_FILE"} == set()


def test_advice_is_the_next_step() -> None:
    """A recorded text is divided into the reason and the next step; one without advice stays whole."""
    assert split_advice("The run has sent 60 requests. Give --max-requests 1500.") == (
        "The run has sent 60 requests.",
        "Give --max-requests 1500, then run again.",
    )
    assert (
        split_advice("It failed. Check the disk. Or give --out.")[1] == "Check the disk. Or give --out. Then run again."
    )
    assert split_advice("It expired just before, and is not sent twice. Run again.")[1] == "Run again."
    assert split_advice("SIGINT stopped the run") == ("SIGINT stopped the run", "")


def test_collector_finds_each_kind(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector reads constants, f-strings, defaults, and reasons for requests that were not sent."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "one.py").write_text(
        'raise NotExercised("No list.")\n'
        'raise Inconclusive(f"Lost {x}.", Cause.NETWORK, "Give --proxy URL.")\n'
        'require(view, if_none="Nothing was sent.")\n'
        'raise PrerequisiteFailed("purges fail")\n'
        'raise no_event(view, "Nothing to get.")\n'
        'raise BudgetExhausted(f"{n} were sent. Give --max-requests {more}.")\n',
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
        Reason("Nothing to get.", "configuration", "{get_apps(view)}"),
        Reason("{n} were sent.", "configuration", "Give --max-requests {more}, then run again."),
    ]
