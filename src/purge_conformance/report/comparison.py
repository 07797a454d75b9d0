"""A comparison as text, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from purge_conformance.evidence.safe_text import one_line
from purge_conformance.evidence.words import pluralize
from purge_conformance.report.compare import Kind, by_requirement
from purge_conformance.report.grouping import compact_ids
from purge_conformance.report.markdown import escape
from purge_conformance.report.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from purge_conformance.report.compare import CaseCount, Change, Comparison, NotCompared
    from purge_conformance.report.facts import ReportFacts

    Timing = tuple[float, int]

SCHEMA = 1  # of the JSON
CHANGE_COLUMNS = ("Requirement", "Change", "Outcome", "Why", "Statement")
NOT_COMPARED_COLUMNS = ("Only in", "Outcome", "Why", "Requirements")
MAX_WHY_CHARS = 600
MAX_SETTING_CHARS = 80
MIN_SECONDS, MIN_RATIO = 0.5, 1.25  # by which the time of a scenario has to differ to be listed


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a table below it; a table without rows is left out.

    Attributes:
        title: the heading.
        columns: the names of the columns.
        rows: one text per column.
        rest: a sentence below the table; empty if there is none.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    rest: str = ""


def summary(comparison: Comparison) -> str:
    """Return the result in one sentence or two."""
    count = pluralize(len(comparison.compared), "requirement")
    if not comparison.compared:
        return "Nothing in common: the new report has none of the requirements that the old one judged."
    if not comparison.regressions:
        return f"No regression in {count} compared."
    return f"{pluralize(len(comparison.regressions), 'regression')} in {count} compared."


def as_text(comparison: Comparison) -> list[str]:
    """Return the comparison as lines for a terminal; text of a report is not made safe."""
    lines = [*_sides(comparison), ""]
    for section in _sections(comparison):
        lines += [section.title, *_lines(section), *([f"  {section.rest}"] if section.rest else []), ""]
    return [*lines, f"Result: {summary(comparison)}"]


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as GitHub-flavoured Markdown; text of a report is never interpreted as Markdown."""
    mark = "⚠️" if not comparison.compared else "❌" if comparison.regressions else "✅"
    parts = [f"# {mark} {escape(summary(comparison))}", "\n".join(f"- {escape(each)}" for each in _sides(comparison))]
    for section in _sections(comparison):
        rows = [section.columns, tuple("---" for _ in section.columns), *(map(escape, row) for row in section.rows)]
        parts += [f"## {section.title}", "\n".join(f"| {' | '.join(row)} |" for row in rows)]
        parts += [escape(section.rest)] if section.rest else []
    return "\n\n".join(parts) + "\n"


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as the JSON of `spec/comparison.schema.json`."""
    return {
        "schema": SCHEMA,
        "result": summary(comparison),
        "regressions": len(comparison.regressions),
        "compared": list(comparison.compared),
        "old": _report(comparison.old),
        "new": _report(comparison.new),
        "changes": [
            {
                "requirement": each.id,
                "level": each.level,
                "case": each.case,
                "change": each.kind,
                "old": each.old,
                "new": each.new,
                "why": each.why,
                "regression": each.is_regression,
            }
            for each in comparison.changes
        ],
        "not_compared": [
            {"requirement": each.id, "only_in": each.side, "outcome": each.outcome, "why": each.why}
            for each in comparison.not_compared
        ],
        "not_judged": list(comparison.not_judged),
        "cases": [
            {"requirement": each.id, "case": each.case, "old": each.old, "new": each.new} for each in comparison.cases
        ],
        "scenarios": [
            {"scenario": name, "old": _timing(comparison.old, name), "new": _timing(comparison.new, name)}
            for name in _scenarios(comparison)
        ],
        "settings": {name: {"old": old, "new": new} for name, (old, new) in comparison.settings.items()},
    }


def _report(facts: ReportFacts) -> dict[str, Any]:
    return {
        "place": facts.place,
        "verdict": facts.verdict,
        "target": facts.target or None,
        "suite_version": facts.suite_version or None,
        "started_at": facts.started_at and facts.started_at.isoformat(),
        "seconds": facts.seconds,
        "requests": facts.requests,
        "purges": facts.purges,
        "outcomes": {outcome: facts.count(outcome) for outcome in Outcome},
    }


def _timing(facts: ReportFacts, name: str) -> dict[str, float] | None:
    found = facts.timings.get(name)
    return {"seconds": found[0], "requests": found[1]} if found else None


def _sides(comparison: Comparison) -> Iterator[str]:
    for name, facts in (("Old", comparison.old), ("New", comparison.new)):
        counts = ", ".join(f"{n} {outcome}" for outcome in reversed(Outcome) if (n := facts.count(outcome)))
        when = f"{facts.started_at:%Y-%m-%d %H:%M:%S %Z}" if facts.started_at else ""
        suite = f"purge-conformance {facts.suite_version}" if facts.suite_version else ""
        about = ", ".join(filter(None, [facts.target, when, suite, counts or "no requirement"]))
        yield f"{name}: {facts.place}: {facts.verdict}; {about}"
    if comparison.old.target != comparison.new.target:
        yield "The two reports are of different targets."
    for name, facts in (("old", comparison.old), ("new", comparison.new)):
        if facts.requirements and all(row.cases is None for row in facts.requirements.values()):
            yield f"The {name} report counts no cases, so no case is compared."
    if comparison.old.requirements_digest != comparison.new.requirements_digest:
        yield "The two reports are of different requirement sets: compared is what both judged."


def _sections(comparison: Comparison) -> Iterator[Section]:
    """Yield the sections that have rows."""
    others = [change for change in comparison.changes if not change.is_regression]
    explained = [change for change in others if change.kind is not Kind.PASSED]
    passed = [change for change in others if change.kind is Kind.PASSED]
    sections = [
        Section("Regressions", CHANGE_COLUMNS, list(_changes(comparison.regressions))),
        Section("Other changes for the worse, not counted", CHANGE_COLUMNS, list(_changes(explained))),
        Section("Newly passed", ("Before", "Requirements"), list(_passed(passed))),
        Section("Not compared", NOT_COMPARED_COLUMNS, list(_not_compared(comparison.not_compared))),
        Section("Judged by neither report", ("Now", "Requirements"), list(_not_judged(comparison))),
        Section("Trials of cases", ("Requirement", "Trials before and now"), list(_cases(comparison.cases))),
        _cost(comparison),
        Section("Settings that differ", ("Setting", "Before", "Now"), list(_settings(comparison))),
    ]
    return (section for section in sections if section.rows)


def _changes(changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    """Yield a row per requirement; those that one reason leaves open are one row."""
    groups: dict[tuple[object, ...], list[list[Change]]] = {}
    for cases in by_requirement(changes):
        first = cases[0]
        own = None if first.kind is Kind.NOT_JUDGED else first.id
        groups.setdefault((first.kind, first.level, first.old, first.new, first.why, own), []).append(cases)
    for group in groups.values():
        first, ids = group[0][0], [cases[0] for cases in group]
        names = [change.case for change in group[0] if change.case]
        words = f"{pluralize(len(names), 'case')} no longer ran: {', '.join(names)}" if names else str(first.kind)
        outcomes = (
            f"{first.old}, now {first.new or 'missing'}" if first.old is not first.new else f"{first.old} in both"
        )
        why = one_line("; ".join(dict.fromkeys(change.why for change in group[0] if change.why)), MAX_WHY_CHARS)
        statement = first.statement if len(ids) == 1 else pluralize(len(ids), "requirement")
        yield f"{compact_ids(ids)} ({first.level})", words, outcomes, why, statement


def _passed(changes: list[Change]) -> Iterator[tuple[str, ...]]:
    for before in dict.fromkeys(change.old for change in changes):
        yield str(before), compact_ids(change for change in changes if change.old is before)


def _not_compared(rows: Iterable[NotCompared]) -> Iterator[tuple[str, ...]]:
    groups: dict[tuple[str, str, str], list[NotCompared]] = {}
    for row in rows:
        groups.setdefault((f"{row.side} report", row.outcome, row.why), []).append(row)
    return ((*key, compact_ids(group)) for key, group in groups.items())


def _not_judged(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    rows = [comparison.new.requirements[name] for name in comparison.not_judged]
    for outcome in dict.fromkeys(row.outcome for row in rows):
        yield str(outcome), compact_ids(row for row in rows if row.outcome is outcome)


def _cases(counts: Iterable[CaseCount]) -> Iterator[tuple[str, ...]]:
    by_id: dict[str, list[str]] = {}
    for each in counts:
        old, new = ("no such case" if n is None else f"{n:,}" for n in (each.old, each.new))
        by_id.setdefault(each.id, []).append(f"{each.case} {old} -> {new}")
    return ((name, ", ".join(words)) for name, words in by_id.items())


def _cost(comparison: Comparison) -> Section:
    """Return requests, purges and time of both runs, and the scenarios that differ by more than chance."""
    old, new = comparison.old, comparison.new
    rows = [_count("requests", old.requests, new.requests), _count("purges", old.purges, new.purges)]
    rows.append(("time", *(_seconds(n) for n in (old.seconds, new.seconds)), _difference(old.seconds, new.seconds)))
    names = _scenarios(comparison)
    shown = [name for name in names if _has_changed(old.timings.get(name), new.timings.get(name))]
    rows += [_scenario(name, old.timings.get(name), new.timings.get(name)) for name in shown]
    others = pluralize(len(names) - len(shown), "other scenario")
    rest = f"{others}: as many requests, and less than {MIN_SECONDS} s or 25 % apart. --format json lists each."
    return Section("Cost", ("What", "Before", "Now", "Difference"), rows, rest if len(names) > len(shown) else "")


def _scenarios(comparison: Comparison) -> list[str]:
    return list(dict.fromkeys([*comparison.old.timings, *comparison.new.timings]))


def _has_changed(old: Timing | None, new: Timing | None) -> bool:
    if old is None or new is None or old[1] != new[1]:
        return True
    shorter, longer = sorted((old[0], new[0]))
    return longer - shorter >= MIN_SECONDS and longer >= MIN_RATIO * shorter


def _scenario(name: str, old: Timing | None, new: Timing | None) -> tuple[str, ...]:
    sides = (f"{pluralize(each[1], 'request')}, {each[0]:,.1f} s" if each else "did not run" for each in (old, new))
    more = new[1] - old[1] if old and new else 0
    noun = "request" if abs(more) == 1 else "requests"
    both = f"{_signed(more)} {noun}, {new[0] - old[0]:+,.1f} s" if old and new else ""
    return f"scenario {name}", *sides, both


def _count(name: str, old: int | None, new: int | None) -> tuple[str, ...]:
    sides = ("unknown" if each is None else f"{each:,}" for each in (old, new))
    return name, *sides, "" if old is None or new is None else _signed(new - old)


def _seconds(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{seconds:,.1f} s"


def _difference(old: float | None, new: float | None) -> str:
    return "" if old is None or new is None else f"{new - old:+,.1f} s"


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _settings(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    for name, values in comparison.settings.items():
        yield one_line(name, MAX_SETTING_CHARS), *(_setting(value) for value in values)


def _setting(value: object) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return one_line("none" if value in (None, []) else words, MAX_SETTING_CHARS)


def _lines(section: Section) -> Iterator[str]:
    """Yield the rows for a terminal: a change on two lines, otherwise as a table."""
    if section.columns == CHANGE_COLUMNS:
        for name, words, outcomes, why, statement in section.rows:
            yield f"  {name}, {words}: {statement}"
            yield f"    {outcomes}{f': {why}' if why else ''}"
        return
    widths = [max(map(len, column)) for column in zip(*section.rows, strict=True)]
    for row in section.rows:
        yield "  " + "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
