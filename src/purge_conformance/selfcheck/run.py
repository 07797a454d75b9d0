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
from purge_conformance.report import written
from purge_conformance.selfcheck import matrix_report as shown
from purge_conformance.selfcheck.grouping import alone, in_company
from purge_conformance.selfcheck.matrix import Matrix, Row, to_dict
from purge_conformance.selfcheck.mutants import subjects
from purge_conformance.selfcheck.trials import Plan, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purge_conformance.selfcheck.mutants import Subject

JSON, MARKDOWN = "matrix.json", "matrix.md"
OVERLAP = 3  # runs a core: each waits for its server, and for a clock to tick on


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
    chosen = subjects(only)
    cores = os.cpu_count() or 1
    begun, started = time.time(), time.perf_counter()
    found: dict[str, Row] = {}
    with TemporaryDirectory(prefix="purge-conformance-", ignore_cleanup_errors=True) as name:
        plan = Plan(Path(name), seed, jobs or OVERLAP * cores, min(cores, len(chosen)), judgments)
        for row in rows(alone(chosen) if only else in_company(chosen), plan):
            found[row.subject.name] = row
            on_row(row, len(found), len(chosen))
        _keep(plan.folder, out, chosen)
    matrix = Matrix(
        suite=__version__,
        spec_version=str(catalogue.document(catalogue.OPENAPI)["info"]["version"]),
        spec=catalogue.digests(),
        seed=seed,
        only=tuple(only),
        started_at=clock.written(begun),
        seconds=round(time.perf_counter() - started, 1),
        jobs=plan.jobs,
        rows=tuple(found[subject.name] for subject in chosen),
    )
    write(matrix, out)
    return matrix


def write(matrix: Matrix, out: Path) -> None:
    """Write the matrix into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    written(out / JSON, json.dumps(to_dict(matrix), indent=2) + "\n")
    written(out / MARKDOWN, shown.markdown(matrix))


def _keep(folder: Path, out: Path, chosen: Sequence[Subject]) -> None:
    """Keep the evidence and the reports of what went wrong, in place of those of an earlier check."""
    for subject in chosen:
        shutil.rmtree(out / subject.name, ignore_errors=True)
        if (folder / subject.name).exists():
            shutil.copytree(folder / subject.name, out / subject.name)
