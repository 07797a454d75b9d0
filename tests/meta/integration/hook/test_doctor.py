"""The doctor probes a command hook and the hook of the reference server."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
import requests

from meta.support.hook import SECRET, check_hook, python_command
from meta.support.paths import EXAMPLES
from purge_conformance import catalogue
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

EXAMPLE = EXAMPLES / "hook_example.py"


def test_reference_hook_is_available(reference_server: tuple[str, dict[str, str]]) -> None:
    """The reference server's hook is available, and the probe sets no error."""
    url, tokens = reference_server
    assert str(check_hook(url, reference_process.hook_url(url), token=tokens["admin"]).status) == "ok"
    answer = requests.get(f"{url}{EVENTS_PATH}", headers={"Authorization": f"bearer {tokens['admin']}"}, timeout=20)
    assert answer.status_code == 200


def test_example_hook_is_available(stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of spec/hook.md is available, and the probe sets no error."""
    monkeypatch.chdir(tmp_path)
    assert str(check_hook(stub_server.url, f"command:{shlex.quote(sys.executable)} {EXAMPLE}").status) == "ok"
    assert list(tmp_path.iterdir()) == []


def test_probe_matches_schema(stub_server: StubServer, tmp_path: Path) -> None:
    """The probe is valid against spec/hook.schema.json and induces nothing."""
    request_file = tmp_path / "asked"
    assert str(check_hook(stub_server.url, f"command:tee {request_file}").status) == "ok"
    request = json.loads(request_file.read_text(encoding="utf-8"))
    jsonschema.validate(request, catalogue.document("hook.schema.json"), jsonschema.Draft202012Validator)
    assert request == {"version": 1, "state": "nothing", "params": {}, "action": "setup"}


@pytest.mark.parametrize(
    ("hook", "got", "next_step"),
    [
        ("command:/no/such/program", "gave no answer (FileNotFoundError)", "Start it"),
        (python_command("raise SystemExit('broken')"), "exit code 1: broken", "spec/hook.md"),
        (python_command("print('fine')"), "no JSON object: fine", "spec/hook.md"),
        (python_command("import signal; signal.pause()"), "did not exit within", "--timeout"),
        (python_command(f"raise SystemExit('{SECRET}')"), "exit code 1: $ADMIN_TOKEN", "spec/hook.md"),
    ],
)
def test_unavailable_hook_is_a_problem(hook: str, got: str, next_step: str, stub_server: StubServer) -> None:
    """A command that is missing, fails, gives an invalid response or does not exit is a problem with a next step."""
    check = check_hook(stub_server.url, hook, timeout=0.5 if "pause" in hook else 20)
    assert (str(check.status), got in check.got, next_step in check.next_step) == ("problem", True, True), check
    assert check.expected == "exit code 0 or 3"
