"""`doctor` and `plan` take every flag of `run`, and check what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.api_stub import Api
from meta.support.invoke import ADMIN, invoke
from meta.support.labelled_resources import LabelledResources
from purge_conformance.cli.doctor import doctor
from purge_conformance.cli.plan import plan
from purge_conformance.cli.run import run
from purge_conformance.evidence.listing import APPS

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    import click

    from meta.support.stub import StubServer

COMMANDS = ("doctor", "plan")
FLEET_FLAGS = {"targets", "jobs", "workers"}


class ApiWithoutSpaces(Api):
    """An API with one event and without spaces."""

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        if handler.path.startswith("/v3/spaces"):
            handler.send_error(404)
        else:
            super().__call__(handler)


@pytest.fixture
def url(stub_server: StubServer) -> str:
    """The URL of a healthy target, under a host name that does not count as local."""
    stub_server.answer = ApiWithoutSpaces()
    return stub_server.url.replace("127.0.0.1", "127.1")


@pytest.mark.parametrize("command", [doctor, plan], ids=COMMANDS)
def test_flags_are_those_of_run(command: click.Command) -> None:
    """No flag of `run` is missing, whatever is added to it, but those of a fleet; only --json is a flag of its own."""
    flags = [(each.name, each.opts) for each in command.params if each.name != "as_json"]
    assert flags == [(each.name, each.opts) for each in run.params if each.name not in FLEET_FLAGS]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 0, ""),
        (("--allow-purge=127.1",), 0, ""),
        (("--allow-purge=other.example",), 2, "expected: 127.1"),
        (("--allow-purge=127.1", "--format=sarif,har=/dev/null"), 2, "Give another file: --format har=FILE"),
        (("--baseline=/none", "--allow-purge=127.1"), 2, "Give a report.json that a run wrote"),
        (("--watch", "--allow-purge=127.1"), 0, ""),
        (("--watch", f"--watch-file={__file__}", "--allow-purge=127.1"), 0, ""),
        (("--interval=5",), 2, "Give --watch as well."),
        (("--space=one", "--allow-purge=127.1"), 2, "Give --space GUID"),
        (("--max-purges=3",), 0, "Give --max-purges 7"),
        (("--max-requests=60",), 0, "Give --max-requests 1"),
        (("--max-purges=1", "--max-requests=300", "--select=AUTH-01"), 0, ""),
        (("--max-time=60", "--timeout=9"), 0, ""),
        (("--max-events=5",), 2, "Give --max-events 2468"),
        (("--max-events=5", "--allow-incomplete-archive"), 0, "Give --max-events 2468"),
        (("--hook=http://127.0.0.1:1",), 2, "Start it"),
        ((f"--fingerprint={'0' * 64}",), 2, f"expected: {'0' * 64}"),
        (("--allow-purge=other.example", "--before-purge=true", "--alongside"), 2, "expected: 127.1"),
        (("--before-purge=true",), 0, ""),
        (("--before-purge=no-such-program",), 2, "--before-purge names a program that was not found"),
        (("--token=global_auditer=env:ADMIN_SECRET",), 2, "Did you mean global_auditor?"),
        (("--select=NO-SUCH",), 2, "matches no requirement"),
        (("--app-droplet-file=no-such-file",), 2, "is not an existing file"),
        (("--seed=1", "--examples=2", "--repeat=2", "--profile=upstream", "--quiet"), 0, ""),
    ],
)
def test_flag_is_checked(  # noqa: PLR0913, PLR0917 -- a row of a table
    command: str, arguments: tuple[str, ...], code: int, words: str, url: str, stub_server: StubServer
) -> None:
    """A flag that a run would stop at is a problem, one that cuts it short is a warning; both only read."""
    done = invoke(command, url, ADMIN, *arguments)
    assert (done.exit_code, words in " ".join(done.output.split())) == (code, True), done.output
    assert {line.split()[0] for line, _ in stub_server.received} <= {"GET"}


@pytest.mark.parametrize("command", COMMANDS)
def test_folder_is_checked(command: str, url: str, tmp_path: Path) -> None:
    """The folder of another run, or a file in its place, is a problem; nothing is created."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "evidence.jsonl").touch()
    (tmp_path / "file").touch()
    for name, code in (("used", 2), ("file", 2), ("file/below", 2), ("new", 0), ("new/below", 0)):
        done = invoke(command, url, ADMIN, "--out", str(tmp_path / name))
        assert (done.exit_code, "Name another folder" in " ".join(done.output.split())) == (code, code == 2), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "used"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["", "--alongside", "--profile=observe-only"])
def test_other_run_is_found(command: str, flag: str, stub_server: StubServer) -> None:
    """The label of another run that is active is a problem, as for a run; not where a run would ignore it."""
    foundation, api = LabelledResources(stub_server), Api()
    foundation.add(APPS, "one", "4567cdef", age=600)
    search = stub_server.answer
    stub_server.answer = lambda handler: search(handler) if "label_selector" in handler.path else api(handler)
    done = invoke(command, stub_server.url, ADMIN, *filter(None, [flag]))
    printed = " ".join(done.output.split())
    assert (done.exit_code, "--run 4567cdef" in printed) == ((0, False) if flag else (2, True)), printed
    assert any("label_selector" in target for target in stub_server.targets) is not bool(flag)


@pytest.mark.parametrize("command", COMMANDS)
def test_unreachable_target_exits_3(command: str) -> None:
    """There is nothing to correct if the target does not answer."""
    assert invoke(command, "http://127.0.0.1:1", ADMIN).exit_code == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_verbose_prints_requests(command: str, url: str) -> None:
    """--verbose prints every request."""
    assert "GET /v3/apps?per_page=1 -> 200" in invoke(command, url, ADMIN, "--verbose").output
    assert "GET" not in invoke(command, url, ADMIN, "--quiet").output
