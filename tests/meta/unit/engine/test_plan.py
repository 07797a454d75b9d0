"""The plan of a run, and the command that prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.invoke import ADMIN, invoke
from purge_conformance.catalogue.api import EVENTS_PATH
from purge_conformance.scenarios.definitions import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from meta.support.stub import StubServer

BASE = ("preflight", "fill-page", "archive")  # of a run that creates no apps


def test_plan_only_reads(stub_server: StubServer, empty_folder: Path) -> None:
    """`plan` sends a few reads, and prints the state of the target, the costs of a run, and the consent it needs."""
    body = b'{"links": {"self": {"href": "x"}}, "pagination": {"total_results": 1234}, "resources": [{"guid": "one"}]}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    url = stub_server.url.replace("127.0.0.1", "127.1")
    done = invoke("plan", url, ADMIN)
    assert (done.exit_code, done.stderr, list(empty_folder.iterdir())) == (0, "", [])
    assert stub_server.targets[:4] == ["/", "/v3", "/v3/apps?per_page=1", f"{EVENTS_PATH}?per_page=1"]
    assert ["label_selector" in target for target in stub_server.targets[4:]] == [False, False, True, True, True]
    assert {line.split(" ")[0] for line, _ in stub_server.received} == {"GET"}
    assert "Authorization" not in stub_server.received[0][1]
    for words in (
        "1,234 events",
        "Fingerprint: ",
        "Newest event: one",
        "concurrent-purges",
        "requests and 20 purges; about",
    ):
        assert words in done.stdout
    for words in ("race", "sequences", "foundation", "cleanup"):  # send nothing without apps of the suite's own
        assert f"\n{words} " not in done.stdout
    assert "--allow-purge 127.1" in done.stdout
    assert "Give --apps drive --space GUID: (one)" in " ".join(done.stdout.split())
    assert "It would create and change nothing" in done.stdout


@pytest.mark.parametrize(
    ("flags", "scenarios", "purges"),
    [
        (["--select=AUTH-01"], ["preflight", "fill-page", "archive", "rejected-purges"], "no purge"),
        (["--select=AUTH-09"], [*BASE, "rejected-purges", "auth-bypass"], "no purge"),
        (["--select=AFTER-04"], [*BASE, "purge", "second-purge", "app-changes"], "2 purges"),
        (["--profile=observe-only"], ["preflight", "reads", "lists", "generated"], "no purge"),
        (["--profile=observe-only", "--select=AUTH-08"], ["preflight", "reads"], "no purge"),
    ],
)
def test_plan_shows_what_runs(flags: list[str], scenarios: list[str], purges: str, stub_server: StubServer) -> None:
    """`plan` lists only the scenarios of a selection, or those that read, and counts only their purges."""
    body = b'{"links": {"self": {"href": "x"}}, "pagination": {"total_results": 0}, "resources": []}'
    stub_server.answer = lambda handler: stub_server.respond(handler, body=body)
    done = invoke("plan", stub_server.url.replace("127.0.0.1", "127.1"), ADMIN, *flags)
    lines = done.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("scenario "))
    assert [line.split()[0] for line in lines[start + 1 : start + 1 + len(scenarios)]] == scenarios
    requests = sum(each.cost.requests for each in SCENARIOS if each.name in scenarios)
    assert lines[start + 1 + len(scenarios)].startswith(f"In total at most {requests} requests and {purges};")
    assert ("a target that obeys one all the same" in done.stdout) == ("AUTH-0" in "".join(flags[:1]))


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(401, 2, "rejects it with 401"), (404, 2, "Check the URL"), (503, 3, "The target is unavailable")],
)
def test_plan_needs_the_api(status: int, code: int, words: str, stub_server: StubServer) -> None:
    """`plan` explains that a target is no API, or that it rejects the token."""
    stub_server.answer = lambda handler: stub_server.respond(handler, status)
    done = invoke("plan", stub_server.url, ADMIN)
    assert (done.exit_code, words in " ".join(done.stdout.split())) == (code, True)
