"""A command hook gets requests as spec/hook.md says, within bounds."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING

import jsonschema
import pytest

from meta.support.hook import SECRET, STATE, hook, python_command
from meta.support.paths import SPEC
from purge_conformance.errors import HookFailed, StateUnsupported
from purge_conformance.scenarios.induced_errors import STATES
from purge_conformance.target.hook import MAX_BYTES

if TYPE_CHECKING:
    from meta.support.stub import StubServer


def test_command_hook_sets_state() -> None:
    """A command that exits with 0 has set the state; a JSON object on its standard output holds values."""
    assert hook(python_command("""print('{"app": "guid"}')""")).set_up(STATE, operation="purge") == {"app": "guid"}


@pytest.mark.parametrize("action", ["setup", "teardown"])
@pytest.mark.parametrize("state", STATES.values())
def test_hook_request_matches_schema(state: str, action: str) -> None:
    """A hook request is valid against spec/hook.schema.json, and an empty response suffices."""
    schema = json.loads((SPEC / "hook.schema.json").read_text(encoding="utf-8"))
    asked = hook(python_command("import sys; sys.stderr.write(sys.stdin.read()); sys.exit(1)"))
    with pytest.raises(HookFailed) as failed:
        (asked.set_up if action == "setup" else asked.tear_down)(state, operation="list")
    question = json.loads(re.findall(r"\{.*\}", str(failed.value))[0])
    jsonschema.validate(question, schema, jsonschema.Draft202012Validator)
    assert question == {"version": 1, "state": state, "params": {"operation": "list"}, "action": action}


def test_unsupported_state_is_reported(stub_server: StubServer) -> None:
    """501 and exit code 3 mean an unsupported state; ending it is then no failure, and others may follow."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 501)
    for asked in (hook(stub_server.url), hook(python_command("raise SystemExit(3)"))):
        for _ in range(2):
            with pytest.raises(StateUnsupported, match="does not support the state 'service"):
                asked.set_up(STATE, operation="get")
        asked.tear_down(STATE, operation="get")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('it is broken')", "exit code 1: it is broken"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ("print('done')", "no JSON object: done"),
    ],
)
def test_command_hook_failure_is_reported(code: str, words: str) -> None:
    """Any other exit of a command is a failure, with the start of its output."""
    with pytest.raises(HookFailed, match=words):
        hook(python_command(code)).set_up(STATE, operation="purge")


def test_missing_hook_is_reported() -> None:
    """A missing hook is a failure."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}/", "command:/no/such/program"):
        with pytest.raises(HookFailed, match="gave no answer"):
            hook(address).set_up(STATE, operation="purge")


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        f"print('x' * {2 * MAX_BYTES})",
        "import subprocess; subprocess.run(['sleep', '60'])",
    ],
)
def test_slow_command_is_terminated(code: str) -> None:
    """A command that does not exit in time, or prints too much, is terminated and is a failure."""
    begun = time.monotonic()
    with pytest.raises(HookFailed, match=r"did not exit within 0\.5 s"):
        hook(python_command(code), timeout=0.5).set_up(STATE, operation="purge")
    assert time.monotonic() - begun < 20


def test_background_process_does_not_block() -> None:
    """A background process of a command may keep its output open; the hook does not wait for it."""
    code = "import subprocess; print(subprocess.Popen(['sleep', '2']) and '{}', flush=True)"
    assert hook(python_command(code)).set_up(STATE, operation="purge") == {}


def test_command_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command inherits the environment without the variables that hold a token."""
    monkeypatch.setenv("ADMIN_TOKEN", f"bearer {SECRET}")
    monkeypatch.setenv("HOOK_OPTION", "stays")
    code = "import json, os; print(json.dumps({n: os.environ.get(n) for n in ('ADMIN_TOKEN', 'HOOK_OPTION')}))"
    found = hook(python_command(code)).set_up(STATE, operation="purge")
    assert found == {"ADMIN_TOKEN": None, "HOOK_OPTION": "stays"}
