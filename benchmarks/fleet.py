"""Runs a fleet of reference servers, and one of them alone, and compares the time per target.

    python benchmarks/fleet.py [--targets N] [--jobs N] [--select ID-GLOB ...]

Each target is a server of its own, on this machine. Printed are the seconds of one run alone; those of the fleet,
divided by its targets and multiplied by its jobs, with the ratio of both: 1.00x means that a run among others costs
what one alone costs. The fleet runs with half the jobs as well, which shows how its time falls with more jobs. The
seconds of CPU depend less on what else the machine does.

The servers share the cores with the runs, and take a part of them that a remote target does not take.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Server = tuple[str, Mapping[str, str]]  # URL, and role -> token

STARTERS = 8  # servers that are started at the same time
ALONE_RUNS = 2  # the faster of these counts


class Cost(NamedTuple):
    """What a command cost: seconds, and seconds of CPU of it and of the processes that it started."""

    wall: float
    cpu: float


def cost_of(arguments: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run the command and return what it cost; a run that does not pass ends the benchmark."""
    begin, cpu = time.perf_counter(), _cpu_of_children()
    done = subprocess.run(  # noqa: S603 -- ours
        [sys.executable, "-m", "purge_conformance", "run", "--quiet", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    cost = Cost(time.perf_counter() - begin, _cpu_of_children() - cpu)
    if done.returncode:
        sys.exit(f"A run ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return cost


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def options_of(number: int, server: Server) -> dict[str, Any]:
    """Return the options of a target: a token of each role, in a variable, and its hook."""
    url, tokens = server
    sources = {role: f"env:{variable(number, role)}" for role in tokens}
    return {"url": url, "tokens": sources, "hook": reference_process.hook_url(url)}


def variable(number: int, role: str) -> str:
    """Return the environment variable with the token of a role of a target."""
    return f"TOKEN_{number}_{role.upper()}"


def write_fleet(folder: Path, servers: Sequence[Server], select: Sequence[str]) -> Path:
    """Write the file of --targets; JSON is YAML."""
    defaults = {"select": list(select)} if select else {}
    targets = [{"name": f"target-{n}"} | options_of(n, server) for n, server in enumerate(servers)]
    path = folder / "fleet.yaml"
    path.write_text(json.dumps({"defaults": defaults, "targets": targets}), encoding="utf-8")
    return path


def arguments_of(server: Server, select: Sequence[str]) -> list[str]:
    """Return the arguments of a run of the first target alone."""
    options = options_of(0, server)
    tokens = [f"--token={role}={source}" for role, source in options["tokens"].items()]
    return [options["url"], f"--hook={options['hook']}", *tokens, *(f"--select={glob}" for glob in select)]


def measure(number: int, jobs: int, select: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the rows of the table: what was measured, its seconds, and its seconds of CPU."""
    with ExitStack() as stack, ThreadPoolExecutor(STARTERS) as starters, TemporaryDirectory() as name:
        folder = Path(name)
        servers = list(starters.map(lambda _: stack.enter_context(reference_process.server()), range(number)))
        environment = {
            variable(n, role): token for n, (_, tokens) in enumerate(servers) for role, token in tokens.items()
        }
        single = arguments_of(servers[0], select)
        alone = min(cost_of([*single, f"--out={folder / f'alone-{n}'}"], environment) for n in range(ALONE_RUNS))
        file = write_fleet(folder, servers, select)
        several = {
            count: cost_of([f"--targets={file}", f"--jobs={count}", f"--out={folder / f'jobs-{count}'}"], environment)
            for count in sorted({jobs, max(1, jobs // 2)})
        }
    rows = [("one target alone", f"{alone.wall:.1f} s", f"{alone.cpu:.1f} s")]
    for count, cost in several.items():
        per_target = Cost(cost.wall / number * count, cost.cpu / number)
        wall, cpu = (f"{own:.1f} s, {own / one:.2f}x" for own, one in zip(per_target, alone, strict=True))
        rows.append((f"{number} targets, {count} jobs, per target", wall, cpu))
    if len(several) > 1:
        few, many = several.values()
        times = f"{few.wall / many.wall:.2f}x"
        rows.append((f"the whole fleet, {min(several)} against {max(several)} jobs", times, ""))
    return rows


def main() -> None:
    """Measure and print a table."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, default=20, metavar="N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--select", nargs="*", default=(), metavar="ID-GLOB")
    option = parser.parse_args()
    rows = measure(option.targets, min(option.jobs, option.targets), option.select)
    print("| measure | time | CPU |\n| --- | --- | --- |")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))


if __name__ == "__main__":
    main()
