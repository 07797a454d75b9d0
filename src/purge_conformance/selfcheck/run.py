"""The command `selfcheck`: runs all trials with progress to see, and writes the matrix."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.evidence import clock
from purge_conformance.report import write_file
from purge_conformance.selfcheck import matrix_report as shown
from purge_conformance.selfcheck.grouping import group_faults, one_per_group
from purge_conformance.selfcheck.matrix import Matrix, Row, to_dict
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.trials import Plan, run_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.selfcheck.mutants import Server

JSON, MARKDOWN = "matrix.json", "matrix.md"
JOBS_PER_CORE = 3  # runs a core: each waits for its server, and for a clock to tick on


def check(  # noqa: PLR0913 -- what the command is asked for
    out: Path,
    *,
    only: Sequence[str] = (),
    seed: int = 1,
    jobs: int | None = None,
    judgments: Path | None = None,
    on_row: Callable[[Row, int, int], None] = lambda *_: None,
) -> Matrix:
    """Run the suite against all subjects or those chosen, and write the matrix, and the runs that went wrong, to `out`.

    Args:
        out: gets `matrix.json`, `matrix.md`, and a folder for each subject that is not as it must be.
        only: globs of names.
        seed: of the generated cases.
        jobs: how many targets are under way at once; None: as many as keep this machine busy.
        judgments: a room other than the suite's own.
        on_row: is told of each row, of how many are done and of how many there are.

    Raises:
        BadSetting: a glob matches nothing.
    """
    servers = select_servers(only)
    cores = os.cpu_count() or 1
    started_at, start = time.time(), time.perf_counter()
    rows_by_name: dict[str, Row] = {}
    with TemporaryDirectory(prefix="purge-conformance-", ignore_cleanup_errors=True) as name:
        plan = Plan(Path(name), seed, jobs or JOBS_PER_CORE * cores, min(cores, len(servers)), judgments)
        for row in run_groups(one_per_group(servers) if only else group_faults(servers), plan):
            rows_by_name[row.server.name] = row
            on_row(row, len(rows_by_name), len(servers))
        _copy_failed_runs(plan.folder, out, servers)
    matrix = Matrix(
        suite=__version__,
        spec_version=str(catalogue.document(catalogue.OPENAPI)["info"]["version"]),
        spec=catalogue.digests(),
        seed=seed,
        only=tuple(only),
        started_at=clock.format_rfc3339(started_at),
        seconds=round(time.perf_counter() - start, 1),
        jobs=plan.jobs,
        rows=tuple(rows_by_name[subject.name] for subject in servers),
    )
    write_matrix(matrix, out)
    return matrix


def write_matrix(matrix: Matrix, out: Path) -> None:
    """Write the matrix into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    write_file(out / JSON, json.dumps(to_dict(matrix), indent=2) + "\n")
    write_file(out / MARKDOWN, shown.markdown(matrix))


def _copy_failed_runs(folder: Path, out: Path, servers: Sequence[Server]) -> None:
    """Keep the evidence and the reports of what went wrong, in place of those of an earlier check."""
    for subject in servers:
        shutil.rmtree(out / subject.name, ignore_errors=True)
        if (folder / subject.name).exists():
            shutil.copytree(folder / subject.name, out / subject.name)
