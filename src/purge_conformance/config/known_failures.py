"""The known failures of a target: the file of `--known-failures`.

`spec/known-failures.schema.json` describes it. Every scalar is read as text, so that `expected: 200` needs no quotes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

import jsonschema

from purge_conformance import catalogue
from purge_conformance.config import yaml_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from purge_conformance.config.yaml_lines import LinedDocument, Place

FLAG = "--known-failures"
SCHEMA = "known-failures.schema.json"
ENTRIES = "known_failures"
TODO = "TODO"  # what `known-failures write` leaves to its user
WRITE = "purge-conformance known-failures write REPORT"
SIGNATURE = f"Copy expected and got from the report, have them written ({WRITE}), or name the case that fails."


class EntryKind(StrEnum):
    """What an entry of the file excuses."""

    FAILURE = "failure"  # it fails in every run
    FLAKY = "flaky"  # it fails in some trials
    NOT_JUDGED = "not-judged"  # this environment cannot judge it


@dataclass(frozen=True, slots=True)
class ExpectedFailure:
    """How a requirement of an entry fails; `None` stands for any.

    Attributes:
        requirement: its id.
        case: the case that fails.
        sent: the request whose answer is wrong.
        expected: what the requirement demands.
        got: what the target does; of a requirement that is not judged, the reason.
    """

    requirement: str | None
    case: str | None
    sent: str | None
    expected: str | None
    got: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One defect, or one thing that this environment cannot judge.

    Attributes:
        requirements: ids of those that fail because of it; at least one.
        kind: what it excuses.
        case: the only case that it excuses; None: no case is named.
        rate: of a flaky failure, the largest share of the trials of a run that fails.
        owner: who takes care of it.
        reason: why it is accepted.
        link: where it is tracked; None if it is not.
        expires: the last day on which it excuses.
        signature: how it fails: each finding is like one of these.
        place: file and line, for messages.
    """

    requirements: tuple[str, ...]
    kind: EntryKind
    case: str | None
    rate: float | None
    owner: str
    reason: str
    link: str | None
    expires: date
    signature: tuple[ExpectedFailure, ...]
    place: str

    def cases_of(self, requirement: str) -> tuple[str, ...]:
        """Return the only cases of a requirement that it is about; empty: it is about any."""
        if self.case:
            return (self.case,)
        cases = [each.case for each in self.signature if each.requirement in {None, requirement}]
        return tuple(case for case in cases if case) if all(cases) else ()


