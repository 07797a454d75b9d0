"""The signature of a failure: which case, what was sent, expected and got, without what differs from run to run.

Guids, times, hosts, numbers, names of the suite's own and the content of bodies become placeholders such as `<guid>`.
What distinguishes defects stays: statuses, the members of a body, and the code, title and detail of an error.
A signature is text that a person can read and edit; reading one again gives the same signature.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.report.model import Finding, Result

MAX_CHARS = 160  # of one member: findings clip what they quote, later, at a place that depends on what comes before
MAX_RAW_CHARS = 20_000
MAX_STEPS = 10
TIMELINE = "a timeline"  # which requests race, and how it ends, is another in each run
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d(?::|%3A)\d\d(?::|%3A)\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::|%3A)\d\d)?")
_HOST = re.compile(r"https?://[^/\s\"'<>?#]+", re.IGNORECASE)
_OWN_NAME = re.compile(r"\bpurge-conformance-[\w-]+")
_NAME = re.compile(r"(?<=[,:] name )[^,;<]+")
_HEX = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w<./-])\d+(?:[.,]\d+)*(?![\w>])")
_BEFORE_STATUS = (
    "of",
    "or",
    "status",
    "answer",
    "answers",
    "answered",
    "after",
    "neither",
    "nor",
    "and",
    "for",
    "below",
    "as",
)
_STATUS_CONTEXT = re.compile(rf"(?:^|\b(?:{'|'.join(_BEFORE_STATUS)}) |[:,;] )$")
_NOUN = re.compile(r"\s*(?:ms|s|MB|events?|apps?|pages?|rows?|requests?|purges?|processe?s?|instances?|seconds?|of)\b")
_REPEATED = re.compile(r"(<\w+>)(?:(?:, ?|%2C| )(?:and )?\1)+")
_BODY = re.compile(r"[\[{]")
_PARENTHESES = str.maketrans("[]{}", "()()")
_STATUSES = {f"{status:d}" for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Signature:
    """How a requirement fails.

    Attributes:
        requirement: its id.
        case: the case that fails; None if the judgment does not say which.
        sent: the request whose answer is quoted; None if the failure is not about one answer.
        expected: what the requirement demands; empty of one that was not judged.
        got: what the target did; of a requirement that was not judged, the reason.
    """

    requirement: str
    case: str | None
    sent: str | None
    expected: str
    got: str


def signatures_of(result: Result) -> tuple[Signature, ...]:
    """Return the signatures of a result, each once: of its findings, or of the reason why it was not judged."""
    if result.reason:
        return (Signature(result.id, None, None, "", normalize(result.reason)),)
    return tuple(dict.fromkeys(signature_of(result.id, finding) for finding in result.findings))


def signature_of(requirement: str, finding: Finding) -> Signature:
    """Return the signature of one finding of a requirement."""
    sent = normalize_request(finding.sent) if finding.sent else None
    return Signature(requirement, finding.case, sent, normalize(finding.expected), normalize(finding.got))


def normalize(text: str) -> str:
    """Return a text of a finding without what differs from run to run; the same of a text that is normal already."""
    raw = text[:MAX_RAW_CHARS].strip()
    return _until_stable(_normalize_once, TIMELINE if "\n" in raw else raw)


def normalize_request(text: str) -> str:
    """Return a request in words without guids, hosts and times; its other values are what it tries."""
    return _until_stable(_normalize_request_once, text)


def _until_stable(function: Callable[[str], str], text: str) -> str:
    """Return what a function makes of a text in the end: where it shortens one, more of it may be normal."""
    for _ in range(MAX_STEPS):
        before, text = text, function(text)
        if text == before:
            break
    return text


def _normalize_once(text: str) -> str:
    body = _BODY.search(text)
    line = text if body is None else f"{text[: body.start()]}{_normalize_body(text[body.start() :])}"
    return _clip(_REPEATED.sub(r"\1", _placeholders(one_line(line, MAX_RAW_CHARS).translate(_PARENTHESES))))


def _normalize_request_once(text: str) -> str:
    line = _GUID.sub("<guid>", _TIME.sub(_time, _HOST.sub("<host>", one_line(text, MAX_RAW_CHARS))))
    return _clip(_REPEATED.sub(r"\1", line))


def _clip(text: str) -> str:
    """Return the beginning of a text, up to a whole word; one that is clipped already ends within a word."""
    whole = text.rstrip()
    while whole.endswith(("...", "…")):
        whole = whole.removesuffix("...").removesuffix("…").rstrip().rpartition(" ")[0].rstrip()
    return whole if len(whole) <= MAX_CHARS else whole[:MAX_CHARS].rpartition(" ")[0] or whole[:MAX_CHARS]


def _placeholders(text: str) -> str:
    text = _GUID.sub("<guid>", _TIME.sub(_time, _HOST.sub("<host>", text)))
    text = _HEX.sub("<hex>", _NAME.sub("<name>", _OWN_NAME.sub("<name>", text)))
    return _NUMBER.sub(_number, text)


def _time(match: re.Match[str]) -> str:
    """Return the placeholder of a time; one that no clock shows, such as month 13, is what a request tries."""
    try:
        datetime.fromisoformat(match[0].replace("%3A", ":"))
    except ValueError:
        return match[0]
    return "<time>"


def _number(match: re.Match[str]) -> str:
    """Return the placeholder of a number; a status stays, and the code of an error."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    is_status = match[0] in _STATUSES and _STATUS_CONTEXT.search(before) and not _NOUN.match(after)
    return match[0] if is_status or before.endswith(("RFC ", "code ")) else "<number>"


def _normalize_body(text: str) -> str:
    """Return a body that a finding quotes: the errors of an envelope, or else the names of its members."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return "object" if text.startswith("{") else "list"
    rest = text[end:]
    if isinstance(value, dict) and isinstance(value.get("errors"), list):
        return f"errors: {'; '.join(dict.fromkeys(_error(each) for each in value['errors'])) or 'none'}{rest}"
    if isinstance(value, dict):
        return f"object ({', '.join(sorted(map(str, value)))}){rest}"
    return f"{'list' if value else 'empty list'}{rest}"


def _error(error: Any) -> str:  # noqa: ANN401 -- JSON of a target
    """Return the code, title and detail of an error of an envelope."""
    if not isinstance(error, dict):
        return type(error).__name__
    return ", ".join(f"{name} {error[name]}" for name in ("code", "title", "detail") if name in error) or "no member"
