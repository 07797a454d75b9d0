"""Runs the suite against all subjects at once: many targets, each collected from and judged as a run does."""

from __future__ import annotations

import json
import shutil
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import DOCUMENTED
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target
from purge_conformance.engine import pytest_process as judge
from purge_conformance.engine import reference_process as embedded
from purge_conformance.engine.collect import collect
from purge_conformance.report import json as as_json
from purge_conformance.report.model import from_dict
from purge_conformance.scenarios.generated import schemathesis as contract
from purge_conformance.selfcheck import workers as crew
from purge_conformance.selfcheck.grouping import alone
from purge_conformance.selfcheck.matrix import Row, rows_of
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.scenarios.generated.schemathesis import Case, Generator
    from purge_conformance.selfcheck.grouping import Company
    from purge_conformance.selfcheck.mutants import Subject

EXAMPLES = 10  # as a run has them
BATCH = 16  # runs that one pytest judges
JUDGES = 2  # pytests at once


@dataclass(frozen=True, slots=True)
class Plan:
    """How the check is done.

    Attributes:
        folder: where each run gets a folder, named after its subjects.
        seed: of the generated cases.
        jobs: how many targets are collected from at once; most of the time each waits.
        servers: how many processes serve them.
        judgments: a room other than the suite's own, or None.
    """

    folder: Path
    seed: int
    jobs: int
    servers: int
    judgments: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Those that are tried together, and where they are served: at a URL with these tokens, or nowhere yet."""

    company: Company
    url: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What the server is called, and the folder of the run."""
        return "+".join(subject.name for subject in self.company)


def rows(companies: Sequence[Company], plan: Plan) -> Iterator[Row]:
    """Yield what became of each subject, as they get done; of those that cannot be told apart once each was alone."""
    unclear: list[Subject] = []
    for found in _tried(companies, plan):
        if len(found) > 1 and any(any(row.problems()) for row in found):
            unclear += [row.subject for row in found]
        else:
            yield from found
    if unclear:
        yield from rows(alone(unclear), plan)


def _tried(companies: Sequence[Company], plan: Plan) -> Iterator[list[Row]]:
    """Yield what became of each company, as they get done.

    The generated cases are made once, since they are the same for all; all else is done as a run does it.
    """
    judged: deque[Future[list[list[Row]]]] = deque()
    batch: list[tuple[Trial, float]] = []
    with (
        contract.generation(seed=plan.seed, examples=EXAMPLES) as generated,
        _served(companies, plan) as trials,
        ThreadPoolExecutor(JUDGES) as judges,
        closing(crew.each(partial(collecting, plan, generated()), trials, plan.jobs)) as collected,
    ):
        for trial, seconds in collected:
            if isinstance(seconds, crew.Lost):
                yield [Row(subject, trouble=seconds.reason) for subject in trial.company]
            else:
                batch.append((trial, seconds))
            if len(batch) == BATCH:
                judged.append(judges.submit(_judged, batch, plan))
                batch = []
            while judged and judged[0].done():
                yield from judged.popleft().result()
        judged.append(judges.submit(_judged, batch, plan))
        for done in judged:
            yield from done.result()


@contextmanager
def _served(companies: Sequence[Company], plan: Plan) -> Iterator[list[Trial]]:
    """Serve the companies, each process a share of them under path prefixes; yield where, in the same order."""
    shared = [company for company in companies if not company[0].own_server]
    pairs = [shared[number : number + 2] for number in range(0, len(shared), 2)]  # what conforms and what does not
    shares = [list(chain(*own)) for number in range(plan.servers) if (own := pairs[number :: plan.servers])]
    trials: dict[Company, Trial] = {}
    with ExitStack() as stack:
        with ThreadPoolExecutor(plan.servers) as starters:  # each mount takes its while
            ready = list(starters.map(stack.enter_context, map(_server, shares)))
        for share, (url, tokens) in zip(shares, ready, strict=True):
            for company in share:
                place = "" if company[0].kind is Kind.FAULTLESS else f"/{Trial(company).name}"
                trials[company] = Trial(company, url + place, tokens)
        yield [trials.get(company, Trial(company)) for company in companies]


def _server(share: Sequence[Company]) -> AbstractContextManager[tuple[str, dict[str, str]]]:
    names = [Trial(company).name for company in share if company[0].kind is not Kind.FAULTLESS]
    return embedded.server([word for name in names for word in ("--mount", name)])


@contextmanager
def collecting(plan: Plan, cases: tuple[Case, ...]) -> Iterator[Callable[[Trial], float]]:
    """Yield what collects from one trial after another and returns the seconds; the links have one child for all."""
    with contract.links(seed=plan.seed) as walk:
        yield partial(_collected, plan, contract.Generator(lambda: cases, walk))


def _collected(plan: Plan, generator: Generator, trial: Trial) -> float:
    if trial.url is not None:
        return _collect(plan, generator, trial.name, trial.url, trial.tokens)
    with embedded.server([word for s in trial.company for word in (f"--{s.kind}", s.name)]) as (url, tokens):
        return _collect(plan, generator, trial.name, url, tokens)


def _collect(plan: Plan, generator: Generator, name: str, url: str, tokens: Mapping[str, str]) -> float:
    settings = Settings(
        Target(url),
        tokens,
        profiles=DOCUMENTED,
        examples=EXAMPLES,
        seed=plan.seed,
        hook=parse_hook(embedded.hook(url)),
    )
    begun = time.perf_counter()
    collect(settings, plan.folder / name, _silent, generator)
    return time.perf_counter() - begun


def _silent(_: Client, __: Exchange) -> None:
    """Show no progress of one run among many."""


def _judged(batch: Sequence[tuple[Trial, float]], plan: Plan) -> list[list[Row]]:
    """Judge a batch of runs by one pytest, as `run` judges one; forget those that are as they must be."""
    names = [trial.name for trial, _ in batch]
    said = judge.judge_all(names, plan.folder, plan.judgments) if names else ""
    found = []
    for trial, seconds in batch:
        folder = plan.folder / trial.name
        found.append(_rows(trial.company, folder, seconds, said))
        if len(trial.company) > 1 or not any(found[-1][0].problems()):
            shutil.rmtree(folder)
    return found


def _rows(company: Company, folder: Path, seconds: float, said: str) -> list[Row]:
    path = folder / as_json.FILE_NAME
    if not path.exists():
        return [Row(subject, trouble=f"the judgments came to no end: {said}") for subject in company]
    # Just written by our own pytest: validating each against the schema would take a quarter of judging it.
    return rows_of(company, from_dict(json.loads(path.read_text(encoding="utf-8"))), seconds)
