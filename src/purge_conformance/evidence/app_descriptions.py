"""An app as a person knows it: its name, state, instances and space, and what is special about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import app_of_process, dig, snapshots
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.steps import App

if TYPE_CHECKING:
    from collections.abc import Iterator

    from purge_conformance.evidence.listing import Row, Snapshot
    from purge_conformance.evidence.records import Evidence

MAX_APPS = 5
MAX_NAME_CHARS = 80
RENAMED = "renamed-"  # begins the name of each of the suite's apps that was renamed
SPACES = "/v3/spaces"
GUID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{7,}")  # what may be a guid in a sentence
PURPOSES = {  # of the suite's own apps, where nothing else shows what is special about one
    App.OTHER_ORG: "the only one in a second organization",
    App.DELETED: "deleted before the first purge",
}


def describe_apps_in(evidence: Evidence, text: str, until: int) -> tuple[str, ...]:
    """Return what is known of each app that a sentence names by its guid, or by that of a process; at most `MAX_APPS`.

    Args:
        evidence: of the run.
        text: for example what a finding expects and got.
        until: number of the exchange that shows the finding; later states do not count.
    """
    snapshot = _snapshot_until(evidence, until)
    apps = _apps_in(snapshot, text) if snapshot else {}
    return tuple(_describe(evidence, snapshot, app) for app in dict.fromkeys(apps.values()) if snapshot)[:MAX_APPS]


def name_apps_in(evidence: Evidence, text: str, until: int) -> dict[str, str]:
    """Return guid -> name of each app that a sentence names by its guid; arguments as of `describe_apps_in`."""
    snapshot = _snapshot_until(evidence, until)
    apps = _apps_in(snapshot, text) if snapshot else {}
    return {guid: _name(snapshot.apps.by_guid[guid]) for guid, app in apps.items() if guid == app and snapshot}


def _apps_in(snapshot: Snapshot, text: str) -> dict[str, str]:
    """Return what a sentence contains and may be the guid of an app or of its process -> the app."""
    owners = {str(row.get("guid")): app_of_process(row) for row in snapshot.processes.rows}
    words = dict.fromkeys(word.rstrip(".") for word in GUID.findall(text))
    apps = {word: word if word in snapshot.apps.by_guid else owners.get(word) for word in words}
    return {word: app for word, app in apps.items() if app is not None and app in snapshot.apps.by_guid}


def _snapshot_until(evidence: Evidence, until: int) -> Snapshot | None:
    """Return the last snapshot that was complete by then, or else the first one that shows apps."""
    readable = [span for span in evidence.cached(snapshots) if span.snapshot.apps.rows]
    ended = [span for span in readable if span.first <= until]
    return next((span.snapshot for span in [*reversed(ended), *readable]), None)


def _describe(evidence: Evidence, snapshot: Snapshot, app: str) -> str:
    row = snapshot.apps.by_guid[app]
    processes = snapshot.processes_of(app)
    facts = [str(row.get("state")), *_instances(processes), *_space(evidence, row)]
    special = [*_special(processes, app), *_special_name(row), *_purpose(evidence, app)]
    return "; ".join([f"{_name(row)} ({app}): {', '.join(facts)}", *special])


def _name(row: Row) -> str:
    """Return the name of an app, cut if it is long."""
    name = one_line(str(row.get("name"))) if row.get("name") else "an app without a name"
    return name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}…"


def _instances(processes: list[Row]) -> Iterator[str]:
    counts = [(str(row.get("type", "process")), row.get("instances")) for row in processes]
    if len(counts) == 1:
        number = counts[0][1]
        yield f"{number} instance{'' if number == 1 else 's'}"
    elif counts:
        yield " and ".join(f"{kind} with {number}" for kind, number in sorted(counts, key=str)) + " instances"


def _special(processes: list[Row], app: str) -> Iterator[str]:
    """Yield what is unusual about the processes of an app."""
    if processes and all(row.get("instances") == 0 for row in processes):
        yield "scaled to 0 instances"
    web = [str(row.get("guid")) for row in processes if row.get("type", "web") == "web"]
    if web and app not in web:
        yield f"its web process has another guid ({', '.join(web)}), as after a rolling deployment"


def _special_name(row: Row) -> Iterator[str]:
    """Yield what is unusual about the name of an app, and about how it runs."""
    name = str(row.get("name"))
    if not name.isascii():
        yield "its name has characters beyond ASCII"
    if "'" in name or '"' in name:
        yield "its name has a quotation mark"
    if name.startswith(RENAMED):
        yield "it was renamed"
    if dig(row, "lifecycle", "type") == "docker":
        yield "it runs a Docker image"


def _purpose(evidence: Evidence, app: str) -> Iterator[str]:
    for labels in evidence.noted(notes.APPS):
        for label, guid in labels.items():
            if guid == app and label in PURPOSES:
                yield PURPOSES[label]


def _space(evidence: Evidence, row: Row) -> Iterator[str]:
    guid = dig(row, "relationships", "space", "data", "guid")
    if isinstance(guid, str):
        yield f"space {evidence.cached(_space_names).get(guid, guid)}"


def _space_names(evidence: Evidence) -> dict[str, str]:
    """Return guid -> name of the spaces that single answers showed."""
    rows = (x.json for x in evidence.exchanges if x.route.startswith(SPACES) and isinstance(x.json, dict))
    return {
        str(row["guid"]): one_line(str(row["name"]), MAX_NAME_CHARS) for row in rows if "guid" in row and "name" in row
    }
