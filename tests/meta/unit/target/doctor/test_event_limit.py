"""The event limit: the doctor and the plan name what a run needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meta.support.invoke import ADMIN, invoke
from meta.support.warnings import list_body, settings
from purge_conformance.target.doctor import Effect
from purge_conformance.target.doctor.probe import run_checks

if TYPE_CHECKING:
    from meta.support.stub import StubServer


def test_event_limit_is_reported_early(stub_server: StubServer) -> None:
    """`doctor` and `plan` name the limit that a run needs."""
    stub_server.answer = lambda handler: stub_server.respond(handler, body=list_body([{"guid": "one"}], 70_000))
    (events_check,) = (check for check in run_checks(settings(stub_server)) if check.name == "events")
    assert (events_check.effect, "--max-events 140000" in events_check.next_step) == (Effect.REFUSAL, True)
    for more, is_reported in ((), True), (("--max-events=140000",), False):
        result = invoke("plan", stub_server.url, ADMIN, *more)
        assert ("--max-events 140000" in result.stdout, result.exit_code == 2) == (is_reported, is_reported)
