"""An attempt at what must be refused, between two looks at the newest events."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import Inconclusive, describe_response, require_exchanges, target_responses
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge
from purge_conformance.evidence.listing import app_of_event, event_identity, is_page, resources, total_results
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import JudgmentView
    from purge_conformance.evidence.records import Exchange

# Steps of the experiment `odd`.
UNEXPECTED_INPUTS = ("cut-json", "json-object", "json-array", "no-json", "form", "long-text", "unknown-query")
MEDIA_TYPE_REJECTED = {413, 415}  # the answers of whoever takes no such body, in front of the operation
BYPASS_STEPS = ("spelling", "override", "pretence", "forged", "in-url")  # steps of the experiment `bypass`
JSON = "application/json"
RETRY_TAG = "again"  # tag of what was tried once more, as events were gone after it
WAIT_ROUNDS = 5  # after refused purges, and as many after reads
SUCCESS_CLASS = 2  # the first digit of a status


@dataclass(frozen=True)
class Attempt:
    """A request between two looks at the newest events."""

    request: Exchange
    before: Exchange
    after: Exchange

    def describe_loss(self) -> str | None:
        """Return what was lost between the looks, in words; None if nothing was."""
        rows = self._keys()
        totals = [total_results(look) for look in (self.before, self.after)]
        if totals[0] is not None and totals[1] is not None and totals[1] < totals[0]:
            return f"{totals[0]} events before, {totals[1]} after"
        lost, new = rows[0] - rows[1], rows[1] - rows[0]
        if lost and not (self._is_page_full() and len(new) >= len(lost)):
            guid, created_at = min(lost)
            return f"{len(lost)} of the newest {len(rows[0])} events are gone, one of them {guid} of {created_at}"
        return None

    def lost_keys(self) -> set[tuple[str, str]]:
        """Return the keys of the events that the look after it does not show any more."""
        before, after = self._keys()
        return before - after

    def _keys(self) -> list[set[tuple[str, str]]]:
        return [{event_identity(row) for row in resources(look)} for look in (self.before, self.after)]

    def _is_page_full(self) -> bool:
        """Whether the last look may not have shown all: newer events may have pushed older ones off the page."""
        return len(resources(self.after)) >= int(self.after.query.get("per_page", 0))

    def resembles_purge(self) -> bool:
        """Whether what was done may have been a whole purge: what is there was seeded, and nothing recorded is left.

        Of one event, which can be destroyed but once, a second try tells nothing.
        """
        rows = [{event_identity(row): row for row in resources(look)} for look in (self.before, self.after)]
        survivors = [row for known, row in rows[1].items() if known in rows[0] and row["guid"] != app_of_event(row)]
        has_seed = any(row["guid"] == app_of_event(row) for row in rows[1].values())
        return has_seed and not survivors and not is_single_event_request(self.request)

    def new_seed_guids(self) -> list[str]:
        """Return the guids of events that are new and have the guid of their app, as only a purge makes them."""
        before = {row["guid"] for row in resources(self.before)}
        return [
            guid for row in resources(self.after) if (guid := row["guid"]) not in before and guid == app_of_event(row)
        ]


def is_single_event_request(exchange: Exchange) -> bool:
    """Whether a request is for one event, or below it."""
    return exchange.route.startswith(f"{EVENTS_PATH}/") and not exchange.route.startswith(f"{EVENTS_PATH}/actions")


def attempts(view: JudgmentView, *steps: str, scenario: str = "refused") -> list[Attempt]:
    """Return an experiment's answered attempts of these steps whose looks could be read and showed events.

    What was lost after one of them, and not when it was tried again, was somebody else's to purge: see `unconfirmed`.
    What a later look shows again was not lost: the look before lied.
    """
    candidates = _find_attempts(view, *steps, scenario=scenario)
    unreproducible, looks = _unreproducible_losses(candidates), target_responses(view.of(scenario, "look"))
    return [attempt for attempt in candidates if attempt not in unreproducible and not _reappears_later(attempt, looks)]


def unconfirmed_losses(view: JudgmentView, scenario: str) -> list[Attempt]:
    """Return the attempts of an experiment after which something was lost, and nothing when they were tried again."""
    steps = dict.fromkeys(x.step for x in view.of(scenario) if x.step != "look")
    return _unreproducible_losses(_find_attempts(view, *steps, scenario=scenario))


def delayed_losses(view: JudgmentView) -> list[Attempt]:
    """Return the waits after refused purges, if events were gone after each of them and after no wait without one.

    Of fewer waits nothing is told: somebody else may purge by the same turns.
    """
    waits = [step for step in view.by_step.get("refused", {}) if step.startswith(("idle ", "later "))]
    pairs = {step: view.of("refused", step) for step in waits}
    waits_by_step = {step: Attempt(looks[0], *looks) for step, looks in pairs.items() if len(looks) == 2}  # noqa: PLR2004 -- before and after
    has_loss = {step: attempt.describe_loss() is not None for step, attempt in waits_by_step.items()}
    after = [attempt for step, attempt in waits_by_step.items() if step.startswith("later ")]
    is_conclusive = len(after) == WAIT_ROUNDS and all(
        was_lost == step.startswith("later ") for step, was_lost in has_loss.items()
    )
    return after if is_conclusive else []


def _find_attempts(view: JudgmentView, *steps: str, scenario: str) -> list[Attempt]:
    sent = require_exchanges(view, scenario, *steps, if_none="nothing of the kind was tried")
    looks = target_responses(view.of(scenario, "look"))
    numbers = [look.n for look in looks]
    places = [(request, bisect_left(numbers, request.n)) for request in sent]
    found = [Attempt(request, looks[n - 1], looks[n]) for request, n in places if 0 < n < len(looks)]
    return [attempt for attempt in found if resources(attempt.before) and is_page(attempt.after)]


def _reappears_later(attempt: Attempt, looks: Iterable[Exchange]) -> bool:
    missing = attempt.lost_keys()
    later = (look for look in looks if look.n > attempt.after.n) if missing else ()
    return any(missing <= {event_identity(row) for row in resources(look)} for look in later)


def _unreproducible_losses(candidates: list[Attempt]) -> list[Attempt]:
    """Return the attempts after which something was lost, and nothing whenever the same was tried again."""
    retries: dict[tuple[str | None, ...], list[Attempt]] = {}
    for attempt in candidates:
        if RETRY_TAG in attempt.request.tags:
            retries.setdefault(_retry_key(attempt), []).append(attempt)
    retried = [
        (a, retries[_retry_key(a)]) for a in candidates if RETRY_TAG not in a.request.tags and _retry_key(a) in retries
    ]
    return [
        a
        for a, others in retried
        if a.describe_loss() and a.resembles_purge() and not any(other.describe_loss() for other in others)
    ]


def _retry_key(attempt: Attempt) -> tuple[str, str, str, str, str | None]:
    x = attempt.request
    return x.step, x.method, x.path, x.tags.get("credential", x.role), x.request_body


def unauthorized_purges(view: JudgmentView) -> list[Attempt]:
    """Return the attempts to purge with every credential but the right one, the repeated ones too."""
    repetitions = attempts(view, "credential", scenario="repeat") if view.of("repeat", "credential") else []
    return [*attempts(view, "credential"), *repetitions]


def successful_bypasses(view: JudgmentView, step: str) -> list[tuple[Exchange, str]]:
    """Return the attempts past the guards, of one kind, that purged, each with what tells; a plain one must be refused.

    A kind is tried at a stretch. Where events are gone after it, those that succeeded did it, or any of them. Success
    without a loss tells nothing of a target that answers so on every path: see ROUTE-01.

    Raises:
        Inconclusive: who or what was tried purges without any trick as well.
    """
    unguarded = set(view.memoized(_unguarded_requests))
    sent = require_exchanges(view, "bypass", step, if_none="no such way past was tried")
    guarded = [x for x in sent if not unguarded & {_plain_request_key(x), (x.method, x.route, "anybody")}]
    if not guarded:
        raise Inconclusive("what must be refused purges without any trick: see AUTH and REFUSE-04", Cause.TARGET)
    successes = [
        (x, describe_response(x))
        for x in guarded
        if is_purge(x.method, x.path) and (x.status or 0) // 100 == SUCCESS_CLASS
    ]
    losses = {a.request.n: a.describe_loss() for a in attempts(view, step, scenario="bypass")}
    with_loss = [(x, f"{loss}; {describe_response(x)}") for x in guarded if (loss := losses.get(x.n))]
    if with_loss and not successes and unguarded:
        raise Inconclusive("what must be refused purges without any trick as well: see AUTH and REFUSE", Cause.TARGET)
    if successes and not with_loss and _accepts_unknown_routes(view):
        return []
    return successes or with_loss


def _accepts_unknown_routes(view: JudgmentView) -> bool:
    return any((x.status or 0) // 100 == SUCCESS_CLASS for x in view.of("refused", "route") if x.method == "POST")


def is_media_type_rejected(exchange: Exchange) -> bool:
    """Whether a body that is labelled otherwise than JSON was refused for its type or its size."""
    sent = next((value for name, value in exchange.request_headers if name == "Content-Type"), JSON)
    return exchange.status in MEDIA_TYPE_REJECTED and sent != JSON


def _plain_request_key(exchange: Exchange) -> tuple[str, str, str]:
    route = PURGE_PATH if is_purge(exchange.method, exchange.path) else exchange.route
    return exchange.method, route, exchange.role


def _unguarded_requests(view: JudgmentView) -> set[tuple[str, str, str]]:
    """Return method, path and role of what purged in the experiment `refused`; another method does for anybody."""
    found = {
        (x.method, x.route, x.role) for x in view.of("refused", "credential") if (x.status or 0) // 100 == SUCCESS_CLASS
    }
    for attempt in attempts(view, "credential", "method"):
        if attempt.describe_loss():
            role = attempt.request.role if attempt.request.step == "credential" else "anybody"
            found.add((attempt.request.method, attempt.request.route, role))
    return found


def unexpected_input_attempts(view: JudgmentView) -> list[Attempt]:
    """Return the odd purges whose looks could be read and showed events; of a long list, its first page."""
    found = []
    for scenario, name in product(view.repetitions("odd"), UNEXPECTED_INPUTS):
        before, after = (view.of(scenario, f"{name}.{look}.events")[:1] for look in ("before", "after"))
        sent = target_responses(view.of(scenario, name))
        if sent and before and after and resources(before[0]) and is_page(after[0]):
            found.append(Attempt(sent[-1], before[0], after[0]))
    return found
