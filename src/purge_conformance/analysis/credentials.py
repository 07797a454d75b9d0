"""Rejections that a refused credential explains: they say nothing about the target."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from http import HTTPStatus
from operator import attrgetter
from typing import TYPE_CHECKING

from purge_conformance.analysis.actions import created_apps
from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH, SAFE_METHODS, is_purge
from purge_conformance.config.roles import ADMIN, EXPIRED, READ_ONLY_ROLES, sufficient_scopes
from purge_conformance.evidence import notes
from purge_conformance.evidence.intermediaries import is_of_target
from purge_conformance.evidence.listing import APPS, resources, total_results
from purge_conformance.evidence.records import Note
from purge_conformance.evidence.steps import Tag
from purge_conformance.evidence.tag_values import WITH_OTHER_TOKEN, Retry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purge_conformance.evidence.records import Evidence, Exchange
    from purge_conformance.evidence.steps import Scenario

REJECTIONS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
DENIALS = {*REJECTIONS, HTTPStatus.NOT_FOUND}  # of changes: what a user may not see is not found
GIVE_TOKEN = "Give a valid one: --token {role}=SOURCE, and see that it lasts until the end of the run."  # noqa: S105 -- a text


@dataclass(frozen=True)
class _End:
    """The moment from which the target rejected a token.

    Attributes:
        accepted: the last exchange that shows that the token was accepted.
        rejected: the first rejection of what was accepted before, or the first list that shows nothing.
        explained: the numbers of the exchanges that say nothing about the target.
    """

    accepted: Exchange
    rejected: Exchange
    explained: Sequence[int]

    def describe(self, role: str) -> str:
        """Return it in words, with the next step."""
        since = (
            "since then neither an event nor an app is listed with it"
            if self.rejected.succeeded
            else f"is rejected with {self.rejected.status} since, also where it was accepted before"
        )
        return (
            f"The token of {role} was accepted until request {self.accepted.n}, and {since}. "
            f"{GIVE_TOKEN.format(role=role)}"
        )


def attribute_rejections(evidence: Evidence) -> Evidence:
    """Return the evidence without the rejections of tokens that the target no longer accepted, with the reason noted.

    Such an exchange is tagged as superseded: no judgment takes it for a response, or compares what it shows. Rejections
    of the admin's purges count if nothing shows that the token is an admin's.
    """
    explained: dict[int, str] = {}
    for role in evidence.header.settings.get("roles", ()):
        if role != EXPIRED:
            answers = _answers(evidence, role)
            ends = [end for end in (_find_revocation(answers), _find_demotion(answers)) if end]
            ends += [end for end in [_find_blindness(answers)] if end and not created_apps(evidence)]
            for end in sorted(ends, key=lambda end: end.rejected.n)[:1]:
                explained |= dict.fromkeys(end.explained, _as_noted(evidence, role) or end.describe(role))
    explained |= _explain_wrong_admin(evidence)
    return _without(evidence, explained) if explained else evidence


def is_proven_admin(evidence: Evidence) -> bool:
    """Whether the admin's token is one: it has the scope, or the target did not reject one of its purges."""
    if evidence.header.settings.get("admin_scope"):
        return True
    purges = (x for x in evidence.exchanges if x.role == ADMIN and is_purge(x.method, x.path) and is_of_target(x))
    return any(x.status not in REJECTIONS for x in purges)


def describe_doubtful_role(evidence: Evidence, role: str) -> str:
    """Return why a role's token may not have the rights of the role, as a clause; empty if it has them.

    A token that can be read has them by its scopes. Another one has them if the target accepted it anywhere, and that
    of a role that reads all events if its list is not empty where the admin's is not.
    """
    token_scopes = evidence.header.settings.get("token_scopes", {}).get(role)
    if token_scopes is not None:
        needed = sufficient_scopes(role)
        return "" if {*needed} & {*token_scopes} else f"the token of {role} lacks the scope {needed[0]}"
    answers = [x for x in evidence.exchanges if x.role == role and is_of_target(x)]
    if not any(x.succeeded for x in answers):
        return f"the target accepts the token of {role} nowhere, and its scopes cannot be read"
    lists = [x for x in answers if x.route == EVENTS_PATH and x.page]
    if role in READ_ONLY_ROLES and lists and not any(map(total_results, lists)):
        return f"the list is empty with the token of {role}, and its scopes cannot be read"
    return ""


def _answers(evidence: Evidence, role: str) -> list[Exchange]:
    """Return what the target answered to a role's token alone, without another Authorization header beside it."""
    answers = (x for x in evidence.exchanges if x.role == role and x.tags.get(Tag.HEADERS) not in WITH_OTHER_TOKEN)
    return [x for x in answers if Tag.SUPERSEDED not in x.tags and is_of_target(x)]


