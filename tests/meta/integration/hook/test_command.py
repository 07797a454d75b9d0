"""A command hook gets requests as spec/hook.md says, within bounds."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import jsonschema
import pytest

from meta.support.hook import SECRET, STATE, hook, python_command
from meta.support.paths import SPEC
from purge_conformance.errors import HookFailed, StateUnsupported
from purge_conformance.scenarios.induced_errors import STATES
from purge_conformance.target.hook import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path


def test_command_hook_sets_state() -> None:
    """A command that exits with 0 has set the state; a JSON object on its standard output holds values."""
    assert hook(python_command("""print('{"app": "guid"}')""")).set_up(STATE, operation="purge") == {"app": "guid"}


@pytest.mark.parametrize("action", ["setup", "teardown"])
@pytest.mark.parametrize("state", STATES.values())
def test_hook_request_matches_schema(state: str, action: str) -> None:
    """A hook request is valid against spec/hook.schema.json, and an empty response suffices."""
    schema = json.loads((SPEC / "hook.schema.json").read_text(encoding="utf-8"))
    command_hook = hook(python_command("import sys; sys.stderr.write(sys.stdin.read()); sys.exit(1)"))
    with pytest.raises(HookFailed) as failure:
        (command_hook.set_up if action == "setup" else command_hook.tear_down)(state, operation="list")
    request = json.loads(re.findall(r"\{.*\}", str(failure.value))[0])
    jsonschema.validate(request, schema, jsonschema.Draft202012Validator)
    assert request == {"version": 1, "state": state, "params": {"operation": "list"}, "action": action}


def test_unsupported_state_is_reported() -> None:
    """Exit code 3 means an unsupported state; ending it is then no failure, and others may follow."""
    command_hook = hook(python_command("raise SystemExit(3)"))
    for _ in range(2):
        with pytest.raises(StateUnsupported, match="does not support the state 'service"):
            command_hook.set_up(STATE, operation="get")
    command_hook.tear_down(STATE, operation="get")


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


def test_missing_command_is_reported() -> None:
    """A missing program is a failure."""
    with pytest.raises(HookFailed, match="gave no answer"):
        hook("command:/no/such/program").set_up(STATE, operation="purge")


@pytest.mark.parametrize(
    "code",
    [
        "signal.pause()",
        f"print('x' * {2 * MAX_BYTES})",
        "subprocess.run([sys.executable, '-c', 'import signal; signal.pause()'], close_fds=False)",
    ],
    ids=["hangs", "prints", "child-hangs"],
)
def test_slow_command_is_terminated(code: str, tmp_path: Path) -> None:
    """A command that does not exit in time, or prints too much, is a failure and is terminated with its children."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    keep_open = f"import os, signal, subprocess, sys; os.set_inheritable(os.open({str(pipe)!r}, os.O_WRONLY), True)"
    with pytest.raises(HookFailed, match=r"did not exit within 0\.5 s"):
        hook(python_command(f"{keep_open}; {code}"), timeout=0.5).set_up(STATE, operation="purge")
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # the end of the pipe: no process keeps it open
    os.close(reader)


def test_background_process_does_not_block(tmp_path: Path) -> None:
    """A background process of a command may keep its output open; the hook does not wait for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = f"import subprocess; print(subprocess.Popen(['cat', {str(pipe)!r}]) and '{{}}', flush=True)"
    assert hook(python_command(code)).set_up(STATE, operation="purge") == {}
    pipe.write_bytes(b"")  # opens the pipe, which ends the background process


def test_command_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command inherits the environment without the variables that hold a token."""
    monkeypatch.setenv("ADMIN_TOKEN", f"bearer {SECRET}")
    monkeypatch.setenv("HOOK_OPTION", "stays")
    code = "import json, os; print(json.dumps({n: os.environ.get(n) for n in ('ADMIN_TOKEN', 'HOOK_OPTION')}))"
    environment = hook(python_command(code)).set_up(STATE, operation="purge")
    assert environment == {"ADMIN_TOKEN": None, "HOOK_OPTION": "stays"}
