"""Runs the suite against every subject at once: many targets, each collected from and judged as a run does."""

from __future__ import annotations

import json
import shutil
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from purge_conformance import contract, embedded, judge
from purge_conformance.collect import collect
from purge_conformance.hook_address import parse_hook
from purge_conformance.model import DOCUMENTED
from purge_conformance.results import from_dict
from purge_conformance.selfcheck import crew
from purge_conformance.selfcheck.matrix import Row, row_of
from purge_conformance.selfcheck.subjects import Kind
from purge_conformance.settings import Settings, Target
from purge_conformance.writers import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path

    from purge_conformance.client import Client
    from purge_conformance.contract import Case, Generator
    from purge_conformance.evidence import Exchange
    from purge_conformance.selfcheck.subjects import Subject

EXAMPLES = 10  # as a run has them
BATCH = 16  # runs that one pytest judges
JUDGES = 2  # pytests at once


@dataclass(frozen=True, slots=True)
class Plan:
    """How the check is done.

    Attributes:
        folder: where each run gets a folder, named after its subject.
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
    """A subject, and where it is served: at a URL with these tokens, or nowhere yet."""

    subject: Subject
    url: str | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


def rows(subjects: Sequence[Subject], plan: Plan) -> Iterator[Row]:
    """Yield what became of each subject, as they get done.

    The generated cases are made once, since they are the same for all; all else is done as a run does it.
    """
    judged: deque[Future[list[Row]]] = deque()
    batch: list[tuple[Trial, float]] = []
    with (
        contract.generation(seed=plan.seed, examples=EXAMPLES) as generated,
        _served(subjects, plan) as trials,
        ThreadPoolExecutor(JUDGES) as judges,
        closing(crew.each(partial(collecting, plan, generated()), trials, plan.jobs)) as collected,
    ):
        for trial, seconds in collected:
            if isinstance(seconds, crew.Lost):
                yield Row(trial.subject, trouble=seconds.reason)
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
def _served(subjects: Sequence[Subject], plan: Plan) -> Iterator[list[Trial]]:
    """Serve the subjects, each process a share of them under path prefixes; yield where, in the same order."""
    shared = [subject for subject in subjects if not subject.own_server]
    shares = [share for number in range(plan.servers) if (share := shared[number :: plan.servers])]
    trials: dict[str, Trial] = {}
    with ExitStack() as stack:
        with ThreadPoolExecutor(plan.servers) as starters:  # each mount takes its while
            ready = list(starters.map(stack.enter_context, map(_server, shares)))
        for share, (url, tokens) in zip(shares, ready, strict=True):
            for s in share:
                trials[s.name] = Trial(s, url if s.kind is Kind.FAULTLESS else f"{url}/{s.name}", tokens)
        yield [trials.get(subject.name, Trial(subject)) for subject in subjects]


def _server(share: Sequence[Subject]) -> AbstractContextManager[tuple[str, dict[str, str]]]:
    return embedded.server([word for s in share if s.kind is not Kind.FAULTLESS for word in ("--mount", s.name)])


@contextmanager
def collecting(plan: Plan, cases: tuple[Case, ...]) -> Iterator[Callable[[Trial], float]]:
    """Yield what collects from one trial after another and returns the seconds; the links have one child for all."""
    with contract.links(seed=plan.seed) as walk:
        yield partial(_collected, plan, contract.Generator(lambda: cases, walk))


def _collected(plan: Plan, generator: Generator, trial: Trial) -> float:
    if trial.url is not None:
        return _collect(plan, generator, trial.subject, trial.url, trial.tokens)
    with embedded.server([f"--{trial.subject.kind}", trial.subject.name]) as (url, tokens):
        return _collect(plan, generator, trial.subject, url, tokens)


def _collect(plan: Plan, generator: Generator, subject: Subject, url: str, tokens: Mapping[str, str]) -> float:
    settings = Settings(
        Target(url),
        tokens,
        profiles=DOCUMENTED,
        examples=EXAMPLES,
        seed=plan.seed,
        hook=parse_hook(embedded.hook(url)),
    )
    begun = time.perf_counter()
    collect(settings, plan.folder / subject.name, _silent, generator)
    return time.perf_counter() - begun


def _silent(_: Client, __: Exchange) -> None:
    """Show no progress of one run among many."""


def _judged(batch: Sequence[tuple[Trial, float]], plan: Plan) -> list[Row]:
    """Judge a batch of runs by one pytest, as `run` judges one; forget those that are as they must be."""
    names = [trial.subject.name for trial, _ in batch]
    said = judge.judge_all(names, plan.folder, plan.judgments) if names else ""
    found = []
    for trial, seconds in batch:
        folder = plan.folder / trial.subject.name
        found.append(_row(trial.subject, folder, seconds, said))
        if not any(found[-1].problems()):
            shutil.rmtree(folder)
    return found


def _row(subject: Subject, folder: Path, seconds: float, said: str) -> Row:
    path = folder / as_json.FILE_NAME
    if not path.exists():
        return Row(subject, trouble=f"the judgments came to no end: {said}")
    # Just written by our own pytest: validating each against the schema would take a quarter of judging it.
    return row_of(subject, from_dict(json.loads(path.read_text(encoding="utf-8"))), seconds)
