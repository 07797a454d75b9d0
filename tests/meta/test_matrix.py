"""The suite is tested by being wrong on purpose: each fault breaks exactly its requirements, each variant none.

Every instance is collected from like any target. To be done with some 140 of them in minutes, three things differ from
the command: the generated cases are made once, since they are the same for all; the links are walked once without the
state machine; and the judgments are called without a pytest of their own around them. `-m matrix` runs it;
`purge-conformance selfcheck` does the same as a user's run does it.
"""

from __future__ import annotations

import importlib
import pkgutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue, collect, contract, embedded
from purge_conformance.checks import Seen, usable
from purge_conformance.judging import Judging, wanted
from purge_conformance.model import Level, Profile
from purge_conformance.results import Outcome, Verdict, is_undecided
from purge_conformance.settings import Settings, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from purge_conformance.contract import Case, Send
    from purge_conformance.evidence import Evidence
    from purge_conformance.results import Run

    RunOf = Callable[[str], Run]

FAULTS = {fault.id: fault for fault in catalogue.faults()}
VARIANTS = {variant.id: variant for variant in catalogue.variants()}
ALONE = {variant.id for variant in VARIANTS.values() if variant.own_server}

pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module")
def run_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunOf]:
    """Make a full run against an instance, by its name; one server mounts all that the selected tests ask for."""
    names = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined] # only parametrized tests
    cases = contract.generate(seed=1, examples=10)
    folder = tmp_path_factory.mktemp("matrix")
    mounts = [word for name in names for word in ("--mount", name)]
    with pytest.MonkeyPatch.context() as patch, embedded.server(mounts) as (url, tokens):
        patch.setattr(contract, "generation", generation_of(cases))
        patch.setattr(contract, "links", links_of(cases))

        def make(name: str) -> Run:
            return run_alone(name, folder) if name in ALONE else run(name, f"{url}/{name}", tokens, folder)

        yield make


def run(name: str, url: str, tokens: Mapping[str, str], folder: Path) -> Run:
    """Collect from one instance, and judge what was collected."""
    settings = Settings(Target(url), tokens, profiles=tuple(Profile))
    return judged(collect.collect(settings, folder / name, lambda *_: None))


def run_alone(name: str, folder: Path) -> Run:
    """Do the same with a server of its own."""
    with embedded.server(["--variant", name]) as (url, tokens):
        return run(name, url, tokens, folder)


def judged(evidence: Evidence) -> Run:
    """Call every judgment."""
    judging = Judging(evidence, wanted(evidence, (), ()))
    for name, judgment in JUDGMENTS.items():
        seen = Seen(evidence)
        try:
            usable(evidence)
            judgment(seen)
        except Exception as error:  # noqa: BLE001 -- what it means is Judging's matter
            judging.add(name, error, seen.looked_at, 0)
        else:
            judging.add(name, None, seen.looked_at, 0)
    return judging.run()


def judgments() -> Iterator[tuple[str, Callable[[Seen], None]]]:
    """Yield each requirement's id with its judgment."""
    conformance = importlib.import_module("purge_conformance.conformance")
    for module in pkgutil.iter_modules(conformance.__path__, f"{conformance.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            for mark in getattr(thing, "pytestmark", ()):
                yield mark.args[0], thing


JUDGMENTS = dict(judgments())


def generation_of(cases: tuple[Case, ...]) -> Callable[..., object]:
    """Replace the generation of cases by its result."""

    @contextmanager
    def generation(**_: int) -> Iterator[Callable[[], tuple[Case, ...]]]:
        yield lambda: cases

    return generation


def links_of(cases: tuple[Case, ...]) -> Callable[..., object]:
    """Replace the state machine, a process of its own, by one walk along the links: purge, list, get."""
    steps = [next(case for case in cases if case.operation_id == operation) for operation in contract.MOST]

    def walk(send: Send, _: int) -> None:
        for case in steps:
            send(case)

    @contextmanager
    def links(**_: int) -> Iterator[Callable[[Send, int], None]]:
        yield walk

    return links


@pytest.mark.parametrize("name", FAULTS)
def test_fault_breaks_its_requirements(run_of: RunOf, name: str) -> None:
    """A fault breaks the requirements that faults.yaml names for it, all of them and no others."""
    found = run_of(name)
    assert {r.id for r in found.requirements if r.outcome is Outcome.FAILED} == set(FAULTS[name].requirements)
    musts = [r for r in found.requirements if r.outcome is Outcome.FAILED and r.level is Level.MUST]
    assert found.verdict is (Verdict.NON_CONFORMANT if musts else Verdict.CONFORMANT)


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_conforms(run_of: RunOf, name: str) -> None:
    """A variant fails nothing of its profiles but the SHOULDs that it departs from, and leaves nothing else open."""
    variant = VARIANTS[name]
    found = [r for r in run_of(name).requirements if r.profile in variant.profiles]
    assert {r.id for r in found if r.outcome is Outcome.FAILED} == set(variant.departs_from)
    assert {r.id for r in found if is_undecided(r)} == set(variant.not_judged)
