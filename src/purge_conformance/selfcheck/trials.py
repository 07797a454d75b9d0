"""Runs the suite against many servers at the same time; each is collected from and judged as in a normal run."""

from __future__ import annotations

import json
import shutil
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from purge_conformance.catalogue.model import DOCUMENTED
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Settings, Target, limits_for
from purge_conformance.engine import pytest_process, reference_process
from purge_conformance.engine.collect import collect
from purge_conformance.report import json as as_json
from purge_conformance.report.plain import from_dict
from purge_conformance.scenarios.generated import schemathesis as contract
from purge_conformance.selfcheck import workers
from purge_conformance.selfcheck.grouping import one_per_group
from purge_conformance.selfcheck.matrix import Row, rows_from_run
from purge_conformance.selfcheck.mutants import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from purge_conformance.client.client import Client
    from purge_conformance.evidence.records import Exchange
    from purge_conformance.scenarios.generated.schemathesis import Case, Generator
    from purge_conformance.selfcheck.grouping import ServerGroup
    from purge_conformance.selfcheck.mutants import Server

EXAMPLES = 10  # random cases per operation, as in a run
DOCKER_IMAGE = "registry.test/app:1"  # only its droplet exists: the reference server runs nothing
RUNS_PER_PYTEST = 16  # runs that one pytest process judges
PYTEST_PROCESSES = 2  # at the same time
MAX_CONFIRMED = 5  # wrong rows that are judged again; more show more than chance
CONFIRMATIONS = 2  # further runs of a wrong row


@dataclass(frozen=True, slots=True)
class Conditions:
    """The options of every run of a selfcheck, beside what a run has by default.

    Attributes:
        max_purges: the value of --max-purges; None: its default.
        repeat: the value of --repeat.
        mode: the value of --apps.
    """

    max_purges: int | None = None
    repeat: int = 1
    mode: Mode = Mode.DRIVE

    def apply_to(self, settings: Settings, *, timeout: float | None = None, with_droplets: bool = False) -> Settings:
        """Return the settings of a run under these conditions.

        Args:
            settings: without them.
            timeout: the value of --timeout; None: its default.
            with_droplets: whether the suite's apps run one.
        """
        given = {"max_purges": self.max_purges, "timeout": timeout}
        limits = limits_for(self.repeat, **{name: value for name, value in given.items() if value is not None})
        image = DOCKER_IMAGE if with_droplets else None
        return replace(settings, repeat=self.repeat, limits=limits, apps=AppSettings(self.mode, docker_image=image))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a selfcheck runs.

    Attributes:
        folder: contains one folder per run, named after its trial.
        seed: seed of the generated cases.
        jobs: number of concurrent runs, each in its own process.
        server_processes: number of processes that serve the groups.
        judgments: folder of judgments in place of the suite's own, or None.
        conditions: of every run.
    """

    folder: Path
    seed: int
    jobs: int
    server_processes: int
    judgments: Path | None = None
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, slots=True)
class Trial:
    """A group and where it is served: at a URL with tokens, or not yet (None)."""

    group: ServerGroup
    url: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name of the mounted server, and of the folder of the run."""
        return "+".join(server.name for server in self.group)


def run_groups(groups: Sequence[ServerGroup], plan: Plan) -> Iterator[Row]:
    """Yield the row of each server as soon as it is known; judge the faults of a group with problems again, alone."""
    ambiguous: list[Server] = []
    for group_rows in _run_once(groups, plan):
        if len(group_rows) > 1 and any(any(row.problems()) for row in group_rows):
            ambiguous += [row.server for row in group_rows]
        else:
            yield from group_rows
    if ambiguous:
        yield from run_groups(one_per_group(ambiguous), plan)


def confirm(rows: Iterable[Row], plan: Plan) -> Iterator[Row]:
    """Yield each row; judge a few with problems twice more, at the end.

    Such a row stays as it is if a further run has a problem too. Otherwise it is replaced by that of the last run, with
    the earlier problems: a machine that stands still for a moment can make one of hundreds of runs differ. The folder
    of the first run stays.
    """
    wrong: list[Row] = []
    for row in rows:
        if any(row.problems()):
            wrong.append(row)
        else:
            yield row
    if len(wrong) > MAX_CONFIRMED:
        yield from wrong
        return
    again = replace(plan, folder=plan.folder / ".again", jobs=1, server_processes=1)
    for row in wrong:
        runs = [run for _ in range(CONFIRMATIONS) for (run,) in _run_once([(row.server,)], again)]
        is_steady = any(any(run.problems()) for run in runs)
        yield row if is_steady else replace(runs[-1], earlier_problems=tuple(row.problems()))


