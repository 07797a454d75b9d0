"""An attempt at what must be refused, between two looks at the newest events."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import Inconclusive, answer, answered, need
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, is_purge
from purge_conformance.evidence.listing import app_of_event, event_identity, is_page, resources, total_results
from purge_conformance.report.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from purge_conformance.analysis.assertions import Seen
    from purge_conformance.evidence.records import Exchange

# Steps of the experiment `odd`.
ODD_REQUESTS = ("cut-json", "json-object", "json-array", "no-json", "form", "long-text", "unknown-query")
UNTAKEN = {413, 415}  # the answers of whoever takes no such body, in front of the operation
BYPASSES = ("spelling", "override", "pretence", "forged", "in-url")  # steps of the experiment `bypass`
JSON = "application/json"
AGAIN = "again"  # tag of what was tried once more, as events were gone after it
WAITS = 5  # after refused purges, and as many after reads
SUCCESS = 2  # the first digit of a status


@dataclass(frozen=True)
class Attempt:
    """A request between two looks at the newest events."""

    request: Exchange
    before: Exchange
    after: Exchange

    def loss(self) -> str | None:
        """Return what was lost between the looks, in words; None if nothing was."""
        rows = self._keys()
        totals = [total_results(look) for look in (self.before, self.after)]
        if totals[0] is not None and totals[1] is not None and totals[1] < totals[0]:
            return f"{totals[0]} events before, {totals[1]} after"
        lost, new = rows[0] - rows[1], rows[1] - rows[0]
        if lost and not (self._is_full() and len(new) >= len(lost)):
            guid, created_at = min(lost)
            return f"{len(lost)} of the newest {len(rows[0])} events are gone, one of them {guid} of {created_at}"
        return None

    def lost(self) -> set[tuple[str, str]]:
        """Return the keys of the events that the look after it does not show any more."""
        before, after = self._keys()
        return before - after

    def _keys(self) -> list[set[tuple[str, str]]]:
        return [{event_identity(row) for row in resources(look)} for look in (self.before, self.after)]

    def _is_full(self) -> bool:
        """Whether the last look may not have shown all: newer events may have pushed older ones off the page."""
        return len(resources(self.after)) >= int(self.after.query.get("per_page", 0))

    def looks_purged(self) -> bool:
        """Whether what was done may have been a whole purge: what is there was seeded, and nothing recorded is left.

        Of one event, which can be destroyed but once, a second try tells nothing.
        """
        rows = [{event_identity(row): row for row in resources(look)} for look in (self.before, self.after)]
        left = [row for known, row in rows[1].items() if known in rows[0] and row["guid"] != app_of_event(row)]
        is_seeded = any(row["guid"] == app_of_event(row) for row in rows[1].values())
        return is_seeded and not left and not is_of_one_event(self.request)

    def seeded(self) -> list[str]:
        """Return the guids of events that are new and have the guid of their app, as only a purge makes them."""
        before = {row["guid"] for row in resources(self.before)}
        return [
            guid for row in resources(self.after) if (guid := row["guid"]) not in before and guid == app_of_event(row)
        ]


def is_of_one_event(exchange: Exchange) -> bool:
    """Whether a request is for one event, or below it."""
    return exchange.route.startswith(f"{EVENTS_PATH}/") and not exchange.route.startswith(f"{EVENTS_PATH}/actions")


def attempts(seen: Seen, *steps: str, experiment: str = "refused") -> list[Attempt]:
    """Return an experiment's answered attempts of these steps whose looks could be read and showed events.

    What was lost after one of them, and not when it was tried again, was somebody else's to purge: see `unconfirmed`.
    What a later look shows again was not lost: the look before lied.
    """
    found = _attempts(seen, *steps, experiment=experiment)
    once, looks = _once(found), answered(seen.of(experiment, "look"))
    return [attempt for attempt in found if attempt not in once and not _is_taken_back(attempt, looks)]


def unconfirmed(seen: Seen, experiment: str) -> list[Attempt]:
    """Return the attempts of an experiment after which something was lost, and nothing when they were tried again."""
    steps = dict.fromkeys(x.step for x in seen.of(experiment) if x.step != "look")
    return _once(_attempts(seen, *steps, experiment=experiment))


def destroyed_later(seen: Seen) -> list[Attempt]:
    """Return the waits after refused purges, if events were gone after each of them and after no wait without one.

    Of fewer waits nothing is told: somebody else may purge by the same turns.
    """
    waits = [step for step in seen.by_step.get("refused", {}) if step.startswith(("idle ", "later "))]
    pairs = {step: seen.of("refused", step) for step in waits}
    found = {step: Attempt(looks[0], *looks) for step, looks in pairs.items() if len(looks) == 2}  # noqa: PLR2004 -- before and after
    lost = {step: attempt.loss() is not None for step, attempt in found.items()}
    after = [attempt for step, attempt in found.items() if step.startswith("later ")]
    told = len(after) == WAITS and all(was_lost == step.startswith("later ") for step, was_lost in lost.items())
    return after if told else []


def _attempts(seen: Seen, *steps: str, experiment: str) -> list[Attempt]:
    sent = need(seen, experiment, *steps, why="nothing of the kind was tried")
    looks = answered(seen.of(experiment, "look"))
    numbers = [look.n for look in looks]
    places = [(request, bisect_left(numbers, request.n)) for request in sent]
    found = [Attempt(request, looks[n - 1], looks[n]) for request, n in places if 0 < n < len(looks)]
    return [attempt for attempt in found if resources(attempt.before) and is_page(attempt.after)]


def _is_taken_back(attempt: Attempt, looks: Iterable[Exchange]) -> bool:
    lost = attempt.lost()
    later = (look for look in looks if look.n > attempt.after.n) if lost else ()
    return any(lost <= {event_identity(row) for row in resources(look)} for look in later)


def _once(found: list[Attempt]) -> list[Attempt]:
    """Return the attempts after which something was lost, and nothing whenever the same was tried again."""
    again: dict[tuple[str | None, ...], list[Attempt]] = {}
    for attempt in found:
        if AGAIN in attempt.request.tags:
            again.setdefault(_of_kind(attempt), []).append(attempt)
    tried = [(a, again[_of_kind(a)]) for a in found if AGAIN not in a.request.tags and _of_kind(a) in again]
    return [a for a, others in tried if a.loss() and a.looks_purged() and not any(other.loss() for other in others)]


def _of_kind(attempt: Attempt) -> tuple[str, str, str, str, str | None]:
    x = attempt.request
    return x.step, x.method, x.path, x.tags.get("credential", x.role), x.request_body


def purge_attempts(seen: Seen) -> list[Attempt]:
    """Return the attempts to purge with every credential but the right one, the repeated ones too."""
    again = attempts(seen, "credential", experiment="repeat") if seen.of("repeat", "credential") else []
    return [*attempts(seen, "credential"), *again]


def bypasses(seen: Seen, step: str) -> list[tuple[Exchange, str]]:
    """Return the attempts past the guards, of one kind, that purged, each with what tells; a plain one must be refused.

    A kind is tried at a stretch. Where events are gone after it, those that succeeded did it, or any of them. Success
    without a loss tells nothing of a target that answers so on every path: see ROUTE-01.

    Raises:
        Inconclusive: who or what was tried purges without any trick as well.
    """
    open_to = set(seen.remembered(_open_to))
    sent = need(seen, "bypass", step, why="no such way past was tried")
    closed = [x for x in sent if not open_to & {_plainly(x), (x.method, x.route, "anybody")}]
    if not closed:
        raise Inconclusive("what must be refused purges without any trick: see AUTH and REFUSE-04", Cause.TARGET)
    done = [(x, answer(x)) for x in closed if is_purge(x.method, x.path) and (x.status or 0) // 100 == SUCCESS]
    losses = {a.request.n: a.loss() for a in attempts(seen, step, experiment="bypass")}
    lost = [(x, f"{loss}; {answer(x)}") for x in closed if (loss := losses.get(x.n))]
    if lost and not done and open_to:
        raise Inconclusive("what must be refused purges without any trick as well: see AUTH and REFUSE", Cause.TARGET)
    if done and not lost and _answers_anything(seen):
        return []
    return done or lost


def _answers_anything(seen: Seen) -> bool:
    return any((x.status or 0) // 100 == SUCCESS for x in seen.of("refused", "route") if x.method == "POST")


def is_untaken(exchange: Exchange) -> bool:
    """Whether a body that is labelled otherwise than JSON was refused for its type or its size."""
    sent = next((value for name, value in exchange.request_headers if name == "Content-Type"), JSON)
    return exchange.status in UNTAKEN and sent != JSON


def _plainly(exchange: Exchange) -> tuple[str, str, str]:
    route = PURGE_PATH if is_purge(exchange.method, exchange.path) else exchange.route
    return exchange.method, route, exchange.role


def _open_to(seen: Seen) -> set[tuple[str, str, str]]:
    """Return method, path and role of what purged in the experiment `refused`; another method does for anybody."""
    found = {(x.method, x.route, x.role) for x in seen.of("refused", "credential") if (x.status or 0) // 100 == SUCCESS}
    for tried in attempts(seen, "credential", "method"):
        if tried.loss():
            who = tried.request.role if tried.request.step == "credential" else "anybody"
            found.add((tried.request.method, tried.request.route, who))
    return found


def odd_attempts(seen: Seen) -> list[Attempt]:
    """Return the odd purges whose looks could be read and showed events; of a long list, its first page."""
    found = []
    for experiment, name in product(seen.repetitions("odd"), ODD_REQUESTS):
        before, after = (seen.of(experiment, f"{name}.{look}.events")[:1] for look in ("before", "after"))
        sent = answered(seen.of(experiment, name))
        if sent and before and after and resources(before[0]) and is_page(after[0]):
            found.append(Attempt(sent[-1], before[0], after[0]))
    return found
