"""Is the user's hook there, and does it speak the protocol?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.hook_url import PROBE_STATE
from purge_conformance.errors import HookFailed, HookUnreachable, StateUnsupported
from purge_conformance.target.doctor.check import Check, Status, ok
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.config.settings import Settings

NAME = "hook"
EXPECTED_ANSWERS = {"url": "200, 204 or 501", "command": "exit code 0 or 3"}
START_HINT = "Start it, or name the right one: --hook URL or --hook 'command:LINE'."
ANSWER_HINT = "Name the right one with --hook, and see how it answers the question of spec/hook.md within --timeout."


def checks(settings: Settings) -> Iterable[Check]:
    """Ask the hook for the state that is none, and yield what came of it; where there is no hook, nothing."""
    if settings.hook is None:
        return
    try:
        Hook(settings).set_up(PROBE_STATE)
    except StateUnsupported:
        yield ok(NAME, f"it is there; the state {PROBE_STATE!r} it does not know, and need not")
    except HookFailed as reason:
        next_step = START_HINT if isinstance(reason, HookUnreachable) else ANSWER_HINT
        yield Check(NAME, Status.PROBLEM, str(reason), EXPECTED_ANSWERS[settings.hook.kind], next_step)
    else:
        yield ok(NAME, "it is there")
