"""A run against the pinned target."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from meta.support.root_document import root_document
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meta.support.command import CommandResult
    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer


def test_pinned_target_is_judged(
    command: Callable[..., CommandResult], stub_server: StubServer, builder: EvidenceBuilder, tmp_path: Path
) -> None:
    """The pinned target is judged."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=root_document())
    fingerprint = fingerprint_of(builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=root_document()))
    result = command(
        *(
            "run",
            stub_server.url,
            "--token=admin=env:ADMIN_SECRET",
            "--allow-purge=api",  # to which its root document links
            f"--fingerprint={fingerprint}",
            "--out",
            tmp_path / "out",
        ),
        folder=tmp_path / "out",
        env=os.environ | {"ADMIN_SECRET": "an-opaque-secret"},
    )
    assert (result.code, result.report["verdict"]) == (3, "inconclusive")  # it is no API, but it got requests
