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
from purge_conformance.selfcheck.grouping import one_per_group
from purge_conformance.selfcheck.matrix import Row, rows_from_run
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.scenarios.generated.schemathesis import Case, Generator
    from purge_conformance.selfcheck.grouping import ServerGroup
    from purge_conformance.selfcheck.mutants import Server

EXAMPLES = 10  # as a run has them
RUNS_PER_PYTEST = 16  # runs that one pytest judges
PYTEST_PROCESSES = 2  # pytests at once


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
    server_processes: int
    judgments: Path | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Those that are tried together, and where they are served: at a URL with these tokens, or nowhere yet."""

    group: ServerGroup
    url: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What the server is called, and the folder of the run."""
        return "+".join(server.name for server in self.group)


def run_groups(groups: Sequence[ServerGroup], plan: Plan) -> Iterator[Row]:
    """Yield what became of each subject, as they get done; of those that cannot be told apart once each was alone."""
    ambiguous: list[Server] = []
    for group_rows in _run_once(groups, plan):
        if len(group_rows) > 1 and any(any(row.problems()) for row in group_rows):
            ambiguous += [row.server for row in group_rows]
        else:
            yield from group_rows
    if ambiguous:
        yield from run_groups(one_per_group(ambiguous), plan)


def _run_once(groups: Sequence[ServerGroup], plan: Plan) -> Iterator[list[Row]]:
    """Yield what became of each company, as they get done.

    The generated cases are made once, since they are the same for all; all else is done as a run does it.
    """
    judgments: deque[Future[list[list[Row]]]] = deque()
    batch: list[tuple[Trial, float]] = []
    with (
        contract.generation(seed=plan.seed, examples=EXAMPLES) as generate_cases,
        _serve_groups(groups, plan) as trials,
        ThreadPoolExecutor(PYTEST_PROCESSES) as judges,
        closing(crew.map_unordered(partial(open_collector, plan, generate_cases()), trials, plan.jobs)) as results,
    ):
        for trial, seconds in results:
            if isinstance(seconds, crew.WorkerFailed):
                yield [Row(server, error=seconds.reason) for server in trial.group]
            else:
                batch.append((trial, seconds))
            if len(batch) == RUNS_PER_PYTEST:
                judgments.append(judges.submit(_judge_batch, batch, plan))
                batch = []
            while judgments and judgments[0].done():
                yield from judgments.popleft().result()
        judgments.append(judges.submit(_judge_batch, batch, plan))
        for judgment in judgments:
            yield from judgment.result()


@contextmanager
def _serve_groups(groups: Sequence[ServerGroup], plan: Plan) -> Iterator[list[Trial]]:
    """Serve the companies, each process a share of them under path prefixes; yield where, in the same order."""
    mountable = [company for company in groups if not company[0].own_server]
    pairs = [
        mountable[number : number + 2] for number in range(0, len(mountable), 2)
    ]  # what conforms and what does not
    shares = [
        list(chain(*assigned_pairs))
        for number in range(plan.server_processes)
        if (assigned_pairs := pairs[number :: plan.server_processes])
    ]
    trials: dict[ServerGroup, Trial] = {}
    with ExitStack() as stack:
        with ThreadPoolExecutor(plan.server_processes) as pool:  # each mount takes its while
            endpoints = list(pool.map(stack.enter_context, map(_start_server, shares)))
        for share, (url, tokens) in zip(shares, endpoints, strict=True):
            for group in share:
                path_prefix = "" if group[0].kind is Kind.FAULTLESS else f"/{Trial(group).name}"
                trials[group] = Trial(group, url + path_prefix, tokens)
        yield [trials.get(company, Trial(company)) for company in groups]


def _start_server(share: Sequence[ServerGroup]) -> AbstractContextManager[tuple[str, dict[str, str]]]:
    names = [Trial(group).name for group in share if group[0].kind is not Kind.FAULTLESS]
    return embedded.server([word for name in names for word in ("--mount", name)])


@contextmanager
def open_collector(plan: Plan, cases: tuple[Case, ...]) -> Iterator[Callable[[Trial], float]]:
    """Yield what collects from one trial after another and returns the seconds; the links have one child for all."""
    with contract.links(seed=plan.seed) as walk:
        yield partial(_collect_trial, plan, contract.Generator(lambda: cases, walk))


def _collect_trial(plan: Plan, generator: Generator, trial: Trial) -> float:
    if trial.url is not None:
        return _collect_from(plan, generator, trial.name, trial.url, trial.tokens)
    with embedded.server([word for s in trial.group for word in (f"--{s.kind}", s.name)]) as (url, tokens):
        return _collect_from(plan, generator, trial.name, url, tokens)


def _collect_from(plan: Plan, generator: Generator, name: str, url: str, tokens: Mapping[str, str]) -> float:
    settings = Settings(
        Target(url),
        tokens,
        profiles=DOCUMENTED,
        examples=EXAMPLES,
        seed=plan.seed,
        hook=parse_hook(embedded.hook_url(url)),
    )
    start = time.perf_counter()
    collect(settings, plan.folder / name, _no_progress, generator)
    return time.perf_counter() - start


def _no_progress(_: Client, __: Exchange) -> None:
    """Show no progress of one run among many."""


def _judge_batch(batch: Sequence[tuple[Trial, float]], plan: Plan) -> list[list[Row]]:
    """Judge a batch of runs by one pytest, as `run` judges one; forget those that are as they must be."""
    names = [trial.name for trial, _ in batch]
    pytest_output = judge.judge_all(names, plan.folder, plan.judgments) if names else ""
    results = []
    for trial, seconds in batch:
        folder = plan.folder / trial.name
        results.append(_read_rows(trial.group, folder, seconds, pytest_output))
        if len(trial.group) > 1 or not any(results[-1][0].problems()):
            shutil.rmtree(folder)
    return results


def _read_rows(group: ServerGroup, folder: Path, seconds: float, pytest_output: str) -> list[Row]:
    path = folder / as_json.FILE_NAME
    if not path.exists():
        return [Row(server, error=f"the judgments came to no end: {pytest_output}") for server in group]
    # Just written by our own pytest: validating each against the schema would take a quarter of judging it.
    return rows_from_run(group, from_dict(json.loads(path.read_text(encoding="utf-8"))), seconds)
