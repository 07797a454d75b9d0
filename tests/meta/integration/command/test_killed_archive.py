"""A command that is killed at any moment leaves a whole archive of what could have been purged by then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from meta.support.archive import ROWS
from meta.support.paths import ROOT
from purge_conformance.target import archive

if TYPE_CHECKING:
    from pathlib import Path

# Writes an archive and adds to it twice; for each call that changes the disk once more, killed just before that call.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from meta.support.archive import ROWS
from meta.support.story import EvidenceBuilder
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target import archive
from purge_conformance.target.archive.list_check import Extent, Reading

def page(rows):
    data = {"pagination": {}, "resources": rows}
    return EvidenceBuilder().add_exchange(Scenario.ARCHIVE, Step.EXISTING_EVENTS, data=data)

def work(path, allow_purge):
    growing, pages = archive.GrowingArchive(path, 100), [page(ROWS)]
    growing.start(archive.write(path, "http://t", pages, lambda: Reading(Extent.WHOLE)), pages)
    allow_purge(len(ROWS))
    for number in (1, 2):
        growing.observe(page([{"guid": f"late-{number}"}]))
        growing.add_new()
        allow_purge(len(ROWS) + number)

def kill_before(call):
    calls = 0
    def counted(function):
        def run(*arguments, **more):
            nonlocal calls
            calls += 1
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **more)
        return run
    for name in ("fsync", "link", "replace", "unlink", "open"):
        setattr(os, name, counted(getattr(os, name)))

folder, number, killed = Path(sys.argv[1]), 0, True
while killed:
    number += 1
    (folder / str(number)).mkdir()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        kill_before(number)
        work(folder / str(number) / archive.FILE_NAME, lambda events: os.write(writing, b"%d " % events))
        os._exit(0)
    os.close(writing)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    print(json.dumps(os.read(reading, 100).decode().split()))
"""


def test_killed_archive_is_whole(tmp_path: Path) -> None:
    """Once a purge was allowed, the archive is whole and has all events that this purge may have destroyed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    allowed = [[int(number) for number in json.loads(line)] for line in done.stdout.splitlines()]
    assert allowed[-1] == [len(ROWS), len(ROWS) + 1, len(ROWS) + 2]
    assert len(allowed) > 15
    for number, events in enumerate(allowed, 1):
        if events:
            found = archive.verify(tmp_path / str(number) / archive.FILE_NAME)
            assert (found.problems, found.events >= events[-1]) == ((), True), number
