"""Renaming an app, its space and its organization: each only if the run created it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from meta.support.client import exchanges_at, recorded_evidence
from meta.unit.target.apps.test_suite_apps import api_with_rejections
from purge_conformance.config.apps import AppSettings
from purge_conformance.evidence.steps import App, Place, Step
from purge_conformance.target.apps.suite_apps import SuiteApps

if TYPE_CHECKING:
    from collections.abc import Callable

    from meta.support.stub import StubServer
    from purge_conformance.client.client import Client

MAX_LENGTH = 20  # of the name of an app, which every target is expected to allow


def renamed(client: Client, apps: SuiteApps) -> list[str]:
    """Return the kind of each resource that is renamed together with an app."""
    apps.build()
    apps.rename(App.SCALED)
    return [x.path.split("/")[2] for x in recorded_evidence(client).exchanges if x.method == "PATCH"]


def test_own_places_are_renamed(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """An app gets two short names, its space and its organization get new ones, and the space is read after that."""
    stub_server.answer, client = api_with_rejections(stub_server, {}), make_client()
    assert renamed(client, SuiteApps(client)) == ["apps", "apps", "spaces", "organizations"]
    names = [json.loads(x.request_body or "")["name"] for x in exchanges_at(client, Place(Step.RENAME, app=App.SCALED))]
    space, _ = exchanges_at(client, Step.RENAME)
    assert len(set(names)) > 1
    assert max(map(len, names)) <= MAX_LENGTH
    assert [x.path for x in exchanges_at(client, Step.VERIFY_RENAME)] == [space.path]


def test_given_space_keeps_its_name(stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """In a space that the user named, only the app is renamed."""
    stub_server.answer, client = api_with_rejections(stub_server, {}), make_client()
    client.settings = replace(client.settings, apps=AppSettings(space="given"))
    assert renamed(client, SuiteApps(client)) == ["apps", "apps"]


@pytest.mark.parametrize("kind", ["organizations", "apps"])
def test_nothing_is_renamed_without_app(kind: str, stub_server: StubServer, make_client: Callable[..., Client]) -> None:
    """Without an app nothing is sent."""
    stub_server.answer, client = api_with_rejections(stub_server, {kind: 403}), make_client()
    assert renamed(client, SuiteApps(client)) == []
