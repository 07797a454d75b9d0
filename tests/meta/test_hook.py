"""The hook: an HTTP endpoint and a command, real ones, are asked as spec/hook.md tells, within bounds."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import requests

from purge_conformance.config.hook_url import HookAddress, parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.errors import BadSetting, HookFailed, StateUnsupported
from purge_conformance.scenarios.induced_errors import STATES
from purge_conformance.target.hook import MAX_BYTES, Hook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer

SPEC = Path(__file__).parents[2] / "spec"
EXAMPLE = Path(__file__).parent / "examples" / "hook_example.py"
STATE = STATES[503]
SECRET = "a-secret-of-the-admin"  # noqa: S105 -- it opens nothing


def hook(address: str, timeout: float = 20) -> Hook:
    """Return the hook at an address."""
    return Hook(
        Settings(Target("http://target.test"), {"admin": SECRET}, hook=parse_hook(address), limits=Limits(timeout))
    )


def command(code: str) -> str:
    """Return the address of a hook that is a Python program."""
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


@pytest.mark.parametrize(
    ("status", "body", "values"), [(200, b"", {}), (204, b"", {}), (200, b'{"app": "guid"}', {"app": "guid"})]
)
def test_endpoint_sets_state(status: int, body: bytes, values: dict[str, str], stub_server: StubServer) -> None:
    """A hook that answers 200 or 204 has set the state; a JSON object in its body holds values."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status, body)
    assert hook(stub_server.url).set_up(STATE, operation="purge") == values


def test_command_sets_state() -> None:
    """A command that exits with 0 has set the state; a JSON object on its standard output holds values."""
    assert hook(command("""print('{"app": "guid"}')""")).set_up(STATE, operation="purge") == {"app": "guid"}


@pytest.mark.parametrize("action", ["setup", "teardown"])
@pytest.mark.parametrize("state", STATES.values())
def test_question_is_valid(state: str, action: str) -> None:
    """What a hook is asked is valid against spec/hook.schema.json, and an empty answer will do."""
    schema = json.loads((SPEC / "hook.schema.json").read_text(encoding="utf-8"))
    asked = hook(command("import sys; sys.stderr.write(sys.stdin.read()); sys.exit(1)"))
    with pytest.raises(HookFailed) as failed:
        (asked.set_up if action == "setup" else asked.tear_down)(state, operation="list")
    question = json.loads(re.findall(r"\{.*\}", str(failed.value))[0])
    jsonschema.validate(question, schema, jsonschema.Draft202012Validator)
    assert question == {"version": 1, "state": state, "params": {"operation": "list"}, "action": action}


