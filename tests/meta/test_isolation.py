"""No judgment hangs on another, on their order, or on what the target was used for before."""

from __future__ import annotations

import importlib
import inspect
import random
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.analysis.assertions import JudgmentView, require_usable_target
from purge_conformance.client.client import Client
from purge_conformance.client.guard import Guard
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import pytest_process as judge
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.verdicts import RunBuilder
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Evidence, read
from purge_conformance.report.model import Outcome
from purge_conformance.scenarios.generated import schemathesis as contract
from purge_conformance.selfcheck.mutants import FAULTLESS, select_servers
from purge_conformance.selfcheck.trials import EXAMPLES, Plan, Trial, open_collector
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.report.model import Result

    Collect = Callable[[str, str], Evidence]

REQUIREMENTS = {requirement.id: requirement for requirement in catalogue.requirements()}
# Each fails in another place, and what is judged beside it asks about that: the purge, seeds, what follows, haste.
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


def judged(evidence: Evidence, names: Iterable[str]) -> dict[str, Result]:
    """Return what these judgments come to, one after the other, on the same evidence."""
    judging = RunBuilder(evidence, REQUIREMENTS)
    for name in names:
        seen, error = JudgmentView(evidence), None
        try:
            require_usable_target(evidence)
            JUDGMENTS[name](seen)
        except Exception as caught:  # noqa: BLE001 -- every end of a judgment means something
            error = caught
        judging.record(name, error, seen.read_exchanges, 0.0, seen.tally)
    return judging.results


def anew(evidence: Evidence) -> Evidence:
    """Return the same evidence as nobody has looked at it yet."""
    return Evidence(evidence.header, evidence.exchanges, evidence.notes)


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[str, Mapping[str, str]]]:
    """A server that is faultless, and under a prefix each has one of the faults: URL, and role -> token."""
    with embedded.server([word for name in FAULTS for word in ("--mount", name)]) as found:
        yield found


@pytest.fixture(scope="module")
def collect(target: tuple[str, Mapping[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collect]:
    """Run against a subject of the selfcheck, under a name, and return what was seen; once for each name."""
    (url, tokens), folder = target, tmp_path_factory.mktemp("runs")
    by_name = {subject.name: subject for subject in select_servers((FAULTLESS, *FAULTS))}
    cases = contract.generate(seed=1, examples=EXAMPLES)
    with open_collector(Plan(folder, seed=1, jobs=1, server_processes=1), cases) as run:

        def collected(name: str, subject: str = FAULTLESS) -> Evidence:
            if not (folder / name).exists():
                place = url if subject == FAULTLESS else f"{url}/{subject}"
                run(Trial((replace(by_name[subject], name=name),), place, tokens))
            return read(folder / name)

        yield collected


@pytest.mark.parametrize("subject", [FAULTLESS, *FAULTS])
def test_order_does_not_matter(subject: str, collect: Collect) -> None:
    """Every judgment comes to the same alone, after all others, and in any order; to the last word and exchange."""
    evidence, names = collect(subject, subject), list(JUDGMENTS)
    expected = judged(anew(evidence), names)
    for order in ORDERS.values():
        assert judged(anew(evidence), order(names)) == expected
    assert {name: judged(anew(evidence), [name])[name] for name in names} == expected
    assert {name for name, found in expected.items() if found.outcome is Outcome.FAILED} == _must_fail(subject)


def _must_fail(subject: str) -> set[str]:
    return {name for each in select_servers([subject]) for name in each.fails}


@pytest.mark.parametrize("name", ["MODEL-01", "SEED-01", "PARALLEL-01"])
def test_select_changes_nothing(name: str, collect: Collect, tmp_path: Path) -> None:
    """A requirement that is selected alone is judged as in the whole run, though it asks how others fared."""
    evidence = collect(FAULTS[2], FAULTS[2])
    with Journal(tmp_path / "run", evidence.header) as journal:
        for exchange in evidence.exchanges:
            journal.record(exchange)
        for note in evidence.notes:
            journal.note(note.experiment, note.name, note.value)
    run = judge.judge(tmp_path / "run", tmp_path / "out", select=[name])
    found = {result.id: replace(result, seconds=0.0) for result in run.requirements if not result.conditional}
    assert found == judged(anew(evidence), [name])


def test_used_target_is_judged_alike(target: tuple[str, Mapping[str, str]], collect: Collect, tmp_path: Path) -> None:
    """A target is judged alike when it is new, when a run was there before, and when one left its apps there."""

    def outcomes(name: str) -> dict[str, Outcome]:
        return {each: result.outcome for each, result in judged(collect(name, FAULTLESS), JUDGMENTS).items()}

    new = outcomes(FAULTLESS)
    assert outcomes("used") == new
    _left_over(Settings(Target(target[0]), target[1]), tmp_path, collect(FAULTLESS, FAULTLESS))
    assert outcomes("left over") == new


def _left_over(settings: Settings, folder: Path, like: Evidence) -> None:
    """Leave the apps of a run that was killed when it had made them."""
    with Journal(folder / "killed", like.header) as journal:
        SuiteApps(Client(settings, journal, Guard(settings.limits), lambda *_: None)).build()
