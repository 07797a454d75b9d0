"""No judgment depends on another, on their order, or on earlier use of the target."""

from __future__ import annotations

import importlib
import inspect
import random
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from meta.support.selection import differences
from purge_conformance import catalogue
from purge_conformance.analysis.assertions import require_usable_target
from purge_conformance.analysis.view import JudgmentView
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import pytest_process, reference_process
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.jsonl import read
from purge_conformance.report.model import Outcome
from purge_conformance.scenarios.generated import schemathesis
from purge_conformance.selfcheck.mutants import FAULTLESS, select_servers
from purge_conformance.selfcheck.trials import EXAMPLES, Plan, Trial, open_collector
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.evidence.records import Evidence
    from purge_conformance.report.model import Result

    Collect = Callable[[str, str], Evidence]

REQUIREMENTS = {requirement.id: requirement for requirement in catalogue.requirements()}
# Each fails at another place, on which other judgments depend: the purge, seeds, later purges, concurrency.
FAULTS = (
    "keeps-oldest-event",
    "deleted-app-seeded",
    "seeds-as-at-first-purge",
    "parallel-purges-seed-stopped-apps",
)
ORDERS: dict[str, Callable[[list[str]], list[str]]] = {
    "reversed": lambda names: names[::-1],
    "shuffled": lambda names: random.Random(1).sample(names, len(names)),  # noqa: S311 -- an order, not a secret
    "shuffled otherwise": lambda names: random.Random(2).sample(names, len(names)),  # noqa: S311 -- as above
}


def _judgments() -> dict[str, Callable[[JudgmentView], None]]:
    rooms = sorted(each.name for each in files("purge_conformance.conformance").iterdir())
    names = [name.removesuffix(".py") for name in rooms if name.startswith("test_") and name.endswith(".py")]
    modules = [importlib.import_module(f"purge_conformance.conformance.{name}") for name in names]
    functions = [f for module in modules for _, f in inspect.getmembers(module, inspect.isfunction)]
    return {mark.args[0]: f for f in functions for mark in getattr(f, "pytestmark", ()) if mark.name == "requirement"}


JUDGMENTS = _judgments()


def judge_in_order(evidence: Evidence, names: Iterable[str]) -> dict[str, Result]:
    """Return the results of these judgments, in this order, on the same evidence."""
    judging = RunBuilder(evidence, REQUIREMENTS)
    for name in names:
        view, error = JudgmentView(evidence), None
        try:
            require_usable_target(evidence)
            JUDGMENTS[name](view)
        except Exception as caught:  # noqa: BLE001 -- every end of a judgment means something
            error = caught
        judging.record(name, error, view, 0.0)
    return judging.results


def fresh_copy(evidence: Evidence) -> Evidence:
    """Return a copy of the evidence without cached queries."""
    return replace(evidence)


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A server without a fault, with one mount per fault: URL, and role -> token."""
    with reference_process.server([word for name in FAULTS for word in ("--mount", name)]) as found:
        yield found


@pytest.fixture(scope="module")
def collect(target: tuple[str, Mapping[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """Return a function that runs a mutant under a name, once per name, and returns the evidence."""
    (url, tokens), folder = target, tmp_path_factory.mktemp("runs")
    by_name = {subject.name: subject for subject in select_servers((FAULTLESS, *FAULTS))}
    cases = schemathesis.generate(seed=1, examples=EXAMPLES)
    with open_collector(Plan(folder, seed=1, jobs=1, server_processes=1), cases) as run:

        def collected(name: str, subject: str = FAULTLESS) -> Evidence:
            if not (folder / name).exists():
                place = url if subject == FAULTLESS else f"{url}/{subject}"
                run(Trial((replace(by_name[subject], name=name),), place, tokens))
            return read(folder / name)

        yield collected


@pytest.mark.parametrize("subject", [FAULTLESS, *FAULTS])
def test_judgment_order_is_irrelevant(subject: str, collect: Collect) -> None:
    """Every judgment has the same result alone, after all others, and in any order."""
    evidence, names = collect(subject, subject), list(JUDGMENTS)
    expected = judge_in_order(fresh_copy(evidence), names)
    for order in ORDERS.values():
        assert judge_in_order(fresh_copy(evidence), order(names)) == expected
    assert {name: judge_in_order(fresh_copy(evidence), [name])[name] for name in names} == expected
    assert {name for name, found in expected.items() if found.outcome is Outcome.FAILED} == expected_failures(subject)


@pytest.mark.parametrize("subject", FAULTS)
def test_needed_scenarios_are_enough(subject: str, collect: Collect) -> None:
    """On a server with a fault, too, each requirement has its outcome by the scenarios that it needs."""
    assert differences(collect(subject, subject)) == {}


def expected_failures(subject: str) -> set[str]:
    """Return the requirements that a mutant must fail."""
    return {name for each in select_servers([subject]) for name in each.fails}


@pytest.mark.parametrize("name", ["MODEL-01", "SEED-01", "PARALLEL-01"])
def test_selection_keeps_outcome(name: str, collect: Collect, tmp_path: Path) -> None:
    """A selected requirement has the same result as in the complete run, although it depends on others."""
    evidence = collect(FAULTS[2], FAULTS[2])
    with Journal(tmp_path / "run", evidence.header) as journal:
        for exchange in evidence.exchanges:
            journal.record(exchange)
        for records in (evidence.notes, evidence.list_ends, evidence.all_spans):
            for record in records:
                journal.add(record)
    run = pytest_process.judge(tmp_path / "run", tmp_path / "out", select=[name])
    (result,) = run.requirements
    found = replace(result, seconds=0.0, requirement=REQUIREMENTS[result.id])  # report.json has not all of its members
    expected = judge_in_order(fresh_copy(evidence), [name])[name]
    assert found == replace(expected, next_step=found.next_step)  # it names the failed requirements of the whole run


def test_used_target_has_same_outcomes(target: tuple[str, Mapping[str, str]], collect: Collect, tmp_path: Path) -> None:
    """A target has the same outcomes when it is new, after a run, and with the apps of a killed run."""

    def outcomes(name: str) -> dict[str, Outcome]:
        return {each: result.outcome for each, result in judge_in_order(collect(name, FAULTLESS), JUDGMENTS).items()}

    new = outcomes(FAULTLESS)
    assert outcomes("used") == new
    leave_apps(Settings(Target(target[0]), target[1]), tmp_path, collect(FAULTLESS, FAULTLESS))
    assert outcomes("left over") == new


def leave_apps(settings: Settings, folder: Path, like: Evidence) -> None:
    """Leave the apps of a run that was killed after it created them."""
    with Journal(folder / "killed", like.header) as journal:
        SuiteApps(Client(settings, journal, Guard(settings.limits), lambda *_: None)).build()
