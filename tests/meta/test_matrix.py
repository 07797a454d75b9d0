"""The suite is tested by being wrong on purpose: each fault breaks exactly its requirements, each variant none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue, collect, contract, embedded
from purge_conformance.judge import judge
from purge_conformance.model import Profile
from purge_conformance.results import Outcome, Verdict, is_undecided
from purge_conformance.settings import Settings, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from purge_conformance.results import Run

    Runs = dict[str, Future[Run]]

FAULTS = {fault.id: fault for fault in catalogue.faults()}
VARIANTS = {variant.id: variant for variant in catalogue.variants()}
OWN_TOKENS = {"opaque-tokens"}  # a server under a prefix has the tokens of the one at the root
WORKERS = 4


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Full runs against one server that mounts every instance which the selected tests ask for."""
    names = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined] # only parametrized tests
    cases = contract.generate(seed=1, examples=10)
    folder = tmp_path_factory.mktemp("matrix")
    mounts = [word for name in names for word in ("--mount", name)]
    with (
        pytest.MonkeyPatch.context() as patch,
        embedded.server(mounts) as (url, tokens),
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        patch.setattr(contract, "generation", _ready(cases))

        def run(name: str, target: str, tokens: Mapping[str, str]) -> Run:
            settings = Settings(Target(target), tokens, profiles=tuple(Profile))
            collect.collect(settings, folder / name, lambda *_: None)
            return judge(folder / name, folder / name)

        def run_alone(name: str) -> Run:
            with embedded.server(["--variant", name]) as (own_url, own_tokens):
                return run(name, own_url, own_tokens)

        yield {
            name: pool.submit(run_alone, name)
            if name in OWN_TOKENS
            else pool.submit(run, name, f"{url}/{name}", tokens)
            for name in names
        }
        pool.shutdown(cancel_futures=True)


def _ready(cases: tuple[contract.Case, ...]) -> Callable[..., object]:
    """Replace the generation of cases, which is the same for every instance, by its result."""

    @contextmanager
    def generation(**_: int) -> Iterator[Callable[[], tuple[contract.Case, ...]]]:
        yield lambda: cases

    return generation


@pytest.mark.parametrize("name", FAULTS)
def test_fault_breaks_its_requirements(runs: Runs, name: str) -> None:
    """A fault breaks the requirements that faults.yaml names for it, all of them and no others."""
    run = runs[name].result()
    assert {r.id for r in run.requirements if r.outcome is Outcome.FAILED} == set(FAULTS[name].requirements)
    assert run.verdict is Verdict.NON_CONFORMANT


@pytest.mark.parametrize("name", VARIANTS)
def test_variant_conforms(runs: Runs, name: str) -> None:
    """A variant fails nothing of its profiles but the SHOULDs that it departs from, and leaves nothing else open."""
    variant = VARIANTS[name]
    judged = [r for r in runs[name].result().requirements if r.profile in variant.profiles]
    assert {r.id for r in judged if r.outcome is Outcome.FAILED} == set(variant.departs_from)
    assert {r.id for r in judged if is_undecided(r)} == set(variant.not_judged)
