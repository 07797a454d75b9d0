"""The fingerprint of a foundation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from meta.support.root_document import root_document
from purge_conformance.evidence.steps import Scenario, Step
from purge_conformance.target.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from meta.support.story import EvidenceBuilder


def test_fingerprint_survives_upgrade(builder: EvidenceBuilder) -> None:
    """Other members and the order of links do not change the fingerprint; another address does."""
    first = fingerprint_of(
        builder.add_exchange(
            Scenario.PREFLIGHT,
            Step.ROOT,
            body=root_document(v3={"href": "http://api/v3", "meta": {"version": "3.1.0"}}),
        )
    )
    later = {"links": {"v3": {"href": "http://api/v3", "meta": {}}, "uaa": None, "self": {"href": "http://api"}}}
    assert first == fingerprint_of(builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, data=later))
    assert first != fingerprint_of(
        builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=root_document(v3={"href": "http://elsewhere/v3"}))
    )


@pytest.mark.parametrize("body", [b"", b"[]", b'{"links": {}}', b'{"links": []}', b"<html>"])
def test_missing_links_give_no_fingerprint(body: bytes, builder: EvidenceBuilder) -> None:
    """A response without links has no fingerprint."""
    assert fingerprint_of(builder.add_exchange(Scenario.PREFLIGHT, Step.ROOT, body=body)) is None
