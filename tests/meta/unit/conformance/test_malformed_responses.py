"""No response crashes a judgment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.judgments import JUDGMENTS, add_purge, outcome_of
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder

SEEDED = {"guid": "a", "created_at": "2026-07-01T12:00:00Z", "app": {"guid": "a"}, "task": {"guid": None}}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"resources": 1}', b'{"resources": [null, 1, {}]}', b"9" * 5000]
)
@pytest.mark.parametrize("name", JUDGMENTS)
def test_malformed_response_never_crashes(name: str, body: bytes, builder: EvidenceBuilder) -> None:
    """A judgment of any response has an outcome and never crashes."""
    add_purge(builder, [SEEDED])
    builder.exchanges[:] = []
    for experiment, steps in STEPS.items():
        for step, (method, path) in steps.items():
            builder.add_exchange(experiment, step, method=method, path=path, body=body, tags=TAGS)
            if path == LIST[1]:
                builder.add_note(experiment, f"{step}.complete", value=True)
    outcome_of(builder, name)


LIST = ("GET", f"{EVENTS_PATH}?per_page=2&page=1&guids=a&after_guid=None&order_by=created_at")
TAGS = {"credential": "none", "auth": "none", "mode": "positive", "phase": "coverage", "about": "x"}
STEPS: dict[str, dict[str, tuple[str, str]]] = {
    "purge": {
        "purge": ("POST", PURGE_PATH),
        "destroyed": ("GET", f"{EVENTS_PATH}/old"),
        "seeded": ("GET", f"{EVENTS_PATH}/a"),
        "after.events": LIST,
    },
    "again": {"purge": ("POST", PURGE_PATH), "after.events": LIST},
    "reads": {"list": LIST, "get": ("GET", f"{EVENTS_PATH}/a"), "unknown": ("GET", f"{EVENTS_PATH}/no")},
    "refused": {
        "look": LIST,
        "credential": ("POST", PURGE_PATH),
        "method": ("GET", PURGE_PATH),
        "route": ("POST", f"{PURGE_PATH}/x"),
    },
    "bypass": {
        "look": LIST,
        "spelling": ("POST", f"{PURGE_PATH}/"),
        "forged": ("POST", PURGE_PATH),
        "in-url": ("POST", PURGE_PATH),
    },
    "lists": {
        "opening": LIST,
        "twice": LIST,
        "walk 4": LIST,
        "guids 0": LIST,
        "after_guid 0": LIST,
        "get": ("GET", f"{EVENTS_PATH}/a"),
        "closing": LIST,
    },
    "odd": {"no-json.before.events": LIST, "no-json": ("POST", PURGE_PATH), "no-json.after.events": LIST},
    "contract": {"listAppUsageEvents": LIST, "getAppUsageEvent": ("GET", f"{EVENTS_PATH}/%5B")},
}
