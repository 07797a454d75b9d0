"""Attempts that must be rejected, each between two pages of the newest events."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import describe_response, require_tried
from purge_conformance.analysis.late_effects import may_be_late, require_no_delay
from purge_conformance.analysis.outcomes import PrerequisiteFailed
from purge_conformance.analysis.retention import deletes_between, may_delete
from purge_conformance.analysis.view import past_firewalls, target_responses, tried
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge
from purge_conformance.evidence.listing import (
    app_of_event,
    event_identity,
    first_page,
    is_page,
    resources,
    total_results,
)
from purge_conformance.evidence.steps import ATTEMPTS, WAITS, Part, Scenario, Step, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Exchange, Span

# Responses of servers that accept no such body, before the operation is reached.
MEDIA_TYPE_REJECTED = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
JSON = "application/json"
MAX_OLD_RETRIES = 3  # repetitions by suites that stopped at the first one after which events were gone
ANY_ROLE = "*"
WITH_HEADERS = {  # scenarios whose purges carry sets of headers -> their step
    **dict.fromkeys((Scenario.GENERATED, Scenario.STATEFUL), Step.GENERATED_PURGE),
}


@dataclass(frozen=True)
class Attempt:
    """A request between two pages of the newest events."""

    request: Exchange
    before: Exchange
    after: Exchange

    def describe_loss(self) -> str | None:
        """Return which events were lost between the pages, in words; None if none was."""
        rows = self._keys()
        totals = [total_results(page) for page in (self.before, self.after)]
        if totals[0] is not None and totals[1] is not None and totals[1] < totals[0]:
            return f"{totals[0]} events before, {totals[1]} after"
        lost, new = rows[0] - rows[1], rows[1] - rows[0]
        if lost and not (self._is_page_full() and len(new) >= len(lost)):
            guid, created_at = min(lost)
            return f"{len(lost)} of the newest {len(rows[0])} events are gone, one of them {guid} of {created_at}"
        return None

    def lost_keys(self) -> set[tuple[str, str]]:
        """Return the identities of the events that the page after the request no longer shows."""
        before, after = self._keys()
        return before - after

    def _keys(self) -> list[set[tuple[str, str]]]:
        return [{event_identity(row) for row in resources(page)} for page in (self.before, self.after)]

    def _is_page_full(self) -> bool:
        """Whether the last page may not show all events: newer ones may have moved older ones off the page."""
        return len(resources(self.after)) >= int(self.after.query.get("per_page", 0))

    def resembles_purge(self) -> bool:
        """Whether the loss may be that of a complete purge: seeded events are listed, and no recorded event remains.

        A request for one event destroys that event at most, and only once, so a repetition proves nothing: it counts
        only if other events disappeared as well.
        """
        rows = [{event_identity(row): row for row in resources(page)} for page in (self.before, self.after)]
        survivors = [row for known, row in rows[1].items() if known in rows[0] and row["guid"] != app_of_event(row)]
        has_seed = any(row["guid"] == app_of_event(row) for row in rows[1].values())
        lost = [row for known, row in rows[0].items() if known not in rows[1] and row["guid"] != app_of_event(row)]
        return has_seed and not survivors and not (is_single_event_request(self.request) and len(lost) == 1)

    def new_seed_guids(self) -> list[str]:
        """Return the guids of new events that have the guid of their app, which only a purge creates."""
        before = {row["guid"] for row in resources(self.before)}
        return [
            guid for row in resources(self.after) if (guid := row["guid"]) not in before and guid == app_of_event(row)
        ]


def is_single_event_request(exchange: Exchange) -> bool:
    """Whether a request is for one event, or for a path below it."""
    return exchange.route.startswith(f"{EVENTS_PATH}/") and not exchange.route.startswith(f"{EVENTS_PATH}/actions")


def attempts(view: JudgmentView, *steps: Step, scenario: Scenario = Scenario.REJECTED_PURGES) -> list[Attempt]:
    """Return the answered attempts of these steps whose pages could be read and showed events.

    Left out: a loss that did not recur when the attempt was repeated, since another client may have purged (see
    `unconfirmed_losses`), and one whose events a later page shows again, since the page after the attempt was wrong.
    """
    candidates = _find_attempts(view, *steps, scenario=scenario)
    unreproducible = _unreproducible_losses(candidates)
    pages = target_responses(view.of(scenario, Step.NEWEST_PAGE))
    return [
        attempt
        for attempt in candidates
        if attempt not in unreproducible
        and not _reappears_later(attempt, pages)
        and not is_by_retention_job(view, attempt)
    ]


def unconfirmed_losses(view: JudgmentView, scenario: Scenario) -> list[Attempt]:
    """Return the attempts after which events were lost, although none was lost when the attempt was repeated."""
    return _unreproducible_losses(_find_attempts(view, *ATTEMPTS, scenario=scenario))


def waits_after_rejected(view: JudgmentView) -> list[int]:
    """Return the number of the page after each wait that followed rejected purges, before which events were listed."""
    spans = [span for span in view.spans(Scenario.REJECTED_PURGES, Step.WAIT_AFTER_REJECTED) if span.after]
    return [span.after[-1] for span in spans if any(map(resources, view.numbered(span.before)))]


def delayed_losses(view: JudgmentView) -> list[Attempt]:
    """Return the waits after rejected purges, if events were lost after each of them and after no other wait.

    Fewer waits prove nothing: another client may purge at the same times.
    """
    spans = view.spans(Scenario.REJECTED_PURGES, Step.WAIT_AFTER_READS, Step.WAIT_AFTER_REJECTED)
    waits = [
        (span.step is Step.WAIT_AFTER_REJECTED, Attempt(*view.numbered((*span.before, *span.before, *span.after))))
        for span in spans
        if span.before and span.after
    ]
    waits = [(is_rejected, wait) for is_rejected, wait in waits if not is_by_retention_job(view, wait)]
    after_rejected = [wait for is_rejected, wait in waits if is_rejected]
    is_as_expected = all((wait.describe_loss() is not None) == is_rejected for is_rejected, wait in waits)
    return after_rejected if len(after_rejected) == WAITS and is_as_expected else []


def _find_attempts(view: JudgmentView, *steps: Step, scenario: Scenario) -> list[Attempt]:
    if_none = f"No request of the kind {' or '.join(steps)} was sent."
    require_tried(view, scenario, *steps, if_none=if_none)
    return [attempt for span in view.spans(scenario, *steps) for attempt in _attempts_of(view, span)]


def _attempts_of(view: JudgmentView, span: Span) -> list[Attempt]:
    if not (span.before and span.after):
        return []
    before, after = view.numbered((*span.before, *span.after))
    if not (resources(before) and is_page(after)):
        return []
    return [Attempt(x, before, after) for x in tried(view.numbered(span.requests))]


def is_by_retention_job(view: JudgmentView, attempt: Attempt) -> bool:
    """Whether a retention job may have deleted the events that were lost after an attempt.

    If the attempt might have been carried out, such as one that was induced to fail, nothing was seeded.
    """
    if not attempt.describe_loss():
        return False
    may_be_done = Tag.INDUCED in attempt.request.tags and not attempt.new_seed_guids()
    is_small = may_be_done and may_delete(view, len(attempt.lost_keys()))
    return is_small or deletes_between(view, attempt.before.n, attempt.after.n)


def shows_events(view: JudgmentView, scenario: Scenario) -> bool:
    """Whether any page of the newest events in a scenario has an event; True if no page was read."""
    pages = view.of(scenario, Step.NEWEST_PAGE)
    return not pages or any(resources(page) for page in pages)


def _reappears_later(attempt: Attempt, pages: Iterable[Exchange]) -> bool:
    missing = attempt.lost_keys()
    later = (page for page in pages if page.n > attempt.after.n) if missing else ()
    return any(missing <= {event_identity(row) for row in resources(page)} for page in later)


def _unreproducible_losses(candidates: list[Attempt]) -> list[Attempt]:
    """Return the attempts after which events were lost, although none was lost when the request was repeated."""
    retries: dict[tuple[str | None, ...], list[Attempt]] = {}
    for attempt in candidates:
        if Tag.REPEATED in attempt.request.tags:
            retries.setdefault(_retry_key(attempt), []).append(attempt)
    retried = [
        (a, retries[_retry_key(a)])
        for a in candidates
        if Tag.REPEATED not in a.request.tags and _retry_key(a) in retries
    ]
    lossy = [(a, others) for a, others in retried if a.describe_loss() and a.resembles_purge()]
    return [a for a, others in lossy if not _are_confirming(others)]


def _are_confirming(repetitions: list[Attempt]) -> bool:
    """Whether the repetitions of an attempt show that it destroys events.

    Events must be gone after two of them, since another client may purge at the same time as one. A repetition that
    the suite stopped at is enough: it does so if another attempt is confirmed, and older suites always did.
    """
    losses = [bool(attempt.describe_loss()) for attempt in repetitions]
    return sum(losses) > 1 or (losses[-1] and len(losses) <= MAX_OLD_RETRIES)


def _retry_key(attempt: Attempt) -> tuple[str, str, str, str, str | None]:
    x = attempt.request
    return x.step, x.method, x.path, x.tags.get(Tag.CREDENTIAL, x.role), x.request_body


def unauthorized_purges(view: JudgmentView) -> list[Attempt]:
    """Return the attempts to purge with every credential except the admin's, the repeated ones too."""
    has_repetitions = bool(view.of(Scenario.REPEAT, Step.CREDENTIAL))
    repetitions = attempts(view, Step.CREDENTIAL, scenario=Scenario.REPEAT) if has_repetitions else []
    return [*attempts(view, Step.CREDENTIAL), *repetitions]


