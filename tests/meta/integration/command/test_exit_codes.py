"""The exit codes of the installed command, each by a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, SECRET, invoke
from purge_conformance import catalogue
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer

    Command = Callable[..., CommandResult]

UNUSED = "http://127.0.0.1:1"  # nothing listens there


def test_conformant_exits_0(full_run: FullRun) -> None:
    """A run of both profiles against a server without a fault exits with 0 and accounts for every MUST."""
    assert (full_run.code, full_run.report["verdict"], full_run.stderr) == (0, "conformant", "")
    rows = {r["id"]: r for r in full_run.report["requirements"] if r["outcome"] != "passed" and r["level"] == "MUST"}
    assert [name for name, row in rows.items() if not row["conditional"] or not row["reason"]] == []
    assert len(full_run.outcomes) == len(catalogue.requirements())


def test_non_conformant_exits_1(command: Command, tmp_path: Path) -> None:
    """A run against a faulty server exits with 1, names the requirement and respects its flags."""
    with reference_process.server(["--fault", "purge-returns-data"]) as (url, tokens):
        options = (
            "--select=PURGE-*",
            "--max-purges=3",
            "--max-requests=200",
            "--seed=7",
            "--examples=2",
            "--timeout=9",
        )
        result = command(
            "run",
            url,
            ADMIN,
            *options,
            "--out",
            tmp_path / "out",
            folder=tmp_path / "out",
            env=os.environ | {"ADMIN_SECRET": tokens["admin"]},
        )
    assert (result.code, result.report["verdict"], result.outcomes["PURGE-02"]) == (1, "non-conformant", "failed")
    assert set(result.outcomes) == {f"PURGE-0{n}" for n in range(1, 7)}
    expected = {"max_purges": 3, "max_requests": 200, "seed": 7, "examples": 2, "timeout": 9.0, "select": ["PURGE-*"]}
    assert expected.items() <= result.evidence.header.settings.items()
    assert (result.report["purges"] <= 3, result.report["requests"] <= 200) == (True, True)


def test_unreachable_target_exits_3(command: Command, tmp_path: Path) -> None:
    """An unreachable target gives no verdict: exit code 3, with the network as cause."""
    result = command("run", UNUSED, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET)
    assert (result.code, result.report["verdict"], result.causes) == (3, "inconclusive", {"network"})
    assert set(result.outcomes.values()) == {"inconclusive", "not exercised"}


def test_rejected_token_exits_2(command: Command, stub_server: StubServer, tmp_path: Path) -> None:
    """An admin token that the target rejects is refused, with the next step: exit code 2 and no report."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401, b'{"errors": []}')
    result = command(
        "run", stub_server.url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET
    )
    assert (result.code, "Give a valid one: --token admin=SOURCE" in result.stderr) == (2, True)
    assert ((tmp_path / "out").exists(), stub_server.purges) == (False, 0)


def test_missing_api_exits_3(command: Command, stub_server: StubServer, tmp_path: Path) -> None:
    """A URL without this API gives no verdict: exit code 3, with the configuration as cause."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, 200, b"<html>Welcome</html>", Content_Type="text/html"
    )
    result = command(
        "run", stub_server.url, ADMIN, "--out", tmp_path / "out", folder=tmp_path / "out", env=os.environ | SECRET
    )
    assert (result.code, result.report["verdict"], result.causes) == (3, "inconclusive", {"configuration"})
    assert ("passed" in result.outcomes.values(), stub_server.purges) == (False, 0)


def test_preflight_only_reads(stub_server: StubServer, tmp_path: Path) -> None:
    """Before anything else, a run only reads: a URL without this API gets no change."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, 404)

    stub_server.answer = answer
    invoke("run", stub_server.url, ADMIN, "--quiet", "--alongside", "--select=ROUTE-01", "--out", str(tmp_path / "out"))
    assert stub_server.targets == ["/", "/", "/v3", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]
