"""Commands read the configuration file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from purge_conformance.cli.group import main
from purge_conformance.config.loader import FILE_NAME
from purge_conformance.config.options import KEYS

if TYPE_CHECKING:
    from meta.support.stub import StubServer

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 -- not a real token


pytestmark = pytest.mark.usefixtures("empty_folder")


def test_literal_token_is_rejected(stub_server: StubServer) -> None:
    """A token in the file itself is rejected with the next step, not repeated, and nothing is sent."""
    Path(FILE_NAME).write_text(f"target: {stub_server.url}\ntokens:\n  admin: {TOKEN}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["run"])
    assert (result.exit_code, stub_server.received) == (2, [])
    assert "env:NAME" in result.output
    assert [part for part in TOKEN.split(".") if part[:8] in result.output] == []


def test_plan_reads_the_file(stub_server: StubServer) -> None:
    """`plan` reads the target, the tokens and all else from the file in its folder and from the environment."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 401)
    text = f"target: {stub_server.url}\ntokens:\n  admin: env:ADMIN_SECRET\nout: there\nselect: [ROUTE-01]\n"
    Path(FILE_NAME).write_text(text, encoding="utf-8")
    environ = {"ADMIN_SECRET": "an-opaque-secret", "PURGE_CONFORMANCE_SEED": "5"}
    result = CliRunner().invoke(main, ["plan"], env=environ)
    assert (result.exit_code, stub_server.received != []) == (2, True), result.output


def test_config_file_gives_no_consent() -> None:
    """A target that a file names gives no consent to purge it."""
    Path(FILE_NAME).write_text("target: https://api.example.org\ntokens:\n  admin: env:PATH\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["run"])
    assert (result.exit_code, "--allow-purge api.example.org" in result.output) == (2, True)


@pytest.mark.parametrize("key", [key for key in KEYS if key.name != "target"], ids=lambda key: key.name)
def test_options_are_run_flags(key: Any) -> None:  # noqa: ANN401 -- a key
    """Every option of the file is a flag of `run` as well."""
    assert key.option in CliRunner().invoke(main, ["run", "--help"], env=dict(os.environ)).output
