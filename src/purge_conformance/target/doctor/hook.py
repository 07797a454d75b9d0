"""Checks that the user's hook can be reached and follows the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.hook_url import PROBE_STATE
from purge_conformance.errors import HookFailed, HookUnreachable, StateUnsupported
from purge_conformance.target.doctor.check import Check, Effect, Status, ok
from purge_conformance.target.hook import Hook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.config.settings import Settings

NAME = "hook"
EXPECTED_ANSWERS = {"url": "200, 204 or 501", "command": "exit code 0 or 3"}
START_HINT = (
    "Start it, or give another: --hook URL or --hook 'command:LINE'. --timeout says how long it may take to answer."
)
ANSWER_HINT = (
    "Answer as spec/hook.md in the package purge_conformance describes, within --timeout; or give another --hook."
)


def checks(settings: Settings) -> Iterable[Check]:
    """Ask the hook, if there is one, for the state that changes nothing; yield the finding."""
    if settings.hook is None:
        return
    try:
        Hook(settings).set_up(PROBE_STATE)
    except StateUnsupported:
        yield ok(NAME, f"it answers; it does not support the state {PROBE_STATE!r}, which is optional")
    except HookFailed as reason:
        is_absent, expected = isinstance(reason, HookUnreachable), EXPECTED_ANSWERS[settings.hook.kind]
        effect = Effect.REFUSAL if is_absent else Effect.WARNING
        next_step = START_HINT if is_absent else ANSWER_HINT
        yield Check(NAME, Status.PROBLEM, str(reason), expected, next_step, effect=effect)
    else:
        yield ok(NAME, "it answers")