def successful_bypasses(view: JudgmentView, step: Step) -> list[tuple[Exchange, str]]:
    """Return the bypass attempts of one kind that purged, each with its evidence in words.

    The attempts of a kind are sent one after the other. If events are lost after them, those that were answered with
    success caused it, or any of them. A success without a loss proves nothing if the target answers so on every path.

    Raises:
        PrerequisiteFailed: the same role, method or path purges without a bypass, too.
    """
    unguarded = set(view.memoized(_unguarded_requests))
    sent = require_tried(view, Scenario.AUTH_BYPASS, step, if_none=f"No bypass of the kind {step} was tried.")
    guarded = [x for x in sent if not unguarded & {_plain_request_key(x), (x.method, x.route, ANY_ROLE)}]
    if not guarded:
        raise PrerequisiteFailed("requests that must be rejected already purge without a bypass")
    accepted = [x for x in past_firewalls(guarded) if is_purge(x.method, x.path) and x.succeeded]
    successes = [(x, describe_response(x)) for x in accepted]
    lossy = [a for a in attempts(view, step, scenario=Scenario.AUTH_BYPASS) if a.describe_loss()]
    losses = {a.request.n: a.describe_loss() for a in lossy}
    with_loss = [(x, f"{loss}; {describe_response(x)}") for x in guarded if (loss := losses.get(x.n))]
    if with_loss and not successes and unguarded:
        raise PrerequisiteFailed("requests that must be rejected already purge without a bypass")
    if with_loss and not successes and all(may_be_late(view, a.before) for a in lossy):
        require_no_delay(view)
    if successes and not with_loss and _accepts_unknown_routes(view):
        return []
    return successes or with_loss


