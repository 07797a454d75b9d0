"""Next steps for the user, where a judgment knows a more precise one than the default of its cause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.evidence import notes
from purge_conformance.evidence.steps import Scenario
from purge_conformance.report.text import NOTHING_TO_DO

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence

RAISE_BUDGET = (
    "Raise the limit that the reason names (--max-requests, --max-purges, --max-time, --max-memory), then run again."
)
RAISE_LIST_LIMIT = (
    "Raise --max-events and --max-requests, then run again. If the list is not that long, let its last page name no "
    "next page."
)
PAUSE_RETENTION = "Run again while no retention job deletes events."
RUN_ALONE = "Run again while no other client purges, starts, stops, scales or deletes apps on the target."
FIX_READS = (
    "Find the failed `GET /v3/app_usage_events` or `GET /v3/apps` next to the purges in evidence.jsonl, fix its cause, "
    "then run again."
)
AFTER_LONG_WAIT = "Run again after that time, raise the target's rate limit for this address, or raise --patience."
NO_INTERRUPT = "Run again, without an interruption."
RUN_ALL = "Collect new evidence: `purge-conformance run URL`, without --select and --profile observe-only."
RUN_LOCALLY = f"{NOTHING_TO_DO}, unless the target also runs on this machine: then run against its loopback address."
SET_CLOCK = "Let the target send a `Date` header, or synchronize its clock and that of this machine, then run again."
AFTER_KILL = "Run again; if it is killed again, see the limits of memory and time of the machine or CI job."
AFTER_RATE_LIMIT = (
    "Raise the target's rate limit for the client of the run, or switch it off, or wait until its window has passed. "
    "Then run again."
)
AFTER_CONCURRENT_LIMIT = (
    "Raise the target's rate limit for the client of the run, or switch it off, then run again: --patience does not "
    "help, as requests that are sent at the same time are not sent again."
)
ACCEPT_CONNECTIONS = (
    "Let the target, and each proxy or load balancer in front of it, accept 6 connections from one client at the same "
    "time, then run again."
)
GIVE_TIME = "Find out why the target takes so long, or give a larger --timeout, then run again."
PAST_FIREWALL = (
    "Let the firewall or proxy pass the requests of the suite, or run against an address of the target behind it."
)
PAST_ROUTER = "Find out from the log of the router or load balancer why it did not reach the target, then run again."
FIND_APPS = (
    "See in evidence.jsonl what became of the apps of the suite: it created them, and they were not as it left them. "
    "Another client may have deleted, started or stopped them. Then run again."
)
FIX_APPS = (
    "Fix the error that prevents the suite from creating and starting apps. --space GUID names an existing space; "
    "--app-droplet GUID, --app-droplet-file FILE or --app-docker-image REF name what the apps run."
)
HOOK_FILE = "`spec/hook.md` in the package purge_conformance"
CHANGE_BY_API = (
    "Let the suite change its apps through API v3, as only so it can change them during a purge: --apps drive, with "
    "--space GUID if it must use an existing space."
)
ADVICE = re.compile(r"(?<=[.}] )(?:Check|Fix|Free|Give|Let|Raise|Run again)\b.*", re.DOTALL)
GIVE_HOOK = f"Give --hook URL or --hook command:LINE; the hook induces this status. {HOOK_FILE} describes it."
FIX_HOOK = f"Make the hook support this state, as {HOOK_FILE} describes, then run again."


def split_advice(text: str) -> tuple[str, str]:
    """Return a reason that the run recorded without the advice at its end, and that advice as a next step.

    The next step is empty if the reason ends without advice.
    """
    found = ADVICE.search(text)
    if not found:
        return text, ""
    advice = found[0].rstrip(".")
    again = "" if "un again" in advice else ". Then run again" if ". " in advice else ", then run again"
    return text[: found.start()].rstrip(), f"{advice}{again}."


def nothing_to_do(condition: str) -> str:
    """Return the next step for a requirement whose occasion no flag can provide."""
    return f"{NOTHING_TO_DO}: it is judged only if {condition}."


def give_token(*roles: str) -> str:
    """Return the next step that adds tokens of these roles."""
    flags = [f"--token {role}=SOURCE" for role in roles]
    return f"Give {' and '.join([', '.join(flags[:-1]), flags[-1]] if flags[1:] else flags)}, then run again."


def get_timed_apps(evidence: Evidence) -> str:
    """Return the next step that lets the suite have apps that it can change at a chosen moment."""
    foundation = Scenario.FOUNDATION
    is_untimed = evidence.note(foundation, notes.UNTIMED) and not evidence.note(foundation, notes.APPS_ERROR)
    return CHANGE_BY_API if is_untimed else get_apps(evidence)


def get_apps(evidence: Evidence) -> str:
    """Return the next step that lets the suite have the apps that it needs."""
    if next_step := evidence.note(Scenario.FOUNDATION, notes.APPS_NEXT_STEP):
        return str(next_step)
    settings = evidence.header.settings
    if settings.get("apps") == Mode.OBSERVE:
        return "Let the suite create apps: --apps drive, with --space GUID if it must use an existing space."
    created = evidence.note(Scenario.FOUNDATION, notes.APPS)
    if created and not evidence.note(Scenario.FOUNDATION, notes.APPS_ERROR):
        return FIND_APPS
    if settings.get("apps") == Mode.HOOK:
        return (
            f"Make the hook create and start apps, as {HOOK_FILE} describes, or let the suite create them through API "
            "v3 (--apps drive). Then run again."
        )
    return FIX_APPS
