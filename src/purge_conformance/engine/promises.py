"""What the user promises about a run with `--known-failures` and `--baseline`.

Both files are read before the first request, and checked once the run is judged.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from purge_conformance.config import known_failures, yaml_lines
from purge_conformance.errors import BadSetting
from purge_conformance.report.compare import Kind, by_requirement, compare
from purge_conformance.report.facts import facts_of, parse_bytes, read_bytes
from purge_conformance.report.gate import Breach, BreachKind, Gate
from purge_conformance.report.known_failures import KnownFailures

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from purge_conformance.config.loader import Options
    from purge_conformance.report.compare import Change
    from purge_conformance.report.facts import ReportFacts
    from purge_conformance.report.model import Run

# Options of pytest for the process that judges a run of the command: the names of the files that it has copies of.
BASELINE_NAME = "--conformance-baseline-name"
KNOWN_FAILURES_NAME = "--conformance-known-failures-name"


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier report; the user promises that a run is no worse.

    Attributes:
        name: as the user named it.
        data: the file, which may be replaced before the run is judged.
        facts: what it says.
    """

    name: str
    data: bytes
    facts: ReportFacts

    def check(self, run: Run) -> Gate:
        """Return the regressions of a run."""
        regressions = compare(self.facts, facts_of(run, "this run")).regressions
        groups = by_requirement(regressions)
        breaches = tuple(Breach(BreachKind.REGRESSION, each[0].id, _sentence(each, self.name)) for each in groups)
        return Gate(breaches=breaches, baseline=self.name)


@dataclass(frozen=True, slots=True)
class Promises:
    """All that the user promises about a run.

    Attributes:
        baseline: the report that it is compared with; None: none was named.
        known: the known failures; None: no file was named.
    """

    baseline: Baseline | None = None
    known: KnownFailures | None = None

    @property
    def checks(self) -> tuple[Callable[[Run], Gate], ...]:
        """What returns the gate of each promise, except that of the known failures."""
        return (self.baseline.check,) if self.baseline else ()


NO_PROMISES = Promises()


def read_promises(
    values: Options, expected: Collection[str], name: str | None = None, known_name: str | None = None
) -> Promises:
    """Read what the user promises about a run.

    Args:
        values: option name -> value.
        expected: ids of the requirements that the run judges.
        name: how the user named the baseline, where a copy of it is read.
        known_name: how the user named the file of known failures, where a copy of it is read.

    Raises:
        BadData: the baseline cannot be read.
        BadSetting: it judged none of these requirements, so that it promises nothing; or the file of known failures is
            not usable.
    """
    return Promises(_read_baseline(values, expected, name), _read_known_failures(values, known_name))


def _read_known_failures(values: Options, name: str | None) -> KnownFailures | None:
    place = values.get("known_failures")
    if place is None:
        return None
    document = yaml_lines.load(Path(place), known_failures.FLAG, name)
    return KnownFailures(name or place, known_failures.entries_of(document), document.text)


def _read_baseline(values: Options, expected: Collection[str], name: str | None) -> Baseline | None:
    place = values.get("baseline")
    if place is None:
        return None
    data = read_bytes(Path(place))
    baseline = Baseline(name or place, data, parse_bytes(data, f"--baseline {name or place}"))
    if not any(row.is_judged and row.id in expected for row in baseline.facts.requirements.values()):
        raise BadSetting(
            f"--baseline {baseline.name} judged none of the requirements of this run, so that nothing can be compared. "
            "Give the report of a run with the same profile and selection, or omit --baseline."
        )
    return baseline


@contextmanager
def as_pytest_options(promises: Promises) -> Iterator[list[str]]:
    """Give the options of pytest for another process, which reads copies of the files as they were."""
    baseline, known, options = promises.baseline, promises.known, list[str]()
    with TemporaryDirectory(prefix="purge-conformance-") as folder:
        if baseline:
            path = Path(folder, "baseline.json")
            path.write_bytes(baseline.data)
            options += [f"--conformance-baseline={path}", f"{BASELINE_NAME}={baseline.name}"]
        if known:
            path = Path(folder, "known-failures.yaml")
            path.write_text(known.text, encoding="utf-8")
            options += [f"--conformance-known-failures={path}", f"{KNOWN_FAILURES_NAME}={known.path}"]
        yield options


def _sentence(changes: Sequence[Change], baseline: str) -> str:
    """Return a regression of one requirement, or its cases that no longer ran, with the next step."""
    first = changes[0]
    reasons = list(dict.fromkeys(change.why.rstrip(".") for change in changes if change.why))
    why = f": {'; '.join(reasons)}" if reasons else ""
    if cases := [change.case for change in changes if change.case]:
        noun, verb = ("Case", "was") if len(cases) == 1 else ("Cases", "were")
        what = f"{noun} {', '.join(cases)} of {first.id} {verb} tried in {baseline} and no longer ran"
    else:
        now = "fails now" if first.kind is Kind.FAILED else f"is {first.new or 'missing'} now"
        what = f"{first.id} {first.old} in {baseline} and {now}"
    return f"{what}{why}. Fix it, or give a newer report with --baseline."
