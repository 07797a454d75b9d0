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
