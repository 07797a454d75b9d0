"""Links to jobs: read at the target itself, below its jobs, whatever they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from purge_conformance.evidence.steps import Step
from purge_conformance.target.apps.jobs import job_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://elsewhere.test/v3/jobs/a-job", "/v3/jobs/a-job"),
        ("/prefix/v3/jobs/a.b~c", "/v3/jobs/a.b~c"),
        ("/v3/jobs/..", None),
        ("/v3/jobs/.", None),
        ("/v3/jobs/../apps/x", None),
        ("/v3/jobs/%2e%2e", None),
        ("//elsewhere.test/v3/apps/x", None),
        ("http://[", None),
    ],
)
def test_only_jobs_are_followed(
    location: str, expected: str | None, stub_server: StubServer, make_client: Callable[..., Client]
) -> None:
    """A link yields a path below the target's jobs, or none."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        stub_server.respond(handler, 202, Location=location)

    stub_server.answer = answer
    assert job_path(make_client().delete("/v3/apps/a", Step.DELETE)) == expected
