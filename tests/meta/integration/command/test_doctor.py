"""The doctor's checks at the start of a run, and of the reference server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meta.support.api_stub import ADMIN, Api
from meta.support.doctor import checks_by_name
from purge_conformance.catalogue.api import EVENTS_PATH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer


def test_reference_server_passes_every_check(reference_server: tuple[str, dict[str, str]]) -> None:
    """Every check of the reference server is ok, for the token of every role."""
    url, tokens = reference_server
    assert {str(check.status) for name, check in checks_by_name(url, tokens).items() if name != "events"} == {"ok"}


def test_run_reports_doctor_warnings(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """`run` examines the target first, and its reports contain the warnings."""
    stub_server.answer = Api(date=90)
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    options = ("--select=ROUTE-01", "--max-requests=50", "--max-purges=0", f"--token=admin=file:{tmp_path / 'admin'}")
    more = ("--alongside", "--allow-incomplete-archive")  # the stub's list contradicts its total
    result = command("run", stub_server.url, *options, *more, "--out", tmp_path / "out", folder=tmp_path / "out")
    assert [
        note for note in result.report["notes"] if re.match(r"clock: the target.s clock is \d+ s ahead", note)
    ] != []
    assert stub_server.targets[:4] == ["/", "/", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]


def test_wrong_token_stops_run(stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A run with an admin token in another role would accuse the target, so it ends before any change."""
    stub_server.answer = Api()
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    tokens = [f"--token={role}=file:{tmp_path / 'admin'}" for role in ("admin", "global_auditor")]
    result = command("run", stub_server.url, *tokens, "--out", tmp_path / "out", folder=tmp_path / "out")
    assert (result.code, {line.split()[0] for line, _ in stub_server.received}) == (2, {"GET"})
    assert "a user who is only global_auditor" in result.stderr
