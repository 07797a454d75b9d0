"""What a script finds in the snapshots before and after what it sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from purge_conformance.analysis.script.effects import failed, kept, purged, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from purge_conformance.evidence.listing import Row

NOON, LATER = "2026-07-01T12:00:00Z", "2026-07-01T12:00:09Z"


def app(guid: str, state: str = "STARTED", name: str = "") -> Row:
    """Return a row of an app."""
    return {"guid": guid, "name": name or f"name of {guid}", "state": state}


def process(guid: str, instances: int = 1) -> Row:
    """Return the row of an app's only process."""
    return {
        "guid": guid,
        "instances": instances,
        "memory_in_mb": 64,
        "relationships": {"app": {"data": {"guid": guid}}},
    }


def event(guid: str, of: str, state: str = "STARTED", count: int = 1, at: str = LATER) -> Row:
    """Return the row of an event."""
    return {
        "guid": guid,
        "created_at": at,
        "state": {"current": state},
        "app": {"guid": of, "name": f"name of {of}"},
        "instance_count": {"current": count},
        "memory_in_mb_per_instance": {"current": 64},
    }


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., str]:
    """The function that writes a snapshot; each list is one page."""

    def write(name: str, events: list[Row], apps: list[Row], processes: list[Row]) -> str:
        for part, rows in (("events", events), ("apps", apps), ("processes", processes)):
            (tmp_path / f"{name}.{part}").write_text(json.dumps({"resources": rows}) + "\n", encoding="utf-8")
        return str(tmp_path / name)

    return write


APPS = [app("on"), app("off", "STOPPED")]
PROCESSES = [process("on"), process("off")]
OLD = event("old", "on", at=NOON)
SEED = event("on", "on")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"events": [SEED, OLD]}, "from before the purge: old of"),
        ({"events": []}, "(STARTED, [(1, 64)]) has no event"),
        ({"events": [SEED, event("more", "on")]}, "has 2 events, at most 1"),
        ({"events": [event("other", "on")]}, "has the guid other, expected on"),
        ({"events": [event("on", "on", count=7)]}, "its event shows ('STARTED', 7, 64)"),
        ({"events": [event("on", "on", "STOPPED")]}, "its event shows ('STOPPED', 1, 64)"),
        ({"events": [SEED, event("off", "off")]}, "(STOPPED, [(1, 64)]) has an event"),
        ({"events": [SEED, event("x", "nothing")]}, "an event of no app: x"),
        ({"apps": [APPS[0], app("off")], "events": [SEED, event("off", "off")]}, "had state STOPPED, and now STARTED"),
        ({"apps": [app("on", name="new"), APPS[1]]}, "had name name of on, and now new"),
        ({"processes": [process("on"), process("off", 3)]}, "had (instances, MB) [(1, 64)], and now [(3, 64)]"),
        ({"processes": []}, ""),  # they cannot be read
    ],
)
def test_purge(changes: dict[str, Any], words: str, take: Callable[..., str]) -> None:
    """After a purge each started app has one event that shows it, nothing else is listed, and no app has changed."""
    before = take("before", [OLD], APPS, PROCESSES if changes.get("processes") != [] else [])
    after = take("after", **{"events": [SEED], "apps": APPS, "processes": PROCESSES, **changes})
    found = purged(before, after)
    assert words in " ".join(found) if words else found == [], found


def test_changed_apps_are_left_out(take: Callable[..., str]) -> None:
    """Of an app that changed during a purge only events from before it are wrong."""
    before = take("before", [OLD], APPS, PROCESSES)
    after = take("after", [SEED, event("x", "off"), event("y", "off", "STOPPED")], [APPS[0], app("off")], PROCESSES)
    assert purged(before, after, "off") == []
    assert purged(before, take("after", [OLD], APPS, PROCESSES), "on off") != []


@pytest.mark.parametrize(
    ("events", "words"), [([OLD], ""), ([], "destroyed: old"), ([OLD, SEED], "populated: on"), ([SEED], "destroyed")]
)
def test_rejected_purge(events: list[Row], words: str, take: Callable[..., str]) -> None:
    """A request that must not purge neither destroys nor populates an event."""
    found = kept(take("before", [OLD], APPS, PROCESSES), take("after", events, APPS, PROCESSES))
    assert words in " ".join(found) if words else found == [], found


@pytest.mark.parametrize(
    ("events", "words"),
    [([OLD], ""), ([SEED], ""), ([], "destroyed: old"), ([OLD, SEED], "from before the purge: old")],
)
def test_purge_that_failed(events: list[Row], words: str, take: Callable[..., str]) -> None:
    """A purge that failed leaves everything as it was, or it is complete."""
    found = failed(take("before", [OLD], APPS, PROCESSES), take("after", events, APPS, PROCESSES))
    assert words in " ".join(found) if words else found == [], found


@pytest.mark.parametrize(
    ("state", "events", "words"),
    [
        ("STARTED", [OLD, event("new", "on", count=2)], ""),
        ("STARTED", [OLD], "(STARTED, [(2, 64)]): its newest event shows [('STARTED', 1, 64)]"),
        ("STARTED", [OLD, event("new", "on", "STOPPED")], "its newest event shows [('STOPPED', 1, 64)]"),
        ("STARTED", [event("new", "on", count=2)], "gone or changed: old"),
        ("STOPPED", [OLD, event("new", "on", "STOPPED")], ""),
        ("STOPPED", [OLD], "its newest event shows [('STARTED', 1, 64)]"),
    ],
)
def test_recorded_changes(state: str, events: list[Row], words: str, take: Callable[..., str]) -> None:
    """The newest event of an app that changed shows its state, and older ones stay."""
    before = take("before", [OLD], APPS, PROCESSES)
    after = take("after", events, [app("on", state)], [process("on", 2)])
    found = recorded(before, after, "on")
    assert words in " ".join(found) if words else found == [], found