def _run_once(groups: Sequence[ServerGroup], plan: Plan) -> Iterator[list[Row]]:
    """Yield the rows of each group as soon as they are known.

    The cases are generated once, since they are the same for all.
    """
    judgments: deque[Future[list[list[Row]]]] = deque()
    batch: list[tuple[Trial, float]] = []
    with (
        contract.generation(seed=plan.seed, examples=EXAMPLES) as generate_cases,
        _serve_groups(groups, plan) as trials,
        ThreadPoolExecutor(PYTEST_PROCESSES) as judges,
        closing(workers.map_unordered(partial(open_collector, plan, generate_cases()), trials, plan.jobs)) as results,
    ):
        for trial, seconds in results:
            if isinstance(seconds, workers.WorkerFailed):
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
    """Serve the groups under path prefixes of some processes; yield their trials, in the same order."""
    mountable = [group for group in groups if not group[0].own_server]
    # Conforming servers and faults alternate, so pairs give each process as many of both.
    pairs = [mountable[number : number + 2] for number in range(0, len(mountable), 2)]
    shares = [
        list(chain(*assigned_pairs))
        for number in range(plan.server_processes)
        if (assigned_pairs := pairs[number :: plan.server_processes])
    ]
    trials: dict[ServerGroup, Trial] = {}
    with ExitStack() as stack:
        with ThreadPoolExecutor(plan.server_processes) as pool:  # starting takes a while
            endpoints = list(pool.map(stack.enter_context, map(_start_server, shares)))
        for share, (url, tokens) in zip(shares, endpoints, strict=True):
            for group in share:
                path_prefix = "" if group[0].kind is Kind.FAULTLESS else f"/{Trial(group).name}"
                trials[group] = Trial(group, url + path_prefix, tokens)
        yield [trials.get(group, Trial(group)) for group in groups]


def _start_server(share: Sequence[ServerGroup]) -> AbstractContextManager[tuple[str, dict[str, str]]]:
    names = [Trial(group).name for group in share if group[0].kind is not Kind.FAULTLESS]
    return reference_process.server([word for name in names for word in ("--mount", name)])


@contextmanager
def open_collector(plan: Plan, cases: tuple[Case, ...]) -> Iterator[Callable[[Trial], float]]:
    """Yield a function that collects from a trial and returns the seconds; all trials share one process for links."""
    with contract.links(seed=plan.seed) as walk:
        yield partial(_collect_trial, plan, contract.Generator(lambda: cases, walk))


def _collect_trial(plan: Plan, generator: Generator, trial: Trial) -> float:
    if trial.url is not None:
        return _collect_from(plan, generator, trial, trial.url, trial.tokens)
    with reference_process.server([word for server in trial.group for word in server.options]) as (url, tokens):
        return _collect_from(plan, generator, trial, url, tokens)


def _collect_from(plan: Plan, generator: Generator, trial: Trial, url: str, tokens: Mapping[str, str]) -> float:
    settings = Settings(
        Target(url),
        tokens,
        profiles=DOCUMENTED,
        examples=EXAMPLES,
        seed=plan.seed,
        hook=parse_hook(reference_process.hook_url(url)),
        owns_target=True,
    )
    start = time.perf_counter()
    with_droplets = any(server.with_droplets for server in trial.group)
    timeout = trial.group[0].timeout  # such a fault is alone
    settings = plan.conditions.apply_to(settings, timeout=timeout, with_droplets=with_droplets)
    collect(settings, plan.folder / trial.name, _no_progress, generator)
    return time.perf_counter() - start


def _no_progress(_: Client, __: Exchange) -> None:
    """Show no progress: the selfcheck counts rows."""


def _judge_batch(batch: Sequence[tuple[Trial, float]], plan: Plan) -> list[list[Row]]:
    """Judge a batch of runs in one pytest process; delete the folders of groups and of runs without problems."""
    names = [trial.name for trial, _ in batch]
    pytest_output = pytest_process.judge_all(names, plan.folder, plan.judgments) if names else ""
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
        return [Row(server, error=f"pytest ended without a report: {pytest_output}") for server in group]
    # Not validated against the schema, for speed: the suite's own pytest process just wrote it.
    return rows_from_run(group, from_dict(json.loads(path.read_text(encoding="utf-8"))), seconds)
