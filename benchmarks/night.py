"""Runs the suite against its own faults and variants under further conditions, which take hours: for the night.

`python benchmarks/night.py [--sample] [CHECK ...]`. Without names it runs every check; `--sample` runs a few servers of
each, in about two minutes. A check fails on a false alarm; with few purges also if a fault survives that fails in each
trial.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from purge_conformance.config.apps import Mode
from purge_conformance.selfcheck.grouping import group_faults, one_per_group
from purge_conformance.selfcheck.mutants import FAULTLESS, Kind, draw_pairs, select_servers
from purge_conformance.selfcheck.trials import Conditions, Plan, run_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purge_conformance.selfcheck.matrix import Row
    from purge_conformance.selfcheck.mutants import Server

JOBS_PER_CORE = 2
SEEDS, PAIRS, PAIRS_REPEATED = 10, 30, 6
BUSY_PROCESSES = 4
FEW_PURGES = 12
# With a hook, the thirteenth purge carries the headers that a target may refuse, and later ones are induced errors.
NEEDS_MORE_PURGES = {"unavailable-purge-half-done", "unmet-expectation-500"}
SAMPLED = {
    "few-purges": 1,
    "few-purges-faults": 2,
    "observe": 1,
    "pairs": 2,
    "pairs-repeat": 1,
}  # check -> servers in a sample
SAMPLED_FAULTS = ("object-body-500", "deleted-app-comes-back")


@dataclass(frozen=True)
class Check:
    """Some servers under the same conditions.

    Attributes:
        name: of the check.
        servers: what is judged.
        conditions: of each run.
        seed: of each run.
        busy: how many processes take up a core meanwhile.
    """

    name: str
    servers: Sequence[Server]
    conditions: Conditions = field(default_factory=Conditions)
    seed: int = 1
    busy: int = 0


def all_checks() -> list[Check]:
    """Return every check, with all of its servers."""
    servers = select_servers()
    conforming = [server for server in servers if server.kind is not Kind.FAULT]
    certain = [
        server
        for server in servers
        if server.kind is Kind.FAULT and not server.intermittent and server.name not in NEEDS_MORE_PURGES
    ]
    pairs = draw_pairs(seed=1, number=PAIRS)
    return [
        Check("few-purges", conforming, Conditions(max_purges=FEW_PURGES)),
        Check("few-purges-faults", certain, Conditions(max_purges=FEW_PURGES)),
        Check("repeat", conforming, Conditions(repeat=5)),
        Check("observe", conforming, Conditions(mode=Mode.OBSERVE)),
        Check("busy", conforming, busy=BUSY_PROCESSES),
        *(Check(f"seed-{seed}", select_servers([FAULTLESS]), seed=seed) for seed in range(1, SEEDS + 1)),
        Check("pairs", pairs),
        Check("pairs-repeat", pairs[:PAIRS_REPEATED], Conditions(repeat=2)),
    ]


def sample(checks: Sequence[Check]) -> list[Check]:
    """Return some of the checks, each with a few of its servers."""
    chosen = []
    for check in checks:
        servers = [server for server in check.servers if not server.own_server]
        known = [server for server in servers if server.name in {FAULTLESS, *SAMPLED_FAULTS}]
        if check.name in SAMPLED:
            chosen.append(replace(check, servers=(known or servers)[: SAMPLED[check.name]]))
    return chosen


def run_check(check: Check) -> Iterator[tuple[Row, str]]:
    """Yield the problems of a check, each with its row."""
    groups = group_faults(check.servers) if check.servers[0].kind is Kind.FAULT else one_per_group(check.servers)
    cores = os.cpu_count() or 1
    with TemporaryDirectory(prefix="purge-conformance-") as folder, busy_processes(check.busy):
        jobs = min(JOBS_PER_CORE * cores, len(groups))
        plan = Plan(Path(folder), check.seed, jobs, min(cores, len(groups)), conditions=check.conditions)
        for row in run_groups(groups, plan):
            yield from ((row, problem) for problem in problems(row))


def problems(row: Row) -> Iterator[str]:
    """Yield what must not happen under any conditions: a false alarm, a surviving fault, a defect of the suite."""
    if row.error:
        yield f"could not be judged: {row.error}"
    elif row.is_fault and not row.killed_by:
        yield f"survived: {', '.join(row.server.fails)} did not fail"
    if row.unexpected_failures:
        yield f"failed {', '.join(row.unexpected_failures)} unexpectedly"


@contextmanager
def busy_processes(number: int) -> Iterator[None]:
    """Let so many processes compute meanwhile."""
    with ExitStack() as stack:
        for _ in range(number):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


def main() -> None:
    """Print a line for each problem and for each check; exit with 1 if there was a problem."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    checks = all_checks()
    parser.add_argument("names", nargs="*", metavar="CHECK", help=", ".join(check.name for check in checks))
    parser.add_argument("--sample", action="store_true", help="a few servers of each check")
    options = parser.parse_args()
    if unknown := {*options.names} - {check.name for check in checks}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    is_bad = False
    for check in sample(checks) if options.sample else checks:
        if options.names and check.name not in options.names:
            continue
        found = 0
        for row, problem in run_check(check):
            found += 1
            print(f"{check.name}: {row.server.name} {problem}", flush=True)
        print(f"{check.name}: {len(check.servers)} servers, {found} problems", flush=True)
        is_bad |= bool(found)
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
