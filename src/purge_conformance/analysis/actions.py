"""What the suite changed on the target, and which of its own apps it did not change."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.catalogue.api import SAFE_METHODS, guid_in_path, is_purge
from purge_conformance.config.apps import Mode
from purge_conformance.evidence import notes
from purge_conformance.evidence.listing import APPS, dig
from purge_conformance.evidence.steps import Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.evidence.records import Evidence, Exchange

REQUESTED_MEMBERS = {  # step -> the member of an app that it requests to change, and where its body has the value
    Step.ASSIGN_DROPLET: ("droplet", ("data", "guid")),
    Step.RENAME: ("name", ("name",)),
}


def state_changing_requests(evidence: Evidence) -> list[Exchange]:
    """Return the suite's unsafe requests, and its reads of apps that its hook had just changed."""
    return [x for x in evidence.exchanges if x.method not in SAFE_METHODS or Tag.CHANGED_BY_HOOK in x.tags]


def own_apps(evidence: Evidence) -> set[str]:
    """Return the guids of the suite's own apps."""
    return set((evidence.note(Scenario.FOUNDATION, notes.APPS) or {}).values())


def created_apps(evidence: Evidence) -> set[str]:
    """Return the guids of all apps that the suite created: its own apps, and those of the random sequences."""
    creations = (x.json for x in evidence.exchanges if (x.method, x.route) == ("POST", APPS))
    return own_apps(evidence) | {str(guid) for app in creations if isinstance(app, dict) and (guid := app.get("guid"))}


def single_process_apps(evidence: Evidence) -> set[str]:
    """Return the suite's own apps if each has one process: no droplet and no hook can have defined more."""
    steps = {place.step for place in evidence.by_place.get((Scenario.FOUNDATION, 1), {})}
    may_have_more = Step.PREPARE_DROPLET in steps or evidence.header.settings.get("apps") == Mode.HOOK
    return set() if may_have_more else own_apps(evidence)


def apps_unchanged_since_earlier_purge(evidence: Evidence, purge: Exchange, until: int) -> set[str]:
    """Return the suite's own apps that it did not change between the last purge but one and an exchange.

    A change may be recorded late, and so after the last purge. The set is empty where there were no two purges.
    """
    changes = evidence.cached(state_changing_requests)
    purges = [x for x in changes if is_purge(x.method, x.path) and x.succeeded]
    earlier_purges = [x.n for x in purges if x.sent_at + x.elapsed < purge.sent_at]
    since = earlier_purges[-2] if len(earlier_purges) > 1 else 0
    return own_apps(evidence) - _app_guids(x for x in changes if since < x.n < until) if since else set()


def unchanged_apps(evidence: Evidence, purge: Exchange) -> set[str]:
    """Return the suite's own apps except the one that was changed last before a purge: its change may take a while."""
    before = [x for x in evidence.cached(state_changing_requests) if x.n < purge.n and x.route.startswith(f"{APPS}/")]
    return own_apps(evidence) - _app_guids(before[-1:])


def apps_with_new_droplet(evidence: Evidence, purge: Exchange) -> set[str]:
    """Return the apps that the suite assigned another droplet before a purge, as the target confirmed."""
    assigned = evidence.of(Scenario.PURGE_AFTER_CHANGES, Step.ASSIGN_DROPLET)
    return _app_guids(x for x in assigned if x.n < purge.n and x.status in {HTTPStatus.OK, HTTPStatus.NO_CONTENT})


def requested_members(evidence: Evidence, purge: Exchange) -> dict[str, dict[str, set[str]]]:
    """Return the names and droplets that the suite requested for its apps before a purge: app -> member -> values.

    Only those that the target did not reject. An app may have them only after the purge, for example after 202.
    """
    values: dict[str, dict[str, set[str]]] = {}
    for x in evidence.cached(state_changing_requests):
        if x.n >= purge.n or x.step not in REQUESTED_MEMBERS or not x.succeeded or not x.route.startswith(f"{APPS}/"):
            continue
        member, path = REQUESTED_MEMBERS[x.step]
        value = str(dig(json.loads(x.request_body or "{}"), *path))
        values.setdefault(guid_in_path(x.route), {}).setdefault(member, set()).add(value)
    return values


def restarted_apps(evidence: Evidence, purge: Exchange) -> set[str]:
    """Return the apps that the suite restarted before a purge, as the target confirmed."""
    restarts = evidence.of(Scenario.PURGE_AFTER_CHANGES, Step.RESTART_APP)
    return _app_guids(x for x in restarts if x.n < purge.n and x.succeeded)


def _app_guids(requests: Iterable[Exchange]) -> set[str]:
    return {guid_in_path(x.route) for x in requests if x.route.startswith(f"{APPS}/")}
