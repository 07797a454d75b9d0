"""`doctor`: its findings and its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from meta.support.api_stub import ADMIN, Api
from meta.support.hook import SECRET
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli.group import main

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer


@pytest.mark.parametrize(("api", "code", "words"), [(Api(), 0, "ok "), (Api(statuses={ADMIN: 401}), 2, "next step: ")])
def test_doctor_exit_code_follows_problems(
    api: Api, code: int, words: str, stub_server: StubServer, tmp_path: Path
) -> None:
    """`doctor` shows each finding and exits with 0, or with 2 on a problem; it prints no token."""
    stub_server.answer = api
    (tmp_path / "admin").write_text(ADMIN, encoding="utf-8")
    result = CliRunner().invoke(main, ["doctor", stub_server.url, f"--token=admin=file:{tmp_path / 'admin'}"])
    assert (result.exit_code, words in result.output, ADMIN[-20:] in result.output) == (code, True, False), (
        result.output
    )
    assert "token of admin" in result.output


def test_command_shows_the_hook(stub_server: StubServer) -> None:
    """`doctor --hook` exits with 2 if the hook is unavailable, and does not print its address."""
    body = b'{"links": {"apps": {}}, "pagination": {"total_results": 0}, "resources": []}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    arguments = ["doctor", stub_server.url, "--token=admin=env:T", "--hook=http://127.0.0.1:1/?key=hidden"]
    result = CliRunner().invoke(main, arguments, env={"T": SECRET})
    assert (result.exit_code, "problem  hook: " in result.output, "hidden" in result.output) == (2, True, False), (
        result.output
    )
    assert f"{EVENTS_PATH}?per_page=1" in stub_server.targets
