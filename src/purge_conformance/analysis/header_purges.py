"""Purges that carried a set of headers, and what each shows."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING

from purge_conformance.analysis.assertions import describe_response, raise_if_cut_short
from purge_conformance.analysis.next_steps import RUN_ALONE
from purge_conformance.analysis.outcomes import Inconclusive, NotExercised, Trial
from purge_conformance.analysis.purge import require_purge_at
from purge_conformance.analysis.purge_series import require_plain_purges_correct, require_plain_purges_reliable
from purge_conformance.analysis.rejected import good_last_attempts
from purge_conformance.analysis.unanswered import find_unanswered
from purge_conformance.evidence.intermediaries import is_firewall_page, is_firewall_refusal, is_of_target
from purge_conformance.evidence.steps import Scenario, Tag
from purge_conformance.evidence.tag_values import GOOD_LAST, WITH_OTHER_TOKEN, HeaderSet
from purge_conformance.report.model import Cause, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from purge_conformance.analysis.rejected import Attempt
    from purge_conformance.analysis.view import JudgmentView
    from purge_conformance.evidence.records import Evidence, Exchange

# Documented, and unrelated to the headers.
UNRELATED_STATUSES = {HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE}
NEGOTIATED = {HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}  # of firewalls only with a page
TOO_LARGE = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}
UNREFUSABLE = {HeaderSet.NEGOTIATION}  # sets that leave no reason for a refusal
PARTS = {  # set -> sets that it includes
    HeaderSet.LONG: (HeaderSet.CLIENTS,),
    HeaderSet.REFUSABLE: (HeaderSet.CONDITIONS,),
    HeaderSet.ALL: (HeaderSet.NEGOTIATION, HeaderSet.CONDITIONS, HeaderSet.LONG),
}
SCHEME = "bearer"  # as other requests have it
COMPLETE = "a complete purge, as without the headers: no old event remains, each started app has its events"


def require_header_purges(view: JudgmentView) -> tuple[Exchange, ...]:
    """Return the purges with a set of headers that the target answered, without those answered with 409 or 503.

    Raises:
        Undecided: there is none.
    """
    sent = view.numbered(view.cached(_find_header_purges))
    judged = tuple(
        x for x in sent if (is_of_target(x) or is_refused(x, name_of(x))) and x.status not in UNRELATED_STATUSES
    )
    if not judged:
        raise_if_cut_short(view, Scenario.GENERATED)
        raise_if_cut_short(view, Scenario.STATEFUL)
        if not sent:
            raise NotExercised("No purge with further headers was sent.")
        reason = "No purge with further headers was answered with another status than 409 or 503."
        raise find_unanswered(sent) or NotExercised(reason, Cause.TARGET, RUN_ALONE)
    return judged


def count_sets(view: JudgmentView, sent: Iterable[Exchange]) -> None:
    """Count purges for the cases of their sets; one that was not refused also for the sets that its set includes."""
    for x in sent:
        name = name_of(x)
        view.count(name, [x])
        for part in () if x.rejected else PARTS.get(name, ()):
            view.count(part, [x])


def header_trials(view: JudgmentView, sent: Iterable[Exchange], success_status: int) -> list[Trial]:
    """Return each purge with a set of headers as a trial of its set; a set is without findings if one trial of it is.

    Raises:
        PrerequisiteFailed: a plain purge fails in the same way.
    """
    purges = list(sent)
    found = [(x, _finding(view, x, name_of(x), success_status)) for x in purges]
    if any(x.status == HTTPStatus.INTERNAL_SERVER_ERROR for x, finding in found if finding):
        require_plain_purges_reliable(view)
    if any(x.succeeded for x, finding in found if finding):
        unusual = require_plain_purges_correct(view)
        found = [(x, _finding(view, x, name_of(x), success_status, unusual)) for x in purges]
    passed = {name_of(x) for x, finding in found if not finding}
    failed = {x.n: finding for x, finding in found if finding and name_of(x) not in passed}
    return [
        Trial(x.n, (_narrowed(view, x, success_status) or failed[x.n],) if x.n in failed else (), name_of(x))
        for x in purges
    ]


def good_last_trials(view: JudgmentView, success_status: int) -> list[Trial]:
    """Return each purge with an Authorization header that is no token, and then a good one, as a trial of its case.

    One that succeeds is judged by the newest events before and after it.

    Raises:
        PrerequisiteFailed: a plain purge fails in the same way.
    """
    tried = [a for a in good_last_attempts(view) if a.request.status not in UNRELATED_STATUSES]
    found = {a.request.n: tuple(_good_last_findings(a, success_status)) for a in tried}
    if any(a.request.status == HTTPStatus.INTERNAL_SERVER_ERROR for a in tried):
        require_plain_purges_reliable(view)
    if any(found.values()):
        require_plain_purges_correct(view)
    return [Trial(n, findings, GOOD_LAST, GOOD_LAST) for n, findings in found.items()]


def _good_last_findings(attempt: Attempt, success_status: int) -> Iterator[Finding]:
    x, words = attempt.request, "with an Authorization header that is no token, and then a good one"
    if not (x.rejected or x.status == success_status):
        yield Finding(f"{success_status} or 4xx {words}", describe_response(x), x.n)
    elif not x.rejected and not attempt.resembles_purge():
        yield Finding(
            f"a complete purge {words}: no old event remains, and started apps have events", "another state", x.n
        )


def name_of(x: Exchange) -> HeaderSet:
    """Return which set of headers a purge carried."""
    return HeaderSet(x.tags[Tag.HEADERS])


def is_refused(x: Exchange, name: HeaderSet) -> bool:
    """Whether a purge was refused by the target or before it, where a refusal for this set of headers is allowed.

    With a good token, 401 is allowed only if another Authorization header is beside it.
    """
    may_refuse = name in WITH_OTHER_TOKEN or (name not in UNREFUSABLE and x.status != HTTPStatus.UNAUTHORIZED)
    return x.rejected and may_refuse and (is_of_target(x) or is_firewall_page(x))


def _find_header_purges(evidence: Evidence) -> tuple[int, ...]:
    return tuple(x.n for x in evidence.exchanges if Tag.HEADERS in x.tags and Tag.SUPERSEDED not in x.tags)


def _narrowed(view: JudgmentView, whole: Exchange, success_status: int) -> Finding | None:
    """Return the finding of the fewest headers that break a purge as the whole set does; None if its parts do not."""
    name = name_of(whole)
    found = [_finding(view, x, name, success_status) for x in _parts_of(view.full_evidence, whole)]
    return next(filter(None, reversed(found)), None)


def _parts_of(evidence: Evidence, whole: Exchange) -> Iterator[Exchange]:
    """Yield the purges with parts of the set that a purge carried: they follow the last one with the whole set."""
    later = (x for x in evidence.exchanges if x.n > whole.n and {Tag.HEADERS, Tag.PART_OF_SET} & x.tags.keys())
    of_same = dropwhile(lambda x: x.tags.get(Tag.HEADERS) == whole.tags[Tag.HEADERS], later)
    return takewhile(lambda x: Tag.PART_OF_SET in x.tags, of_same)


def _finding(
    view: JudgmentView, x: Exchange, name: HeaderSet, success_status: int, unusual: Collection[str] = frozenset()
) -> Finding | None:
    """Return how a purge violates HEADER-01; None if it does not, or its effect could not be read.

    Args:
        view: the evidence.
        x: the purge.
        name: its set of headers, or the set that its headers are a part of.
        success_status: of a plain purge.
        unusual: the apps to leave out.
    """
    if is_refused(x, name) or (is_firewall_refusal(x) and x.status not in NEGOTIATED):
        return None
    if x.status != success_status:
        words = f"{success_status}" if name in UNREFUSABLE else f"{success_status} or 4xx"
        return Finding(f"{words} with the headers {_describe(x)}", describe_response(x), x.n)
    with suppress(Inconclusive):
        if not require_purge_at(view, x.scenario, x.place, x.round).without_apps(unusual).is_complete():
            return Finding(f"{COMPLETE} ({_describe(x)})", "another state", x.n)
    return None


def _describe(x: Exchange) -> str:
    """Return the names of the headers that the set, or the part of it, added, changed or left out."""
    if Tag.PART_OF_SET in x.tags:
        return x.tags[Tag.PART_OF_SET]
    own, authorization = {"authorization", "connection", "content-length"}, "Authorization"
    names = [name for name, _ in x.request_headers if name.lower() not in own]
    values = [value for name, value in x.request_headers if name == authorization]
    names += [f"{len(values)} {authorization} headers"] if len(values) > 1 else []
    names += [
        f"{authorization}: {scheme}" for scheme in sorted({value.partition(" ")[0] for value in values} - {SCHEME})
    ]
    sent = {name.lower() for name, _ in x.request_headers}
    names += ["no Accept"] if "accept" not in sent else []
    names += ["no Content-Length"] if not {"content-length", "transfer-encoding"} & sent else []
    return ", ".join(names)
