"""`--profile observe-only`: only reads, no consent, and a verdict about what needs no purge."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from purge_conformance import catalogue
from purge_conformance.catalogue.api import SAFE_METHODS
from purge_conformance.catalogue.model import Level
from purge_conformance.engine import reference_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.stub import StubServer

EVERY = catalogue.requirements()
OBSERVED = {r.id for r in EVERY if r.observed}


def observe(command: Callable[..., CommandResult], place: Path, *arguments: str, url: str = "") -> CommandResult:
    """Observe a reference server on which other users have many apps; `url` replaces its host."""
    with reference_process.server(["--variant", "many-apps", *arguments]) as (served, tokens):
        sources = [f"--token={role}=env:{role.upper()}_SECRET" for role in tokens]
        return command(
            *("run", served.replace("127.0.0.1", url or "127.0.0.1"), "--profile=observe-only", "--profile=upstream"),
            *(*sources, "--out", place),
            folder=place,
            env=os.environ | {f"{role.upper()}_SECRET": token for role, token in tokens.items()},
        )


def test_observed_target_is_judged(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """On a host without consent, every requirement that needs no purge is judged by reads alone."""
    result = observe(command, tmp_path / "out", url="127.1")
    assert (result.code, result.report["verdict"], set(result.outcomes.values())) == (0, "partial", {"passed"})
    assert set(result.outcomes) == OBSERVED
    assert {x.method for x in result.evidence.exchanges} <= SAFE_METHODS
    assert "nothing is created, changed or destroyed" in result.stdout.splitlines()[0]
    judged = sum(r.level is Level.MUST and r.observed for r in EVERY)
    musts = sum(r.level is Level.MUST for r in EVERY)
    assert f"Verdict: partial: {judged} of {musts} MUST judged, all passed; no purge was sent." in result.stdout
    assert result.report["settings"]["profiles"] == ["observe-only", "upstream"]
    assert result.report["settings"]["apps"] == "observe"


def test_observed_fault_fails(command: Callable[..., CommandResult], tmp_path: Path) -> None:
    """A fault of a read is found without a purge, by the same requirements as with purges."""
    fault = next(fault for fault in catalogue.faults() if fault.id == "unknown-guid-200")
    result = observe(command, tmp_path / "out", "--fault", fault.id)
    assert result.code == 1
    assert {name for name, outcome in result.outcomes.items() if outcome == "failed"} == set(fault.requirements)


@pytest.mark.parametrize("more", [[], ["--hook=command:false"]])
def test_observe_only_sends_reads(
    more: list[str], command: Callable[..., CommandResult], stub_server: StubServer, tmp_path: Path
) -> None:
    """Only reads are sent, whatever the target responds."""
    stub_server.answer = lambda handler: stub_server.respond(
        handler, body=b'{"pagination": {}, "resources": [{"guid": "one"}]}'
    )
    command(
        *(
            "run",
            stub_server.url,
            "--token=admin=env:ADMIN_SECRET",
            "--profile=observe-only",
            *more,
            "--out",
            tmp_path / "out",
        ),
        folder=tmp_path / "out",
        env=os.environ | {"ADMIN_SECRET": "an-opaque-secret"},
    )
    assert {line.split(" ")[0] for line, _ in stub_server.received} <= SAFE_METHODS
    assert len(stub_server.received) > 20