def _accepts_unknown_routes(view: JudgmentView) -> bool:
    routes = view.of(Scenario.REJECTED_PURGES, Step.UNKNOWN_ROUTE)
    return any(x.succeeded for x in routes if x.method == "POST")


def is_media_type_rejected(exchange: Exchange) -> bool:
    """Whether a body that is not labelled as JSON was rejected for its type or its size."""
    sent = next((value for name, value in exchange.request_headers if name == "Content-Type"), JSON)
    return exchange.status in MEDIA_TYPE_REJECTED and sent != JSON


def _plain_request_key(exchange: Exchange) -> tuple[str, str, str]:
    route = PURGE_PATH if is_purge(exchange.method, exchange.path) else exchange.route
    return exchange.method, route, exchange.role


def _unguarded_requests(view: JudgmentView) -> set[tuple[str, str, str]]:
    """Return method, path and role of the requests that purged without a bypass; another method counts for any role."""
    credentials = view.of(Scenario.REJECTED_PURGES, Step.CREDENTIAL)
    unguarded = {(x.method, x.route, x.role) for x in credentials if x.succeeded}
    for attempt in attempts(view, Step.CREDENTIAL, Step.METHOD):
        if attempt.describe_loss():
            role = attempt.request.role if attempt.request.step is Step.CREDENTIAL else ANY_ROLE
            unguarded.add((attempt.request.method, attempt.request.route, role))
    return unguarded


def unexpected_input_attempts(view: JudgmentView) -> list[Attempt]:
    """Return the purges with unexpected input or headers whose lists showed events, each with their first pages."""
    results = []
    with_headers = [
        span
        for scenario, step in WITH_HEADERS.items()
        for span in view.spans(scenario, step)
        if any(Tag.HEADERS in x.tags for x in view.numbered(span.requests))
    ]
    for span in (*view.spans(Scenario.UNEXPECTED_INPUT), *with_headers):
        before, after = (first_page(view, side, Part.EVENTS) for side in (span.before, span.after))
        sent = target_responses(view.numbered(span.requests))
        if sent and before and after and resources(before) and is_page(after):
            results.append(Attempt(sent[-1], before, after))
    return [attempt for attempt in results if not is_by_retention_job(view, attempt)] + good_last_attempts(view)


def good_last_attempts(view: JudgmentView) -> list[Attempt]:
    """Return the purges with an Authorization header that is no token, and then a good one, if events were listed."""
    spans = view.spans(Scenario.UNEXPECTED_INPUT, Step.TWO_CREDENTIALS)
    tried_ones = [attempt for span in spans for attempt in _attempts_of(view, span)]
    return [attempt for attempt in tried_ones if not is_by_retention_job(view, attempt)]
