"""`cleanup` lists what it deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, invoke
from meta.support.labelled_resources import LabelledResources
from purge_conformance.target.apps import jobs
from purge_conformance.target.apps.resources import ORGANIZATIONS

if TYPE_CHECKING:
    import pytest

    from meta.support.stub import StubServer


def test_cleanup_command_lists_deletions(stub_server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command lists what it deletes and exits with 0; on a clean target it reports that there is nothing."""
    monkeypatch.setattr(jobs, "POLL_DELAYS", (0, 0))
    LabelledResources(stub_server).add(ORGANIZATIONS, "left", "0123abcd")
    results = [invoke("cleanup", stub_server.url, ADMIN, "--run=0123abcd") for _ in range(2)]
    assert [result.exit_code for result in results] == [0, 0]
    assert results[0].stdout.startswith(f"deleted {ORGANIZATIONS}/")
    assert (results[0].stdout.splitlines()[-1], results[1].stdout) == ("1 deleted.", "Nothing to delete.\n")


def test_dry_run_counts_what_stays(stub_server: StubServer) -> None:
    """Where all objects belong to a run that may go on, the last line counts them: there is something to delete."""
    LabelledResources(stub_server).add(ORGANIZATIONS, "young", "0123abcd", age=60)
    done = invoke("cleanup", stub_server.url, ADMIN, "--dry-run")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 would be kept.")
    assert done.stdout.startswith(f"would keep {ORGANIZATIONS}/young")
