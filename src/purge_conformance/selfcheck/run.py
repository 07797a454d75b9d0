"""Runs a selfcheck and writes the kill matrix."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.evidence import clock, files
from purge_conformance.selfcheck.grouping import group_faults, one_per_group
from purge_conformance.selfcheck.matrix import Matrix, Row, to_dict
from purge_conformance.selfcheck.matrix_report import markdown
from purge_conformance.selfcheck.mutants import select_servers
from purge_conformance.selfcheck.trials import Plan, confirm, run_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.selfcheck.mutants import Server

JSON, MARKDOWN = "matrix.json", "matrix.md"
JOBS_PER_CORE = 3  # each run mostly waits, for its server and for pauses of its scenarios


def check(  # noqa: PLR0913 -- the options of the command
    out: Path,
    *,
    only: Sequence[str] = (),
    seed: int = 1,
    jobs: int | None = None,
    judgments: Path | None = None,
    on_row: Callable[[Row, int, int], None] = lambda *_: None,
) -> Matrix:
    """Run the suite against all or selected servers; write the matrix, and the runs with problems, to `out`.

    Args:
        out: folder for `matrix.json`, `matrix.md`, and one folder per server with problems.
        only: globs of server names; empty selects all.
        seed: seed of the generated cases.
        jobs: number of concurrent runs; None selects JOBS_PER_CORE per core.
        judgments: folder of judgments in place of the suite's own.
        on_row: called for each row with it, the number of rows so far, and the number of all rows.

    Raises:
        BadSetting: a glob matches no server.
    """
    servers = select_servers(only)
    cores = os.cpu_count() or 1
    started_at, start = time.time(), time.perf_counter()
    rows_by_name: dict[str, Row] = {}
    with TemporaryDirectory(prefix="purge-conformance-", ignore_cleanup_errors=True) as name:
        plan = Plan(Path(name), seed, jobs or JOBS_PER_CORE * cores, min(cores, len(servers)), judgments)
        groups = one_per_group(servers) if only else group_faults(servers)
        for row in confirm(run_groups(groups, plan), plan):
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
        rows=tuple(rows_by_name[server.name] for server in servers),
    )
    write_matrix(matrix, out)
    return matrix


def write_matrix(matrix: Matrix, out: Path) -> None:
    """Write `matrix.json` and `matrix.md` into a folder."""
    files.create_folder(out)
    files.write_text(out / JSON, json.dumps(to_dict(matrix), indent=2) + "\n")
    files.write_text(out / MARKDOWN, markdown(matrix))


def _copy_failed_runs(folder: Path, out: Path, servers: Sequence[Server]) -> None:
    """Copy the evidence and reports of runs with problems, and remove those of an earlier selfcheck."""
    files.create_folder(out)
    for server in servers:
        shutil.rmtree(out / server.name, ignore_errors=True)
        if (folder / server.name).exists():
            shutil.copytree(folder / server.name, out / server.name)
