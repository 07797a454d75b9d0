"""The run as plain data: the members of `report.json`, and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from purge_conformance.catalogue.model import Level, Profile, Requirement, Source
from purge_conformance.config.known_failures import EntryKind
from purge_conformance.report.defect import Defect
from purge_conformance.report.gate import Breach, BreachKind, Gate, KnownFailure, NotChecked
from purge_conformance.report.model import (
    Cause,
    Finding,
    Outcome,
    Result,
    Run,
    Scope,
    StatusCount,
    Tally,
    Timing,
    Verdict,
)

SCHEMA = 2

# The members of a requirement that `report.json` holds.
REQUIREMENT_FIELDS = (
    *("id", "level", "profile", "since", "group", "statement", "quote", "source", "operation", "shown_by", "remedy"),
    *("conditional", "not_judged"),
)


def to_dict(run: Run) -> dict[str, Any]:
    """Return the run as `report.json` holds it."""
    return {"schema": SCHEMA, **_plain(run)}


def _plain(value: Any) -> Any:  # noqa: ANN401 -- any part of a run
    if isinstance(value, Result):
        members = {name: getattr(value.requirement, name) for name in REQUIREMENT_FIELDS}
        return _plain(members | {each.name: getattr(value, each.name) for each in fields(value)[1:]})
    if isinstance(value, Gate):
        return {"status": value.status} | {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def from_dict(data: dict[str, Any]) -> Run:
    """Return the run that `report.json` holds; the data must be valid against `report.schema.json`.

    Of each requirement it has the members that the file holds: no cases, and nothing that the requirement depends on.
    """
    rows = {
        "requirements": tuple(_result(row) for row in data["requirements"]),
        "statuses": tuple(StatusCount(**row) for row in data["statuses"]),
        "timings": tuple(Timing(**row) for row in data["timings"]),
        "notes": tuple(data["notes"]),
        "verdict": Verdict(data["verdict"]),
        "scope": _scope(data["scope"]),
        "defects": tuple(map(_defect, data.get("defects", ()))),
        "gate": _gate(data["gate"]) if data.get("gate") else None,
    }
    return Run(**{name: value for name, value in {**data, **rows}.items() if name != "schema"})


def _scope(row: dict[str, Any]) -> Scope:
    return Scope(tuple(row["profiles"]), tuple(row["select"]), row["musts"])


def _defect(row: dict[str, Any]) -> Defect:
    return Defect(**row | {"requirements": tuple(row["requirements"]), "exchanges": tuple(row["exchanges"])})


def _gate(row: dict[str, Any]) -> Gate:
    return Gate(
        known_failures=tuple(map(_known_failure, row["known_failures"])),
        not_checked=tuple(NotChecked(**each) for each in row["not_checked"]),
        breaches=tuple(Breach(**each | {"kind": BreachKind(each["kind"])}) for each in row["breaches"]),
        baseline=row["baseline"],
    )


def _known_failure(row: dict[str, Any]) -> KnownFailure:
    lists = {name: tuple(row[name]) for name in ("requirements", "consequences")}
    return KnownFailure(**row | lists | {"kind": EntryKind(row["kind"])})


def _result(row: dict[str, Any]) -> Result:
    values = {
        "outcome": Outcome(row["outcome"]),
        "cause": Cause(row["cause"]) if row["cause"] else None,
        "findings": tuple(map(_finding, row["findings"])),
        "exchanges": tuple(row["exchanges"]),
        "blocked_by": tuple(row.get("blocked_by", ())),
        "tally": Tally(**row["tally"]),
    }
    members = {name: value for name, value in row.items() if name not in REQUIREMENT_FIELDS}
    return Result(**{"requirement": _requirement(row), **members, **values})


def _finding(row: dict[str, Any]) -> Finding:
    return Finding(**row | {name: tuple(row.get(name, ())) for name in ("apps", "picture")})


def _requirement(row: dict[str, Any]) -> Requirement:
    values = {"level": Level(row["level"]), "profile": Profile(row["profile"]), "source": Source(**row["source"])}
    return Requirement(**{name: row[name] for name in REQUIREMENT_FIELDS} | values)