def test_unknown_state_is_no_failure(stub_server: StubServer) -> None:
    """501 and exit code 3 say that a state is not supported; ending it is then no failure, and others may be asked."""
    stub_server.answer = lambda handler: stub_server.respond(handler, 501)
    for asked in (hook(stub_server.url), hook(command("raise SystemExit(3)"))):
        for _ in range(2):
            with pytest.raises(StateUnsupported, match="does not support the state 'service"):
                asked.set_up(STATE, operation="get")
        asked.tear_down(STATE, operation="get")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"no such path", "HTTP 404: no such path"),
        (500, b"", "HTTP 500"),
        (302, b"", "HTTP 302"),
        (200, b"[]", "no JSON object"),
        (200, b"done", "no JSON object: done"),
        (200, b" " * (MAX_BYTES + 1), "larger than"),
        (500, SECRET.encode(), r"HTTP 500: \$ADMIN_TOKEN"),
    ],
)
def test_endpoint_fails(status: int, body: bytes, words: str, stub_server: StubServer) -> None:
    """Any other answer of an endpoint is a failure, told with the beginning of its words, and with no secret."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status, body, Location="/elsewhere")
    asked = hook(stub_server.url)
    for _ in range(2):
        with pytest.raises(HookFailed, match=words):
            asked.set_up(STATE, operation="purge")
    assert len(stub_server.received) == 1  # a hook that failed is asked no more


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('it is broken')", "exit code 1: it is broken"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
        ("print('done')", "no JSON object: done"),
    ],
)
def test_command_fails(code: str, words: str) -> None:
    """Any other end of a command is a failure, told with the beginning of its words."""
    with pytest.raises(HookFailed, match=words):
        hook(command(code)).set_up(STATE, operation="purge")


def test_hook_may_be_absent() -> None:
    """A hook that is not there has failed."""
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
def test_slow_command_is_ended(code: str) -> None:
    """A command that does not exit in time, or says more than it may, is ended, and has failed."""
    begun = time.monotonic()
    with pytest.raises(HookFailed, match=r"did not exit within 0\.5 s"):
        hook(command(code), timeout=0.5).set_up(STATE, operation="purge")
    assert time.monotonic() - begun < 20


def test_slow_endpoint_is_left(stub_server: StubServer) -> None:
    """An endpoint whose answer drips in is left when its time is over, and has failed."""
    left = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        while not left.wait(0.05):
            handler.wfile.write(b"H")
            handler.wfile.flush()

    stub_server.answer = drip
    with pytest.raises(HookFailed, match="gave no answer"):
        hook(stub_server.url, timeout=0.5).set_up(STATE, operation="purge")
    left.set()


def test_command_may_leave_something_running() -> None:
    """What a command started may go on, with its output open; it lets nobody wait."""
    code = "import subprocess; print(subprocess.Popen(['sleep', '2']) and '{}', flush=True)"
    assert hook(command(code)).set_up(STATE, operation="purge") == {}


def test_command_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command inherits the environment without the variables that hold a token."""
    monkeypatch.setenv("ADMIN_TOKEN", f"bearer {SECRET}")
    monkeypatch.setenv("HOOK_OPTION", "stays")
    code = "import json, os; print(json.dumps({n: os.environ.get(n) for n in ('ADMIN_TOKEN', 'HOOK_OPTION')}))"
    found = hook(command(code)).set_up(STATE, operation="purge")
    assert found == {"ADMIN_TOKEN": None, "HOOK_OPTION": "stays"}


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host/",
        "host:80",
        "http://",
        "http://user:s3cret@host/",
        "http://host/#part",
        "command:",
        "command:'open",
        "",
    ],
)
def test_bad_address_is_refused(text: str) -> None:
    """What is neither a URL nor a command is refused, and never shown: it may hold a secret."""
    with pytest.raises(BadSetting, match="Give --hook") as refused:
        parse_hook(text)
    assert "s3cret" not in str(refused.value)


def test_address_is_hidden() -> None:
    """A hook's address may hold a secret, and never shows."""
    assert "key" not in repr([parse_hook("http://host/?key=1"), parse_hook("command:run --key 1")])
    assert parse_hook("command:run 'a b'") == HookAddress(command=("run", "a b"))


def test_document_shows_example() -> None:
    """spec/hook.md shows the example as the tests run it."""
    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in (SPEC / "hook.md").read_text(encoding="utf-8")


@contextmanager
def emulator(folder: Path) -> Iterator[str]:
    """Serve the example in a folder; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, EXAMPLE, str(port)], cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    continue
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.mark.parametrize("way", ["endpoint", "command"])
def test_example_provokes(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, as an endpoint and as a command: one request meets the error, and a state that ends meets none."""
    monkeypatch.chdir(tmp_path)
    with emulator(tmp_path) as url:
        asked = hook(f"{url}/hook" if way == "endpoint" else f"command:{shlex.quote(sys.executable)} {EXAMPLE}")
        path = f"{url}/v3/app_usage_events"
        for status, state in STATES.items():
            asked.set_up(state, operation="list")
            assert [requests.get(path, timeout=10).status_code for _ in range(2)] == [status, 200]
            asked.set_up(state, operation="purge")
            asked.tear_down(state, operation="purge")
            assert requests.post(path, timeout=10).status_code == 200
        with pytest.raises(StateUnsupported):
            asked.set_up("the moon is full", operation="list")
