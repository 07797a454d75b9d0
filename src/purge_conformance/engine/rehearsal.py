"""Judges a small run before the first request: a run that could not be judged would destroy events for nothing.

The small run has two exchanges. The process, the judgments and the reports are those that the real run will have. The
reports go to a subfolder of its folder, which is removed.
"""

from __future__ import annotations

import shutil
import time
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

from purge_conformance import __version__, catalogue
from purge_conformance.analysis.assertions import to_sentence
from purge_conformance.catalogue.api import PURGE_PATH
from purge_conformance.catalogue.model import Profile
from purge_conformance.config.roles import ANONYMOUS_ROLE
from purge_conformance.engine import pytest_process
from purge_conformance.errors import BadSetting, ReportsNotWritten, SuiteError
from purge_conformance.evidence import clock, notes
from purge_conformance.evidence.journal import Journal
from purge_conformance.evidence.records import Exchange, Header, Note
from purge_conformance.evidence.steps import Place, Scenario, Step, Tag
from purge_conformance.evidence.tag_values import CredentialKind
from purge_conformance.report import REPORT_NAMES
from purge_conformance.report.model import Cause, Outcome
from purge_conformance.report.text import enumerate_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from purge_conformance.report.model import Run

MIN_FREE_BYTES = 16 * 1024 * 1024  # a run of both profiles writes about 4 MB, with few events
REINSTALL = "Reinstall it: pip install --force-reinstall purge-conformance"


def judge_in_own_process(folder: Path) -> Run:
    """Judge the small run in a folder with the process that judges a run of the command."""
    return pytest_process.judge(folder, folder)


def rehearse(folder: Path, judge: Callable[[Path], Run] = judge_in_own_process) -> None:
    """Judge a small run in a folder as the run of this folder will be judged, and write its reports.

    Args:
        folder: exists.
        judge: judges the evidence in a folder, writes the reports to it, and returns what they say.

    Raises:
        BadSetting: the folder cannot be written, the disk is nearly full, or the judgments do not work.
    """
    try:
        _require_space(folder)
        with TemporaryDirectory(prefix=".rehearsal-", dir=folder) as name:
            write_small_run(Path(name))
            run = judge(Path(name))
            missing = [report for report in REPORT_NAMES if not Path(name, report).exists()]
    except OSError as error:
        reason = error.strerror or "no temporary file can be written"
        raise BadSetting(f"{folder} cannot be written: {reason}. Name another folder with --out.") from None
    except BadSetting:
        raise
    except ReportsNotWritten as error:
        raise BadSetting(
            f"This installation cannot write {', '.join(error.names)}, so the run did not start. "
            f"{str(error).partition('. ')[0]}. Make room, name another folder with --out, or reinstall the suite: "
            "pip install --force-reinstall purge-conformance"
        ) from None
    except SuiteError as error:
        raise BadSetting(
            f"This installation cannot judge, so the run did not start: {_reason(error)} {REINSTALL}"
        ) from None
    if missing:
        raise BadSetting(f"This installation cannot write {', '.join(missing)}, so the run did not start. {REINSTALL}")
    _require_outcomes(run)


def write_small_run(folder: Path) -> None:
    """Write the evidence of a run whose target rejects an invalid token, and accepts a purge without a token.

    Raises:
        BadSetting: the folder cannot be written.
        SuiteError: the evidence could not be written completely.
    """
    settings = {"profiles": [str(Profile.CORE)], "select": [], "admin_scope": True}
    now = clock.format_rfc3339(time.time())
    header = Header(
        __version__, {}, "http://small-run.invalid", settings, now, requirement_set=catalogue.requirement_set()
    )
    with Journal(folder, header) as journal:
        journal.record(_purge(1, ANONYMOUS_ROLE, CredentialKind.NONE, HTTPStatus.OK))
        journal.record(_purge(2, "altered", CredentialKind.INVALID, HTTPStatus.UNAUTHORIZED))
        journal.add(Note(Scenario.CLEANUP, notes.FINISHED.name, True))
        journal.sync()
    if journal.error:
        raise BadSetting(journal.error)


def _purge(n: int, role: str, credential: CredentialKind, status: HTTPStatus) -> Exchange:
    return Exchange(
        n,
        Scenario.REJECTED_PURGES,
        Place(Step.CREDENTIAL),
        role=role,
        method="POST",
        path=PURGE_PATH,
        request_headers=(),
        request_body=None,
        sent_at=time.time(),
        elapsed=0.0,
        status=status,
        response_headers=(("Content-Type", "application/json"),),
        body=b"{}",
        tags={Tag.CREDENTIAL: credential},
    )


def _require_outcomes(run: Run) -> None:
    """Require that a requirement passed and one failed, as the small run has it, and that no judgment itself failed."""
    crashed = [
        each.id for each in run.requirements if (each.outcome, each.cause) == (Outcome.INCONCLUSIVE, Cause.SUITE)
    ]
    if crashed:
        raise BadSetting(
            f"The judgments of {enumerate_ids(crashed)} do not work, so the run did not start. {REINSTALL}"
        )
    missing = [
        str(each) for each in (Outcome.PASSED, Outcome.FAILED) if each not in {r.outcome for r in run.requirements}
    ]
    if missing:
        raise BadSetting(
            f"This installation misjudges a small run of its own, so the run did not start: no requirement "
            f"{missing[0]}, expected one. {REINSTALL}"
        )


def _reason(error: SuiteError) -> str:
    """Return the last line of pytest's output that names an error, or else what went wrong."""
    first, *lines = str(error).splitlines()
    return to_sentence(next((line.removeprefix("E").strip() for line in reversed(lines) if "Error" in line), first))


def _require_space(folder: Path) -> None:
    for place in (folder, Path(gettempdir())):
        if (free := shutil.disk_usage(place).free) < MIN_FREE_BYTES:
            raise BadSetting(
                f"The disk of {place} has {free:,} bytes left, and a run needs {MIN_FREE_BYTES:,}. Make room, or name "
                f"another {'folder with --out' if place is folder else 'folder in TMPDIR'}."
            )
