"""`explain`: says what an id stands for."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from purge_conformance.catalogue import lookup
from purge_conformance.catalogue.model import ANY_SCENARIO, Fault, Requirement, Variant
from purge_conformance.cli.output import write_json, write_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.catalogue.lookup import Entry

SHOWN_BY = {  # subtlety of a fault -> what a run needs to detect it, as at the head of faults.yaml
    "shallow": "one answer: its status, its headers, the shape of its body",
    "semantic": "one answer, compared with what the documentation means or with what the server was given",
    "state": "several answers, each of which looks correct: what exists before and after",
    "time": "clocks and timestamps",
}
FIELD_INDENT, ROW_INDENT = 13, 4  # of what a terminal wraps
FIELD = re.compile(rf"  (?:[a-z][a-z ]*)?\s+(?<=^.{{{FIELD_INDENT}}})\S")
SILENT = "silent"  # in variants.yaml
TRY_FAULT = "`purge-conformance serve --fault NAME` serves one"
TRY_VARIANT = "`purge-conformance serve --variant NAME` serves one"


@click.command(epilog="Exit codes: 0 explained, 2 the id is unknown.")
@click.argument("name", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
def explain(*, name: str, as_json: bool) -> None:
    """Explain what ID stands for: a requirement, a fault, a variant or a server profile.

    Of a requirement: the sentence, the words that say so, how a run judges it, its cases, the faults that it fails
    because of, what is legal as well, and what to do if it fails.
    """
    entry = lookup.find_entry(name)
    if as_json:
        write_json(describe_as_json(entry), indent=2)
        return
    for line in describe(entry):
        write_wrapped(line, FIELD_INDENT if FIELD.match(line) else ROW_INDENT)


def describe(entry: Entry) -> Iterator[str]:
    """Yield the lines that explain an entry; those of a field begin with its name, or with as many spaces."""
    match entry:
        case Requirement():
            yield from _describe_requirement(entry)
        case Fault():
            yield from _describe_fault(entry)
        case Variant():
            yield from _describe_variant(entry)
        case _:
            yield f"{entry.id} (server profile of the reference server): {entry.summary}"
            yield from _section(f"VARIANTS that it consists of; `serve --variant {entry.id}` serves it", entry.variants)


def describe_as_json(entry: Entry) -> dict[str, Any]:
    """Return the members of an entry, and the ids that `spec/` relates to a requirement."""
    kind = {Requirement: "requirement", Fault: "fault", Variant: "variant"}.get(type(entry), "server profile")
    members = {"kind": kind, **asdict(entry)}
    if not isinstance(entry, Requirement):
        return members
    related: dict[str, Iterable[Fault | Variant]] = {
        "faults": lookup.faults_violating(entry.id),
        "legal_variants": lookup.variants_allowed_by(entry),
        "violating_variants": lookup.variants_violating(entry.id),
        "hiding_variants": lookup.variants_hiding(entry.id),
    }
    names = {key: [each.id for each in entries] for key, entries in related.items()}
    return members | names | {"dependents": lookup.dependents_of(entry.id), "history": lookup.history_of(entry)}


def _describe_requirement(requirement: Requirement) -> Iterator[str]:
    yield f"{requirement.id} ({requirement.level}, profile {requirement.profile}): {requirement.statement}"
    yield ""
    yield _field("quote", requirement.quote)
    yield _field("source", requirement.source.title)
    if requirement.source.url:
        yield _field("", requirement.source.url)
    yield _field("operation", requirement.operation)
    yield _field("judged by", requirement.shown_by)
    yield _field("scenarios", _scenarios(requirement))
    if requirement.conditional:
        yield _field("needs", requirement.conditional)
    if requirement.not_judged:
        yield _field("not judged", requirement.not_judged)
    yield _field("remedy", requirement.remedy)
    yield from _dependencies(requirement)
    cases = (f"{case.id}: {case.text}{_condition(case.conditional)}" for case in requirement.cases)
    yield from _section("CASES", cases)
    yield from _section(f"FAULTS that it fails because of; {TRY_FAULT}", _rows(lookup.faults_violating(requirement.id)))
    if requirement.not_alone:
        yield _field("", f"No fault violates it alone: {requirement.not_alone}")
    allowed = _rows(lookup.variants_allowed_by(requirement))
    yield from _section(f"LEGAL VARIANTS, which the same words allow; {TRY_VARIANT}", allowed)
    violating = _rows(lookup.variants_violating(requirement.id))
    yield from _section("LEGAL VARIANTS that violate it, since it is not a MUST", violating)
    yield from _section("VARIANTS with which it cannot be judged", _rows(lookup.variants_hiding(requirement.id)))
    yield from _section("HISTORY, by requirement set", _history(requirement))


def _describe_fault(fault: Fault) -> Iterator[str]:
    yield f"{fault.id} (fault of the reference server): {fault.summary}"
    yield ""
    yield _field("shown by", f"{SHOWN_BY[fault.subtlety]} ({fault.subtlety})")
    if fault.intermittent:
        yield _field("", "It does not fail in each trial, so that a run with few purges may miss it.")
    if fault.with_droplets:
        yield _field("", "It shows only where apps run droplets.")
    yield _field("try it", f"purge-conformance serve --fault {fault.id}")
    yield _field("check it", f"purge-conformance selfcheck --only {fault.id}")
    failing = (
        f"{each.id} ({each.level}): {each.statement}" for each in map(lookup.find_requirement, fault.requirements)
    )
    yield from _section("REQUIREMENTS that fail because of it", failing)


def _describe_variant(variant: Variant) -> Iterator[str]:
    yield f"{variant.id} (legal variant of the reference server): {variant.summary}"
    yield ""
    is_silent = variant.allowed_by == SILENT
    yield _field("allowed by", "The documentation does not mention it." if is_silent else variant.allowed_by)
    yield _field("profiles", f"It conforms in {' and '.join(variant.profiles)}.")
    yield _field("try it", f"purge-conformance serve --variant {variant.id}")
    for title, ids in {
        "SHOULD that it violates": variant.violates_should,
        "MUST that cannot be judged with it": variant.not_judged,
    }.items():
        yield from _section(title, (f"{name}: {lookup.find_requirement(name).statement}" for name in ids))


def _scenarios(requirement: Requirement) -> str:
    return "all" if ANY_SCENARIO in requirement.scenarios else ", ".join(requirement.scenarios)


def _dependencies(requirement: Requirement) -> Iterator[str]:
    if names := requirement.all_prerequisites():
        yield _field("rests on", f"{', '.join(names)}: if one of them fails, a failure of it is inconclusive.")
    if requirement.assumes:
        yield _field(
            "assumes", f"{', '.join(requirement.assumes)}: the judgment checks in its evidence whether that holds."
        )
    if dependents := lookup.dependents_of(requirement.id):
        yield _field("carries", f"{', '.join(dependents)}: if it fails, a failure of these is inconclusive.")


def _condition(conditional: str | None) -> str:
    return f" Needs: {conditional}." if conditional else ""


def _history(requirement: Requirement) -> Iterator[str]:
    for requirement_set, cases in lookup.history_of(requirement).items():
        parts = ["the requirement"] if requirement_set == requirement.since else []
        parts += [f"the case{'s' if len(cases) > 1 else ''} {', '.join(cases)}"] if cases else []
        yield f"{requirement_set}: {', with '.join(parts)}"


def _rows(entries: Iterable[Fault | Variant]) -> Iterator[str]:
    return (f"{each.id}: {each.summary}" for each in entries)


def _section(title: str, rows: Iterable[str]) -> Iterator[str]:
    lines = [f"  {row}" for row in rows]
    if lines:
        yield from ("", title, *lines)


def _field(name: str, value: str) -> str:
    return f"  {name:<10} {value}"
