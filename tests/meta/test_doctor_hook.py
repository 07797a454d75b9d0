"""The doctor asks the hook whether it is there: by a question that changes nothing, to real hooks of either kind."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import requests
from click.testing import CliRunner

from purge_conformance import catalogue
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.cli import main
from purge_conformance.config.hook_url import parse_hook
from purge_conformance.config.settings import Limits, Settings, Target
from purge_conformance.engine import reference_process as embedded
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from meta.support.stub import StubServer
    from purge_conformance.target.doctor import Check

EXAMPLE = Path(__file__).parent / "examples" / "hook_example.py"
SECRET = "a-secret-of-the-admin"  # noqa: S105 -- it opens nothing


def found(url: str, hook: str, timeout: float = 20, token: str = SECRET) -> Check:
    """Return what the doctor finds of a hook."""
    asked = Settings(Target(url), {"admin": token}, hook=parse_hook(hook), limits=Limits(timeout=timeout))
    (check,) = (check for check in run_checks(asked) if check.name == "hook")
    return check


def program(code: str) -> str:
    """Return the address of a hook that is a Python program."""
    return f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_reference_has_a_hook(reference_server: tuple[str, dict[str, str]]) -> None:
    """The reference server's hook is there, and no error waits for the next request."""
    url, tokens = reference_server
    assert str(found(url, embedded.hook_url(url), token=tokens["admin"]).status) == "ok"
    answer = requests.get(f"{url}{EVENTS_PATH}", headers={"Authorization": f"bearer {tokens['admin']}"}, timeout=20)
    assert answer.status_code == 200


def test_example_is_there(stub_server: StubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is the example of spec/hook.md, and no error waits for a request after that."""
    monkeypatch.chdir(tmp_path)
    assert str(found(stub_server.url, f"command:{shlex.quote(sys.executable)} {EXAMPLE}").status) == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [200, 204, 501])
def test_endpoint_is_there(status: int, stub_server: StubServer, second_stub_server: StubServer) -> None:
    """A hook is asked once; one that does not know the state is there as well."""
    second_stub_server.answer = lambda handler: second_stub_server.respond(handler, status, b"")
    assert str(found(stub_server.url, second_stub_server.url).status) == "ok"
    assert [line.split()[0] for line, _ in second_stub_server.received] == ["POST"]


def test_question_is_valid(stub_server: StubServer, tmp_path: Path) -> None:
    """The question is valid against spec/hook.schema.json, and asks for nothing."""
    asked = tmp_path / "asked"
    assert str(found(stub_server.url, f"command:tee {asked}").status) == "ok"
    question = json.loads(asked.read_text(encoding="utf-8"))
    jsonschema.validate(question, catalogue.document("hook.schema.json"), jsonschema.Draft202012Validator)
    assert question == {"version": 1, "state": "nothing", "params": {}, "action": "setup"}


@pytest.mark.parametrize(
    ("hook", "got", "cure"),
    [
        ("http://127.0.0.1:1/", "gave no answer", "Start it"),
        ("command:/no/such/program", "gave no answer (FileNotFoundError)", "Start it"),
        (program("raise SystemExit('broken')"), "exit code 1: broken", "spec/hook.md"),
        (program("print('fine')"), "no JSON object: fine", "spec/hook.md"),
        (program("import time; time.sleep(60)"), "did not exit within", "--timeout"),
        (program(f"raise SystemExit('{SECRET}')"), "exit code 1: $ADMIN_TOKEN", "spec/hook.md"),
    ],
)
def test_absent_or_broken_is_a_problem(hook: str, got: str, cure: str, stub_server: StubServer) -> None:
    """A hook that is not there, fails, talks otherwise or does not end is a problem, told with its cure."""
    check = found(stub_server.url, hook, timeout=0.5 if "sleep" in hook else 20)
    assert (str(check.status), got in check.got, cure in check.next_step) == ("problem", True, True), check
    assert check.expected == ("exit code 0 or 3" if hook.startswith("command:") else "200, 204 or 501")


@pytest.mark.parametrize(("status", "body"), [(404, b"no such page"), (302, b""), (200, b"<html>")])
def test_no_hook_is_a_problem(
    status: int, body: bytes, stub_server: StubServer, second_stub_server: StubServer
) -> None:
    """Something else at that address is told, with what it said."""
    second_stub_server.answer = lambda handler: second_stub_server.respond(handler, status, body, Location="/")
    check = found(stub_server.url, second_stub_server.url)
    assert (str(check.status), body.decode() in check.got, "spec/hook.md" in check.next_step) == ("problem", True, True)


def test_command_shows_the_hook(stub_server: StubServer) -> None:
    """`doctor --hook` exits with 2 where that is not there, and does not show its address."""
    body = b'{"links": {"apps": {}}, "pagination": {"total_results": 0}, "resources": []}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    asked = ["doctor", stub_server.url, "--token=admin=env:T", "--hook=http://127.0.0.1:1/?key=hidden"]
    done = CliRunner().invoke(main, asked, env={"T": SECRET})
    assert (done.exit_code, "problem  hook: " in done.output, "hidden" in done.output) == (2, True, False), done.output
    assert f"{EVENTS_PATH}?per_page=1" in stub_server.targets
