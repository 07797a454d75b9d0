"""A file of known failures from the failures of a run, one entry per defect, to be completed by its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from purge_conformance.catalogue.model import Level
from purge_conformance.config.known_failures import ENTRIES, FLAG, EntryKind
from purge_conformance.evidence.safe_text import one_line
from purge_conformance.report.grouping import by_reason, defects_of
from purge_conformance.report.model import Cause, is_undecided
from purge_conformance.report.signature import signature_of, signatures_of
from purge_conformance.report.text import rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from purge_conformance.config.known_failures import Entry
    from purge_conformance.report.model import Finding, Result, Run
    from purge_conformance.report.signature import Signature

WIDTH = 110
SEQUENCE = "tag:yaml.org,2002:seq"
PERMANENT = {Cause.CONFIGURATION, Cause.AUTHENTICATION, Cause.TARGET}  # another run here cannot judge it, either


class _Ids(list[str]):
    """Ids, which the file has in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes plain values, and ids in one line."""


_Dumper.add_representer(_Ids, lambda dumper, ids: dumper.represent_sequence(SEQUENCE, ids, flow_style=True))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the user of a new entry decides.

    Attributes:
        owner: who takes care of it.
        reason: why it is accepted.
        link: where it is tracked, or None.
        expires: the last day on which it is excused.
    """

    owner: str
    reason: str
    link: str | None
    expires: date


def render(run: Run, terms: Terms, known: Iterable[Entry] = (), *, with_advice: bool = False) -> str:
    """Return the file: an entry for each defect that makes the run red, and for what cannot be judged.

    Args:
        run: that was judged.
        terms: of the entries that are new.
        known: the entries of an earlier file, whose terms, rates and cases those about the same requirements get.
        with_advice: whether failed SHOULDs get entries, too.
    """
    known = tuple(known)
    lines = [
        f"# Known failures of {one_line(run.target)}, from the run of {run.started_at[:10]}, for {FLAG}.",
        "# spec/known-failures.schema.json describes each key. Write owner and reason of each entry.",
        f"{ENTRIES}:",
    ]
    entries = [*_failures(run, with_advice=with_advice), *_gaps(run)]
    if not entries:
        return "\n".join([*lines[:-1], f"{ENTRIES}: []", ""])
    for comments, new in entries:
        entry = _with_terms(new, _earlier(new, known), terms)
        text = yaml.dump([entry], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)
        comment = [f"# {_shorten(each)}" for each in comments]
        lines += ["", *(f"  {line}" for line in [*comment, *text.rstrip().split("\n")])]
    return "\n".join([*lines, ""])


def not_entered(run: Run) -> list[Result]:
    """Return what keeps the verdict open and gets no entry, since another run may judge it."""
    gaps = _permanent_gaps(run)
    return [r for r in run.requirements if is_undecided(r) and not r.blocked_by and r not in gaps]


def _permanent_gaps(run: Run) -> list[Result]:
    """Return what another run here cannot judge, either; a run that was cut short does not show that."""
    if run.cut_short:
        return []
    return [r for r in run.requirements if is_undecided(r) and not r.blocked_by and r.cause in PERMANENT]


def _failures(run: Run, *, with_advice: bool) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Yield comments and an entry for each defect."""
    for view in defects_of(run):
        results = [(r, found) for r, found in view.results if with_advice or r.level is Level.MUST]
        if results:
            sent = f"{view.defect.sent}: " if view.defect.sent else ""
            yield [f"{sent}{view.defect.got}", *_advice(results)], _failure(results)


def _failure(results: Iterable[tuple[Result, tuple[Finding, ...]]]) -> dict[str, Any]:
    rows = list(results)
    signatures = dict.fromkeys(signature_of(r.id, finding) for r, found in rows for finding in found)
    entry = {"requirements": _Ids(r.id for r, _ in rows)}
    return entry | {"signature": [_row(each, several=len(rows) > 1) for each in signatures]}


def _advice(results: Iterable[tuple[Result, tuple[Finding, ...]]]) -> list[str]:
    """Return what to write if a failure that occurred in some trials only may be absent from a whole run."""
    flaky = [result for result, _ in results if result.tally.is_flaky]
    return [f"{r.id}: {rate(r)}. If a whole run may pass, write kind: flaky and a rate." for r in flaky]


def _gaps(run: Run) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Yield comments and an entry for each reason why requirements cannot be judged here."""
    for group in by_reason(_permanent_gaps(run)):
        entry: dict[str, Any] = {"requirements": _Ids(r.id for r in group), "kind": str(EntryKind.NOT_JUDGED)}
        yield [group[0].next_step or group[0].reason], entry | {"signature": [{"got": signatures_of(group[0])[0].got}]}


def _earlier(new: dict[str, Any], known: Iterable[Entry]) -> Entry | None:
    """Return the entry of an earlier file that is about the same, by kind and requirements; None if there is none."""
    is_gap = new.get("kind") == EntryKind.NOT_JUDGED
    same_kind = [entry for entry in known if (entry.kind is EntryKind.NOT_JUDGED) == is_gap]
    shared = {n: len({*entry.requirements} & {*new["requirements"]}) for n, entry in enumerate(same_kind)}
    best = max(shared, key=lambda n: shared[n], default=None)
    return same_kind[best] if best is not None and shared[best] else None


def _with_terms(new: dict[str, Any], earlier: Entry | None, terms: Terms) -> dict[str, Any]:
    """Return an entry with what its user decides, before its signature."""
    source = earlier or terms
    link = {"link": source.link} if source.link else {}
    decided: dict[str, Any] = {
        "owner": source.owner,
        "reason": source.reason,
        **link,
        "expires": source.expires.isoformat(),
    }
    if earlier and earlier.rate is not None:
        decided = {"kind": str(earlier.kind), "rate": earlier.rate, **decided}
    if earlier and earlier.case and {each.get("case") for each in new["signature"]} == {earlier.case}:
        decided = {"case": earlier.case, **decided}
    head = {name: value for name, value in new.items() if name != "signature"}
    return head | decided | {"signature": new["signature"]}


def _shorten(text: str) -> str:
    line = one_line(text, 10 * WIDTH)
    return line if len(line) <= WIDTH else f"{line[:WIDTH].rpartition(' ')[0]} …"


def _row(signature: Signature, *, several: bool) -> dict[str, str]:
    row = {"requirement": signature.requirement} if several else {}
    row |= {name: value for name in ("case", "sent") if (value := getattr(signature, name))}
    return row | {"expected": signature.expected, "got": signature.got}
