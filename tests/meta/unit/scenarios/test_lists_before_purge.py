"""Reads of the list before the first purge, by runs that change no apps."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from meta.support.client import recorded_evidence
from purge_conformance.config.apps import AppSettings, Mode
from purge_conformance.evidence.steps import Step
from purge_conformance.scenarios.listing import PAGES_PER_WALK, read_lists_before_purge

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from meta.support.story import EvidenceBuilder
    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client
    from purge_conformance.target.apps import SuiteApps

MAX_REQUESTS = 50  # the cost of the scenario
APPS = cast("SuiteApps", SimpleNamespace())
ORDERED = {Step.ASCENDING, Step.DESCENDING}
FILTERED = {Step.FILTER_AFTER_GUID, Step.FILTER_CREATED_ATS, Step.COMBINED_FILTERS}


@pytest.fixture
def make_run(
    stub_server: StubServer, builder: EvidenceBuilder, make_client: Callable[..., Client]
) -> Callable[..., Client]:
    """Return a function that returns the client of a run against a list of events of these seconds."""

    def make(mode: Mode, seconds: tuple[int, ...], *, has_next: bool = False) -> Client:
        rows = [builder.event(f"e{n}", "a", f"2026-07-01T12:00:0{at}Z") for n, at in enumerate(seconds)]
        pages = iter(range(100))

        def answer(handler: BaseHTTPRequestHandler) -> None:
            shown = [*rows, builder.event(f"more {next(pages)}", "a")] if has_next else rows
            links = {"total_results": 3, "next": {"href": "/"} if has_next else None}
            stub_server.respond(handler, body=json.dumps({"pagination": links, "resources": shown}).encode())

        stub_server.answer = answer
        client = make_client()
        client.settings = replace(client.settings, apps=AppSettings(mode))
        return client

    return make


@pytest.mark.parametrize(
    ("mode", "seconds", "steps"),
    [
        (Mode.OBSERVE, (1, 2, 3), {Step.OPENING, *ORDERED, *FILTERED, Step.CLOSING}),
        (Mode.OBSERVE, (1, 1, 1), {Step.OPENING}),
        (Mode.OBSERVE, (), {Step.OPENING}),
        (Mode.DRIVE, (1, 2, 3), set()),
        (Mode.HOOK, (1, 2, 3), set()),
    ],
)
def test_lists_are_read_where_times_differ(
    make_run: Callable[[Mode, tuple[int, ...]], Client], mode: Mode, seconds: tuple[int, ...], steps: set[Step]
) -> None:
    """Only a run that changes no apps reads them, of events that have several times."""
    client = make_run(mode, seconds)
    read_lists_before_purge(client, APPS)
    sent = recorded_evidence(client).exchanges
    assert {x.step for x in sent} == steps
    assert len(sent) <= MAX_REQUESTS


def test_long_list_is_not_read(make_run: Callable[..., Client]) -> None:
    """Of a list that goes on after a few pages nothing more is read."""
    client = make_run(Mode.OBSERVE, (1, 2, 3), has_next=True)
    read_lists_before_purge(client, APPS)
    assert [x.step for x in recorded_evidence(client).exchanges] == [Step.OPENING] * PAGES_PER_WALK


def test_guids_leave_an_event_out(make_run: Callable[..., Client]) -> None:
    """Of three events, the filter `guids` names two beside other filters, so that it has an effect of its own."""
    client = make_run(Mode.OBSERVE, (1, 2, 3))
    read_lists_before_purge(client, APPS)
    combined = [x for x in recorded_evidence(client).exchanges if x.step is Step.COMBINED_FILTERS]
    assert "e0,e2" in {x.query["guids"] for x in combined}
