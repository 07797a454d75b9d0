"""What a report.json of any version of the suite says that reports of two versions have in common.

A report of this version is read with `report.json.load`, which requires its schema. This module requires only the
stable members (verdict; id, level, profile and outcome of each requirement), takes each other one if it is there, and
rejects a value of another type.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from purge_conformance.catalogue.model import Level, Profile
from purge_conformance.config.settings import MIB
from purge_conformance.errors import BadData
from purge_conformance.evidence import members
from purge_conformance.evidence.bodies import estimate_memory
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report.json import FILE_NAME
from purge_conformance.report.model import Outcome
from purge_conformance.report.plain import to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.report.model import Run

MAX_BYTES = 16 * MIB  # of one report.json; a run writes about 0.3 MiB
MAX_MEMORY = 128 * MIB  # of its JSON, estimated before it is parsed
MAX_COUNT = 10**12  # of requests and the like
REQUIREMENTS_FILE = "requirements.yaml"
NEXT_STEP = "Give a report.json that a run wrote, or the folder that holds it."
JUDGED = {Outcome.PASSED, Outcome.FAILED}

_COUNT: members.Check = (lambda value: type(value) is int and 0 <= value <= MAX_COUNT, f"an integer up to {MAX_COUNT}")
_ID: members.Check = (
    lambda value: isinstance(value, str) and re.fullmatch(r"[!-~]{1,80}", value) is not None,
    "an id of at most 80 visible characters",
)
_LIST: members.Check = (lambda value: isinstance(value, list), "a list")
_COUNTS: members.Check = (
    lambda value: isinstance(value, dict) and all(type(n) is int and 0 <= n <= MAX_COUNT for n in value.values()),
    "an object of integers",
)


@dataclass(frozen=True, slots=True)
class RequirementFacts:
    """One requirement of a report.

    Attributes:
        id: of the requirement.
        level: as the report has it.
        profile: the name of its profile.
        outcome: of the requirement.
        statement: the normative sentence; empty if the report has none.
        why: the cause and the reason of what was not judged, or the first finding of a failure; empty for a pass.
        cases: case -> how many trials of it were judged; None: the suite did not count cases yet.
        untried: case -> what it needs that was not tried.
        newer_than_evidence: whether it is not judged since its evidence is of an older requirement set.
    """

    id: str
    level: Level
    profile: str
    outcome: Outcome
    statement: str = ""
    why: str = ""
    cases: Mapping[str, int] | None = None
    untried: Mapping[str, str] = field(default_factory=dict)
    newer_than_evidence: bool = False

    @property
    def is_judged(self) -> bool:
        """Whether it passed or failed."""
        return self.outcome in JUDGED


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """One report.

    Attributes:
        place: where it is, for messages.
        verdict: of the run, also one that only a newer suite gives.
        requirements: by id, in the order of the report.
        suite_version: version of the suite that judged; empty if unknown.
        requirements_digest: SHA-256 of the requirements.yaml that judged; empty if unknown.
        target: base URL; empty if unknown.
        started_at, finished_at: first and last record of the evidence, with a time zone; None if unknown.
        requests, purges: how many were sent; None if unknown.
        profiles: that were judged, each with those that it includes.
        select: the globs of a selection; empty: whole profiles.
        settings: name -> value, of the run.
        timings: scenario -> seconds, requests.
    """

    place: str
    verdict: str
    requirements: Mapping[str, RequirementFacts]
    suite_version: str = ""
    requirements_digest: str = ""
    target: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    requests: int | None = None
    purges: int | None = None
    profiles: frozenset[str] = frozenset()
    select: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long the run took; None if unknown."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())

    def count(self, outcome: Outcome, level: Level | None = None) -> int:
        """Return how many requirements had an outcome, of one level or of all."""
        return sum(r.outcome is outcome and level in {None, r.level} for r in self.requirements.values())


def read_facts(place: Path) -> ReportFacts:
    """Return what a report says.

    Args:
        place: a report.json, or the folder that holds it.

    Raises:
        BadData: it cannot be read, is too large, or is no report.json of any version.
    """
    return parse_bytes(read_bytes(place), str(place / FILE_NAME if place.is_dir() else place))


def read_bytes(place: Path) -> bytes:
    """Return a report.json as it is, read whole.

    Raises:
        BadData: it cannot be read, or is too large.
    """
    path = place / FILE_NAME if place.is_dir() else place
    try:
        if not path.is_file():
            _reject(str(path), f"{'no regular file' if path.exists() else 'no file'}, expected a report.json")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        _reject(str(path), f"{error.strerror}, expected a file that can be read")
    if len(data) > MAX_BYTES or estimate_memory(data) > MAX_MEMORY:
        _reject(
            str(path),
            f"a file too large: at most {MAX_BYTES // MIB} MiB, and {MAX_MEMORY // MIB} MiB in memory, are read",
        )
    return data


def parse_bytes(data: bytes, place: str) -> ReportFacts:
    """Return what the bytes of a report.json say.

    Raises:
        BadData: they are no report.json of any version.
    """
    try:
        return parse_facts(json.loads(data, parse_constant=_reject_constant), place)
    except (ValueError, RecursionError) as error:
        _reject(place, f"no JSON ({one_line(str(error), 200)}), expected a report.json")


def facts_of(run: Run, place: str) -> ReportFacts:
    """Return what the report of a run says."""
    return parse_facts(to_dict(run), place)


def parse_facts(data: object, place: str) -> ReportFacts:
    """Return what the content of a report.json says.

    Raises:
        BadData: it is no report.json of any version.
    """
    try:
        return _report(data, place)
    except BadData as error:
        raise BadData(f"{place}: {one_line(str(error), 300)} {NEXT_STEP}") from None


def _report(value: object, place: str) -> ReportFacts:
    data = _object(value, "report")
    rows = _member(data, "requirements", _LIST, required=True)
    requirements: dict[str, RequirementFacts] = {}
    for row in rows:
        requirement = _requirement(row)
        if requirement.id in requirements:
            raise BadData(f"got {members.show(requirement.id)} twice in `requirements`, expected each id once.")
        requirements[requirement.id] = requirement
    scope = _member(data, "scope", members.OBJECT) or {}
    settings = _member(data, "settings", members.OBJECT) or {}
    profiles: Iterable[str] = _member(scope, "profiles", members.STRINGS) or {r.profile for r in requirements.values()}
    digests = _member(data, "spec_digests", members.OBJECT_OF_STRINGS) or {}
    return ReportFacts(
        place,
        _member(data, "verdict", members.STRING, required=True),
        requirements,
        suite_version=_member(data, "suite_version", members.STRING) or "",
        requirements_digest=digests.get(REQUIREMENTS_FILE, ""),
        target=_member(data, "target", members.STRING) or "",
        started_at=_instant(data, "started_at"),
        finished_at=_instant(data, "finished_at"),
        requests=_member(data, "requests", _COUNT),
        purges=_member(data, "purges", _COUNT),
        profiles=frozenset(profiles) | {str(Profile.CORE)},
        select=tuple(_member(scope or settings, "select", members.STRINGS) or ()),
        settings=settings,
        timings=dict(_timings(data)),
    )


def _requirement(value: object) -> RequirementFacts:
    row = _object(value, "requirements[]")
    finding_rows = _member(row, "findings", _LIST) or [{}]
    first = _object(finding_rows[0], "findings[]")
    reason, cause = _member(row, "reason", members.STRING), _member(row, "cause", members.or_null(members.STRING))
    got = {name: _member(first, name, members.STRING) for name in ("expected", "got")}
    finding = f"expected {got['expected']}; got {got['got']}" if got["got"] else ""
    return RequirementFacts(
        _member(row, "id", _ID, required=True),
        Level(_member(row, "level", members.one_of(Level, "MUST, SHOULD or MAY"), required=True)),
        _member(row, "profile", members.STRING, required=True),
        Outcome(_member(row, "outcome", members.one_of(Outcome, ", ".join(Outcome)), required=True)),
        _member(row, "statement", members.STRING) or "",
        finding or ": ".join(filter(None, [cause, reason])),
        _member(row, "cases", _COUNTS),
        _member(row, "untried", members.OBJECT_OF_STRINGS) or {},
        _member(row, "newer_than_evidence", members.BOOLEAN) or False,
    )


def _timings(data: dict[str, Any]) -> Iterator[tuple[str, tuple[float, int]]]:
    for value in _member(data, "timings", _LIST) or ():
        row = _object(value, "timings[]")
        if scenario := _member(row, "scenario", members.STRING):  # older reports have other scenarios, and another key
            seconds = _member(row, "seconds", members.SECONDS, required=True)
            yield scenario, (seconds, _member(row, "requests", _COUNT, required=True))


def _instant(data: dict[str, Any], name: str) -> datetime | None:
    text = _member(data, name, members.STRING)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = datetime.min  # noqa: DTZ901 -- rejected in the next line
    if instant.tzinfo is None:
        raise BadData(f"got {members.show(text)} as `{name}`, expected a time of RFC 3339 with a time zone.")
    return instant


def _object(value: Any, name: str) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    members.check(value, members.OBJECT, name)
    row: dict[str, Any] = value
    return row


def _member(row: dict[str, Any], name: str, expected: members.Check, *, required: bool = False) -> Any:  # noqa: ANN401 -- JSON
    """Return a member; None if it is absent and not required.

    Raises:
        BadData: it is of another type, or absent.
    """
    if name not in row:
        if required:
            raise BadData(f"got no member `{name}`, expected {expected[1]}.")
        return None
    members.check(row[name], expected, name)
    return row[name]


def _reject(place: str, what: str) -> NoReturn:
    raise BadData(f"{place}: got {what}. {NEXT_STEP}") from None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")