def _find_revocation(answers: Sequence[Exchange]) -> _End | None:
    """Return the rejected exchanges from the moment when the token was no longer accepted.

    From then on all of its requests are rejected, and among them is an operation that succeeded before.
    """
    last = max((index for index, x in enumerate(answers) if x.status not in REJECTIONS), default=-1)
    succeeded = {_operation(x) for x in answers[: last + 1] if x.succeeded}
    tail = answers[last + 1 :]
    if last < 0 or not any(_operation(x) in succeeded for x in tail):
        return None
    doubtful = (x for x in tail if x.status == HTTPStatus.UNAUTHORIZED or _operation(x) in succeeded)
    first = next(doubtful)
    is_unauthorized = first.status == HTTPStatus.UNAUTHORIZED  # then a 403 before shows that the token was accepted
    accepted = answers[answers.index(first) - 1] if is_unauthorized else answers[last]
    return _End(accepted, first, [x.n for x in tail if x.n >= first.n])


def _find_demotion(answers: Sequence[Exchange]) -> _End | None:
    """Return the exchanges from the moment when the token's user lost the right to purge.

    From then on each change is rejected, both purges and others that succeeded before. Reads may still succeed, but may
    show less: one that shows an event is from before, if no change was rejected yet.
    """
    changes = [x for x in answers if x.method not in SAFE_METHODS and Tag.INDUCED not in x.tags]
    last = max((index for index, x in enumerate(changes) if x.status not in DENIALS), default=-1)
    succeeded = {_operation(x) for x in changes[: last + 1] if x.succeeded}
    tail = changes[last + 1 :]
    lost = [x for x in tail if _operation(x) in succeeded]
    first = next((x for x in lost if x.status == HTTPStatus.FORBIDDEN), None)
    if first is None or {is_purge(x.method, x.path) for x in lost} != {True, False}:
        return None
    accepted = max(
        (x for x in answers if x.n < first.n and (x is changes[last] or _shows_events(x))), key=attrgetter("n")
    )
    return _End(accepted, first, [x.n for x in answers if x.n > accepted.n])


def _find_blindness(answers: Sequence[Exchange]) -> _End | None:
    """Return the exchanges from the moment when the token's user no longer saw any event or app, and could not purge.

    It is found where the suite changes no apps. A purge leaves the list of apps as it is, and so does the deletion of
    events.
    """
    lists = [x for x in answers if x.page and x.route in {EVENTS_PATH, APPS}]
    last = max((index for index, x in enumerate(lists) if resources(x)), default=-1)
    shown, tail = lists[: last + 1], lists[last + 1 :]
    with_rows = {x.route for x in shown if resources(x)}
    if not with_rows == {x.route for x in tail} == {EVENTS_PATH, APPS}:
        return None
    purges = [x for x in answers if is_purge(x.method, x.path) and x.n > shown[-1].n]
    if any(x.succeeded for x in purges):
        return None
    return _End(shown[-1], tail[0], [x.n for x in answers if x.n > shown[-1].n])


def _as_noted(evidence: Evidence, role: str) -> str:
    """Return what the run itself noted of the end of a token; empty if it did not notice it."""
    beginning = f"The token of {role} was accepted until "
    return next((reason for reason in evidence.noted(notes.EXPIRED) if reason.startswith(beginning)), "")


def _shows_events(x: Exchange) -> bool:
    return x.route == EVENTS_PATH and bool(resources(x))


def _explain_wrong_admin(evidence: Evidence) -> dict[int, str]:
    rejected = [x for x in _answers(evidence, ADMIN) if x.status in REJECTIONS]
    if is_proven_admin(evidence) or not any(is_purge(x.method, x.path) for x in rejected):
        return {}
    reason = (
        "The target rejects each purge with the token of admin, and nothing shows that it is an admin's. "
        f"{GIVE_TOKEN.format(role=ADMIN)}"
    )
    return {x.n: reason for x in rejected}


def _operation(x: Exchange) -> tuple[str, str]:
    """Return the method and the kind of path: a collection, or what is below it; the purge's path is its own kind."""
    collection, *below = x.route.removeprefix("/v3/").split("/", 1)
    return x.method, x.route if not below or x.route == PURGE_PATH else f"{collection}/"


def _without(evidence: Evidence, explained: dict[int, str]) -> Evidence:
    def mark(x: Exchange) -> Exchange:
        return replace(x, tags={**x.tags, Tag.SUPERSEDED: Retry.EXPIRED_TOKEN}) if x.n in explained else x

    reasons: defaultdict[tuple[Scenario, int], str] = defaultdict(str)
    for x in evidence.exchanges:
        if x.n in explained:
            reasons[x.scenario, x.round] = explained[x.n]
    noted = [Note(scenario, notes.EXPIRED.name, reason, number) for (scenario, number), reason in reasons.items()]
    spans = (x for x in evidence.all_spans if not explained.keys() & {*x.before, *x.requests, *x.after})
    return replace(
        evidence,
        exchanges=tuple(map(mark, evidence.exchanges)),
        notes=(*evidence.notes, *noted),
        all_spans=tuple(spans),
    )