def load(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a file.

    Raises:
        BadSetting: it cannot be read, or is not what the schema says; the message names the line.
    """
    return entries_of(yaml_lines.load(path, FLAG))


def entries_of(document: LinedDocument) -> tuple[Entry, ...]:
    """Return the entries of a file that was read.

    Raises:
        BadSetting: it is not what the schema says; the message names the line.
    """
    _require_valid(document)
    rows: list[dict[str, Any]] = document.data[ENTRIES]
    entries = tuple(_entry(document, number, row) for number, row in enumerate(rows))
    _require_distinct(document, entries)
    return entries


def _require_distinct(document: LinedDocument, entries: Iterable[Entry]) -> None:
    """Require that no entry excuses the same as an earlier one, as it would count twice.

    Raises:
        BadSetting: one does.
    """
    lines: dict[tuple[object, ...], int] = {}
    for number, entry in enumerate(entries):
        place = (ENTRIES, number)
        for name in entry.requirements:
            key = (name, entry.kind, entry.case, frozenset(entry.signature))
            if key in lines:
                raise document.error(place, f"{name} has the same entry in line {lines[key]}. Remove one of them.")
            lines[key] = document.line(place)


def _require_valid(document: LinedDocument) -> None:
    """Require that the data is what the schema says.

    Raises:
        BadSetting: it is not; the message is about the first such line.
    """
    data = document.data
    if not isinstance(data, dict):
        raise document.error((), f"a mapping with the key {ENTRIES} is expected. To write a file: {WRITE}")
    validator = jsonschema.Draft202012Validator(catalogue.document(SCHEMA))
    if errors := list(validator.iter_errors(_with_numbers(data))):
        described = [(*_describe(error), error.validator == "required") for error in errors]
        place, message, _ = min(described, key=lambda each: (each[2], document.line(each[0])))  # a misspelt key first
        raise document.error(place, message)


def _with_numbers(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data with a number where the schema wants one."""
    entries = data.get(ENTRIES)
    if not isinstance(entries, list):
        return data
    return data | {ENTRIES: [_with_rate(row) if isinstance(row, dict) and "rate" in row else row for row in entries]}


def _with_rate(row: dict[str, Any]) -> dict[str, Any]:
    try:
        rate = float(row["rate"])
    except (TypeError, ValueError):
        return row
    return row | {"rate": rate} if isfinite(rate) else row


def _describe(error: Any) -> tuple[Place, str]:  # noqa: ANN401 -- the members of jsonschema's error are of any type
    """Return the place of an error, and what is wrong there."""
    place, schema, got = tuple(error.absolute_path), error.schema, error.instance
    last = place[-1] if place else "the file"
    name = f"number {last + 1}" if isinstance(last, int) else last
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            wrong = next(key for key in got if key not in known)
            return (*place, wrong), f"{wrong} is no key here.{_did_you_mean(wrong, known)} Known: {', '.join(known)}."
        case "required":
            missing = next(key for key in error.validator_value if key not in got)
            said = schema["properties"][missing]["description"]
            return place, f"{missing} is missing. Expected: {missing}, {said[:1].lower()}{said[1:]}"
        case "anyOf" if isinstance(got, dict):
            return place, f"got and case are both missing. {SIGNATURE}"
        case "enum":
            values = [str(value) for value in error.validator_value]
            return place, f"{name}: {got} is not one of {', '.join(values)}.{_did_you_mean(str(got), values)}"
        case _:
            return place, f"{name}: got {_show(got)}. Expected: {schema.get('description', error.message)}"


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "an empty list" if not value else "a list"
    return repr(value)


def _did_you_mean(name: str, candidates: Iterable[str]) -> str:
    close = get_close_matches(name, list(candidates), 1, 0.6)
    return f" Did you mean {close[0]}?" if close else ""


def _entry(document: LinedDocument, number: int, row: dict[str, Any]) -> Entry:
    place: Place = (ENTRIES, number)
    for key, problem in _contradictions(row):
        raise document.error((*place, key), problem)
    ids = row["requirements"] if isinstance(row["requirements"], list) else [row["requirements"]]
    _require_known_ids(document, (*place, "requirements"), ids)
    if "case" in row:
        _require_known_case(document, (*place, "case"), ids, row["case"])
    for index, each in enumerate(row["signature"]):
        _require_known_signature(document, (*place, "signature", index), ids, each)
    return Entry(
        requirements=tuple(ids),
        kind=EntryKind(row.get("kind", EntryKind.FAILURE)),
        case=row.get("case"),
        rate=float(row["rate"]) if "rate" in row else None,
        owner=row["owner"],
        reason=row["reason"],
        link=row.get("link"),
        expires=date.fromisoformat(row["expires"]),
        signature=tuple(_expected_failure(each) for each in row["signature"]),
        place=f"{document.name}, line {document.line(place)}",
    )


def _expected_failure(row: dict[str, str]) -> ExpectedFailure:
    return ExpectedFailure(*(row.get(name) for name in ("requirement", "case", "sent", "expected", "got")))


def _contradictions(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the schema cannot say: key, and what is wrong with it."""
    kind = row.get("kind", EntryKind.FAILURE)
    for key in ("owner", "reason"):
        if row[key].strip().upper().startswith(TODO):
            yield (
                key,
                f"{key} is still {TODO}. Write {'who takes care of it' if key == 'owner' else 'why it is accepted'}.",
            )
    try:
        date.fromisoformat(row["expires"])
    except ValueError:
        yield "expires", f"expires: {row['expires']} is no day. Write YYYY-MM-DD."
    if kind == EntryKind.FLAKY and "rate" not in row:
        yield "kind", "rate is missing: of a flaky failure it says which share of the trials may fail, for example 0.2."
    if kind != EntryKind.FLAKY and "rate" in row:
        yield "rate", "rate belongs to kind: flaky. Remove it, or write that kind."
    if kind == EntryKind.NOT_JUDGED and "case" in row:
        yield "case", "case does not belong to kind: not-judged, which is about a whole requirement. Remove it."
    yield from (("signature", problem) for each in row["signature"] for problem in _problems(kind, each))


def _problems(kind: str, signature: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with a signature of an entry of this kind."""
    if kind == EntryKind.NOT_JUDGED and "case" in signature:
        yield "case does not belong to kind: not-judged, which is about a whole requirement. Remove it."
    elif "case" not in signature and "expected" not in signature and kind != EntryKind.NOT_JUDGED:
        yield f"expected is missing in the signature. {SIGNATURE}"


def _require_known_ids(document: LinedDocument, place: Place, ids: list[str]) -> None:
    known = [requirement.id for requirement in catalogue.requirements()]
    for index, name in enumerate(ids):
        if name not in known:
            raise document.error(
                (*place, index),
                f"{name} is no requirement.{_did_you_mean(name, known)} `purge-conformance list` shows them all.",
            )


def _require_known_case(document: LinedDocument, place: Place, ids: list[str], case: str) -> None:
    known = [each.id for requirement in catalogue.requirements() if requirement.id in ids for each in requirement.cases]
    if case not in known:
        raise document.error(
            place, f"{', '.join(ids)} has no case {case}.{_did_you_mean(case, known)} Known: {', '.join(known)}."
        )


def _require_known_signature(document: LinedDocument, place: Place, ids: list[str], row: dict[str, str]) -> None:
    name = row.get("requirement")
    if name is not None and name not in ids:
        raise document.error(
            (*place, "requirement"), f"{name} is not one of the requirements of this entry.{_did_you_mean(name, ids)}"
        )
    if "case" in row:
        _require_known_case(document, (*place, "case"), [name] if name else ids, row["case"])
