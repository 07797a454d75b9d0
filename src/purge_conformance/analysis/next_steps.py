"""What a user does next, for judgments that know it better than the cause alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode

if TYPE_CHECKING:
    from purge_conformance.evidence.records import Evidence

RAISE_BUDGET = "Raise the limit that the reason names (--max-requests, --max-purges), then run again."
RUN_ALONE = "Run again while no other client purges, starts, stops, scales or deletes apps on the target."
NO_INTERRUPT = "Run again, without an interruption."
GIVE_HOOK = "Give --hook URL or --hook command:LINE; the hook provokes this status. `spec/hook.md` describes it."
LOOK_AT_HOOK = "Make the hook support this state, as `spec/hook.md` describes, then run again."


def give_token(*roles: str) -> str:
    """Return that tokens of these roles are to be given."""
    return f"Give {' and '.join(f'--token {role}=SOURCE' for role in roles)}, then run again."


def get_apps(evidence: Evidence) -> str:
    """Return how the suite gets the apps that it needs."""
    settings = evidence.header.settings
    if settings.get("apps") == Mode.OBSERVE:
        return "Let the suite create apps: --apps drive, with --space GUID if it must use an existing space."
    if settings.get("apps") == Mode.HOOK:
        return "Make the hook create and start apps, as `spec/hook.md` describes, then run again."
    return (
        "Fix what keeps the suite's apps from being created and started. --space GUID names an existing space; "
        "--app-droplet GUID, --app-droplet-file FILE or --app-docker-image REF name what the apps run."
    )
