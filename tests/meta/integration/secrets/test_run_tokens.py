"""No file and no output of a run contains a token, or a part of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from meta.support.leaks import echo, read_text, secret_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult, FullRun
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

    Connect = Callable[..., Client]


SIGNATURE = "c2lnbmF0dXJlLXNpZ25hdHVyZQ"
PAYLOAD = "eyJzY29wZSI6WyJjbG91ZF9jb250cm9sbGVyLmFkbWluIl19"
TOKEN = f"eyJhbGciOiJIUzI1NiJ9.{PAYLOAD}.{SIGNATURE}"
PARTS = (PAYLOAD, SIGNATURE, SIGNATURE[::-1])


@pytest.mark.parametrize("role", ["admin", "global_auditor", "expired", "space_developer"])
def test_run_folder_contains_no_token(role: str, full_run: FullRun) -> None:
    """No file of a run contains a token, its payload or its signature."""
    for path in full_run.folder.rglob("*"):
        text = read_text(path)
        assert [path.name for secret in secret_parts(full_run.tokens[role]) if secret in text] == []


def test_output_contains_no_token(full_run: FullRun) -> None:
    """The output of a run contains no token, with --verbose too."""
    shown = full_run.stdout + full_run.stderr
    assert [role for role, token in full_run.tokens.items() for secret in secret_parts(token) if secret in shown] == []


def test_evidence_names_variables(full_run: FullRun) -> None:
    """The evidence contains variables in place of the tokens."""
    shown = {value for x in full_run.evidence.exchanges for name, value in x.request_headers if name == "Authorization"}
    assert {"bearer $ADMIN_TOKEN", "bearer $GLOBAL_AUDITOR_TOKEN", "bearer $EXPIRED_TOKEN"} <= shown


def test_echo_of_run_is_redacted(
    stub_server: StubServer, command: Callable[..., CommandResult], tmp_path: Path
) -> None:
    """A run against a server that repeats tokens leaves none in any file or line."""
    stub_server.answer = echo
    done = command(
        *("run", stub_server.url, "--token=admin=env:ADMIN_SECRET", "--verbose", "--max-requests=60", "--select=P*"),
        *("--out", tmp_path),
        folder=tmp_path,
        env=os.environ | {"ADMIN_SECRET": TOKEN},
    )
    files = {path.name: read_text(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"evidence.jsonl", "archive.jsonl.gz", "report.json", "report.html"} <= set(files)
    places = files | {"stdout": done.stdout, "stderr": done.stderr}
    assert [name for name, text in places.items() for secret in PARTS if secret in text] == []


def test_archive_is_unchanged(full_run: FullRun) -> None:
    """The archive contains the events unchanged, with nothing redacted."""
    assert "_TOKEN" not in read_text(full_run.folder / "archive.jsonl.gz")
