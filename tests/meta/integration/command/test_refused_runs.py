"""The installed command and plain pytest stop at what is known to be wrong, before their first purge."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import ADMIN, Api
from meta.support.command import run_command
from meta.support.paths import ROOT
from meta.support.plain_pytest import run_pytest
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

UNKNOWN_GUID = "5f0f5f0f-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((f"--space={UNKNOWN_GUID}",), f"space: 404 to GET /v3/spaces/{UNKNOWN_GUID}"),
        ((f"--app-droplet={UNKNOWN_GUID}",), f"droplet: 404 to GET /v3/droplets/{UNKNOWN_GUID}"),
        (("--space=../../x",), "--space expects a guid: a text of at most 200 characters"),
        (("--app-droplet-file=no-such-file",), "'no-such-file' is not an existing file"),
        (("--hook=command:/nonexistent",), "Start it, or give another: --hook URL"),
        (("--token=global_auditer=env:T_ADMIN",), "Did you mean global_auditor?"),
        (("--token=global_auditor=env:T_ADMIN",), "it has the scope cloud_controller.admin"),
    ],
)
def test_wrong_setting_stops_the_command(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """A real server gets no purge, and the user gets exit code 2, the next step and no folder."""
    with reference_process.server() as (url, tokens):
        done = run_command(
            *("run", url, "--token=admin=env:T_ADMIN", "--out", str(tmp_path / "out"), *arguments),
            folder=tmp_path / "out",
            env=os.environ | {"T_ADMIN": tokens["admin"]},
        )
    assert (done.code, words in done.stderr, (tmp_path / "out").exists()) == (2, True, False), done.stderr


def test_token_of_another_user_stops_the_command(tmp_path: Path) -> None:
    """The token of a space developer, given as the admin's, purges nothing."""
    with reference_process.server() as (url, tokens):
        done = run_command(
            *("run", url, "--token=admin=env:T_ADMIN", "--out", tmp_path / "out"),
            folder=tmp_path / "out",
            env=os.environ | {"T_ADMIN": tokens["space_developer"]},
        )
    assert (done.code, "expected the scope cloud_controller.admin" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("existing", [None, "out", "out/below"])
def test_refused_run_leaves_folders_as_they_were(existing: str | None, stub_server: StubServer, tmp_path: Path) -> None:
    """A refused run removes the folders that it created, and no other."""
    stub_server.answer = Api(statuses={ADMIN: 401})
    if existing:
        (tmp_path / existing).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "out" / "below"
    arguments = ("run", stub_server.url, "--token=admin=env:T_ADMIN", "--out", out)
    done = run_command(*arguments, folder=out, env=os.environ | {"T_ADMIN": ADMIN})
    assert (done.code, "rejects it with 401" in done.stderr) == (2, True), done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_plain_pytest_stops_as_well(stub_server: StubServer, tmp_path: Path) -> None:
    """Plain pytest ends with its own code for a usage error."""
    stub_server.answer = Api(statuses={ADMIN: 401})
    arguments = (ROOT / "tests" / "conformance", "--target", stub_server.url, "--token", "admin=env:T_ADMIN")
    done = run_pytest(*arguments, "--conformance-out", tmp_path / "out", T_ADMIN=ADMIN)
    assert (done.returncode, "rejects it with 401" in done.stdout + done.stderr) == (4, True), done.stdout
    assert (stub_server.purges, (tmp_path / "out").exists()) == (0, False)
