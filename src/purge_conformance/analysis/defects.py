"""Groups findings by what looks like their root cause, so that one defect of the target is reported once.

Two findings have one cause if they share a key. The keys of an error answer say what was answered (status, and the body
without what differs from answer to answer) and to what: the same request; a request with the same invalid credential,
whatever the operation; or the same operation in the same step. Requirements about every answer join a defect, but do
not connect two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.catalogue.api import EVENTS_PATH, PURGE_PATH
from purge_conformance.config.roles import EXPIRED
from purge_conformance.evidence.records import SUCCESS
from purge_conformance.evidence.safe_text import clip
from purge_conformance.evidence.steps import Tag
from purge_conformance.evidence.tag_values import CredentialKind, GeneratedAuth
from purge_conformance.report.defect import Defect
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from purge_conformance.catalogue.model import Requirement
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.report.model import Finding, Result

    Keys = frozenset[Hashable]

ANY_OPERATION = "any"
BODY_CHARS = 200  # of a body without the error envelope, which tell one answer from another
PATH_CHARS = 200
_VARYING = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d+", re.IGNORECASE)
_REFUSED = re.compile(rf"(?:{HTTPStatus.UNAUTHORIZED:d}|{HTTPStatus.FORBIDDEN:d})\b")


@dataclass(frozen=True, slots=True)
class _Symptom:
    """One finding, the requirement that it violates, and the exchange that shows it."""

    requirement: Requirement
    finding: Finding
    exchange: Exchange | None

    @property
    def is_general(self) -> bool:
        """Whether the requirement is about the answers of every operation."""
        return self.requirement.operation == ANY_OPERATION


def find_defects(results: Iterable[Result], exchanges: Iterable[Exchange]) -> tuple[Defect, ...]:
    """Return the defects that the findings show; those with more requirements first, a MUST before all others.

    Args:
        results: of a run, in any order.
        exchanges: of its evidence; a finding whose exchange is missing is grouped by its requirement.
    """
    by_number = {x.n: x for x in exchanges}
    failed = sorted((r for r in results if r.outcome is Outcome.FAILED), key=_level)
    symptoms = [_Symptom(r.requirement, f, by_number.get(f.exchange or 0)) for r in failed for f in r.findings]
    groups = _connect({n: _keys(symptom, symptoms) for n, symptom in enumerate(symptoms)})
    groups = _join_formats(groups, symptoms)
    defects = [_defect([symptoms[n] for n in sorted(group)]) for group in groups]
    levels = {r.id: _level(r) for r in failed}
    return tuple(sorted(defects, key=lambda d: (min(levels[name] for name in d.requirements), -len(d.requirements))))


def _level(result: Result) -> int:
    return list(type(result.level)).index(result.level)


def _connect(keys: Mapping[int, Keys]) -> list[list[int]]:
    """Return the numbers in groups: those of one group are connected by shared keys."""
    groups: list[tuple[set[int], set[Hashable]]] = []
    for number, own in keys.items():
        connected = [group for group in groups if group[1] & own]
        groups = [group for group in groups if not group[1] & own]
        members = {number}.union(*(group[0] for group in connected))
        groups.append((members, set(own).union(*(group[1] for group in connected))))
    return sorted(sorted(members) for members, _ in groups)


def _join_formats(groups: list[list[int]], symptoms: list[_Symptom]) -> list[list[int]]:
    """Join the groups in which only requirements about every answer fail, if these answers have one wrong format."""
    general = [group for group in groups if all(symptoms[n].is_general for n in group)]
    keys = {
        n: frozenset({(_flaw(symptoms[m]), _format(symptoms[m].exchange)) for m in group})
        for n, group in enumerate(general)
    }
    joined = [[m for n in numbers for m in general[n]] for numbers in _connect(keys)]
    return sorted([group for group in groups if group not in general] + joined)


def _keys(symptom: _Symptom, symptoms: Iterable[_Symptom]) -> Keys:
    x, name = symptom.exchange, symptom.requirement.id
    if x is None:
        return frozenset({("requirement", name)})
    if x.status in SUCCESS:
        return frozenset(_keys_of_success(x, symptom, symptoms))
    return frozenset(_keys_of_error(x, symptom))


def _keys_of_success(x: Exchange, symptom: _Symptom, symptoms: Iterable[_Symptom]) -> Iterator[Hashable]:
    """Yield the keys of an answer with a status of success: what is wrong with it is its status, or its content."""
    name, operation = symptom.requirement.id, _operation(x)
    if not symptom.finding.got.startswith(str(x.status)):
        yield from (("requirement", name), ("content", x.n, symptom.finding.got))
    elif _REFUSED.match(symptom.finding.expected):
        is_open = any(_is_open_to_anyone(each, operation) for each in symptoms)
        yield ("accepted", operation) if is_open else ("accepted", operation, name)
    else:
        yield ("status", operation, x.status)


def _is_open_to_anyone(symptom: _Symptom, operation: str) -> bool:
    """Whether a finding shows that the operation succeeds without a token, so that no other credential matters."""
    x = symptom.exchange
    is_anonymous = x is not None and _credential(x) == CredentialKind.NONE
    return bool(x and is_anonymous and x.status in SUCCESS and _operation(x) == operation)


def _keys_of_error(x: Exchange, symptom: _Symptom) -> Iterator[Hashable]:
    operation, answer = _operation(x), _answer(x)
    yield ("request", x.method, x.path, x.role, x.request_body, answer)
    if _has_invalid_credential(x):
        yield from (("credential", x.role, answer), ("credentials", operation, answer))
        return
    yield ("step", x.step, operation, answer)
    if not symptom.is_general:
        yield ("requirement", symptom.requirement.id, operation, answer)


def _has_invalid_credential(x: Exchange) -> bool:
    return _credential(x) != CredentialKind.VALID


def _credential(x: Exchange) -> str:
    """Return whether a credential is valid, or what is wrong with it; a generated request says it in another tag."""
    if x.tags.get(Tag.AUTH) == GeneratedAuth.NONE:
        return CredentialKind.NONE
    return x.tags.get(Tag.CREDENTIAL, CredentialKind.EXPIRED if x.role == EXPIRED else CredentialKind.VALID)


def _operation(x: Exchange) -> str:
    """Return the method and the route, without the guid of an event."""
    is_event = x.route.startswith(f"{EVENTS_PATH}/") and not x.route.startswith(PURGE_PATH)
    return f"{x.method} {EVENTS_PATH}/GUID" if is_event else f"{x.method} {x.route}"


def _answer(x: Exchange) -> Hashable:
    """Return what an answer has in common with others that have the same cause."""
    if errors := _errors(x):
        return x.status, tuple((str(error.get("code")), str(error.get("title"))) for error in errors)
    text = " ".join((x.text if x.status else x.error or "")[: BODY_CHARS * 4].split())
    return x.status, _VARYING.sub("N", text)[:BODY_CHARS]


def _errors(x: Exchange) -> list[dict[str, Any]]:
    errors = x.json.get("errors") if isinstance(x.json, dict) else None
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def _flaw(symptom: _Symptom) -> str:
    """Return what a finding says of an answer before it quotes it; the requirement where it only quotes it."""
    status = symptom.exchange.status if symptom.exchange else None
    words, separator, _ = symptom.finding.got.partition(f": {status} ")
    return words if separator else symptom.requirement.id


def _format(x: Exchange | None) -> Hashable:
    """Return how a body is written, whatever it says: its media type, and the members of its JSON."""
    if x is None:
        return None
    members = sorted(map(str, x.json)) if isinstance(x.json, dict) else type(x.json).__name__
    return (x.header("Content-Type") or "").partition(";")[0], str(members)


def _defect(symptoms: list[_Symptom]) -> Defect:
    """Return the defect that these findings show; the first of the one with the highest level represents it."""
    shown = [symptom for symptom in symptoms if symptom.exchange] or symptoms
    # What the answer was is said best by a finding that begins with its status.
    first = min(shown, key=lambda s: not (s.exchange and s.finding.got.startswith(str(s.exchange.status))))
    exchanges = {s.exchange.n: s.exchange for s in shown if s.exchange}
    requests = {(x.method, x.path, x.role, x.request_body) for x in exchanges.values()}
    return Defect(
        requirements=tuple(dict.fromkeys(s.requirement.id for s in symptoms)),
        sent=describe_request(first.exchange) if first.exchange else "",
        got=first.finding.got,
        requests=len(requests),
        exchanges=tuple(exchanges),
        curl=first.finding.curl,
    )


def describe_request(x: Exchange) -> str:
    """Return a request in words: method, path, whose credential it carried, and its body."""
    body = f" and the body {x.request_body}" if x.request_body else ""
    return f"{x.method} {clip(x.path, PATH_CHARS)} {_describe_credential(x)}{body}"


def describe_kind_of_request(x: Exchange) -> str:
    """Return a request in words without what chance or the state of the target decides: its query, its body, a guid."""
    return f"{_operation(x)} {_describe_credential(x)}"


def _describe_credential(x: Exchange) -> str:
    kind = _credential(x)
    match kind:
        case CredentialKind.NONE:
            return "without a token"
        case CredentialKind.VALID:
            return f"as {x.role}"
        case _:
            who = f"with an {kind} token" if kind[0] in "aeiou" else f"with a {kind} token"
            return f"{who} ({x.role.replace('-', ' ')})" if x.role != kind else who
